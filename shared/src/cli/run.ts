import type { Emit, Event } from '../engine/events.ts'
import { exitCodes } from '../engine/failure.ts'
import { tellingWaits } from '../engine/waiting.ts'
import { describeHolder } from '../targets/run-identity.ts'
import type { Entry } from './help.ts'
import { tellingOf } from './in-environment.ts'
import { type Call, usage } from './options.ts'
import { commit, projectRoot } from './paths.ts'
import { asFailure } from './process.ts'
import { isRootRun } from './root-run.ts'
import type { Session, Together } from './session.ts'
import type { Signals } from './signals.ts'
import type { Workspace } from './workspace.ts'

export interface RunOptions {
  readonly entry: Entry
  readonly workspace: Workspace
  readonly command: string
  readonly call: Call
  /** Where its events go. */
  readonly emit: Emit
  readonly signals: Signals
  /** What it has to do with others that run in the same process. */
  readonly together?: Together
}

/** Runs a command of a workspace to its end and gives its exit code; its failure is told as an event. */
export async function runCommand(run: RunOptions): Promise<number> {
  const { entry, workspace, command, call, signals, together } = run
  const { options } = call
  const began = Date.now()
  let made = 0
  const emit = tellingOf(options.env, (event: Event) => {
    if (event.type === 'change.end' && event.outcome === 'done') made += 1
    run.emit(event)
  })
  const session: Session = {
    workspace,
    command,
    npm: entry.npm ?? 'deploy',
    ...call,
    processEnv: process.env,
    root: projectRoot(process.env),
    emit,
    signals,
    cleanup: [],
    ...(together && { together }),
  }
  const told = toldAs(command, call)
  const by = describeHolder()
  emit({ type: 'run.start', workspace: workspace.name, command: told, environment: options.env, by, commit: commit() })
  const exitCode = await attempt(entry, session)
  emit({ type: 'run.end', workspace: workspace.name, command: told, exitCode, made, ms: Date.now() - began })
  return exitCode
}

/** What a run is told as: a rehearsal as what it is. */
export const toldAs = (command: string, { options }: Call): string =>
  options.check || options['dry-run'] ? 'plan' : command

async function attempt(entry: Entry, session: Session): Promise<number> {
  try {
    return await dispatch(entry, session)
  } catch (error) {
    const { kind, message, remedy, detail } = asFailure(error)
    session.emit({ type: 'failure', kind, message, remedy, detail })
    return (kind === 'interrupted' && session.signals.code()) || exitCodes[kind]
  } finally {
    await Promise.all(session.cleanup.map((close) => close().catch(() => {})))
  }
}

async function dispatch(entry: Entry, session: Session): Promise<number> {
  const { options, command } = session
  if (isRootRun(session.processEnv)) {
    const { isLeftOut } = await import('./session.ts')
    if (isLeftOut(session)) return 0
  }
  if (command === 'validate') {
    const { runValidate } = await import('./validate.ts')
    return runValidate(session)
  }
  const own = entry.commands?.[command]
  if (own) return tellingWaits(session.emit, () => own.run(session))
  const { runDeploy, runPlan, runUnlock, runVerify } = await import('./commands.ts')
  if (command === 'plan' || (command === 'deploy' && (options.check || options['dry-run']))) return runPlan(session)
  if (command === 'deploy') {
    if (options['detailed-exitcode']) throw usage('--detailed-exitcode is for a plan', 'Add --check.')
    if (options.offline)
      throw usage('--offline is for a plan: a deploy has to connect', 'Add --check, or leave it out.')
    return runDeploy(session)
  }
  return command === 'verify' ? runVerify(session) : runUnlock(session)
}
