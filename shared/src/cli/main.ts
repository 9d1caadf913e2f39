import type { Event } from '../engine/events.ts'
import { exitCodes, Failure } from '../engine/failure.ts'
import { nearest } from '../env/suggest.ts'
import { flushed } from '../report/flush.ts'
import { surviveClosedOutput } from '../report/outlet.ts'
import { print, printFailure } from '../report/print.ts'
import { commandsOf, type Entry, helpText, overview } from './help.ts'
import { refuseSwallowedFlags } from './npm-flags.ts'
import { type Call, cutVerbatim, parseCall, usage, workspaceOptionsOf } from './options.ts'
import { fromHere, projectRoot } from './paths.ts'
import { isRootRun, withoutOthersOptions } from './root-run.ts'
import type { Session } from './session.ts'
import { listenForSignals, type Signals } from './signals.ts'
import type { Workspace } from './workspace.ts'

/**
 * The command line of a workspace: `main({ name: 'pod', … }, ['deploy', '--check'])`. Ends the process with the exit
 * code that the README documents.
 */
export async function main(entry: Entry, argv: readonly string[] = process.argv.slice(2)): Promise<never> {
  surviveClosedOutput()
  // Node would print its message as it is.
  process.on('uncaughtException', (error) => {
    printFailure(asFailure(error))
    process.exit(exitCodes.error)
  })
  try {
    const [command, rest] = chooseCommand(entry, argv)
    const [ours] = cutVerbatim(command ?? '', rest, entry)
    if (command === undefined || ours.includes('--help') || ours.includes('-h')) {
      print(command === undefined ? overview(entry) : helpText(command, entry))
      return await end(0)
    }
    refuseSwallowedFlags(process.env, command, Object.keys(workspaceOptionsOf(entry)))
    const words = withoutOthersOptions(rest, process.env, entry)
    const call = withPaths(parseCall(command, words, entry), process.env)
    const { default: workspace } = await entry.load()
    return await end(await run(entry, workspace, command, call))
  } catch (error) {
    // Only mistakes of the call come here: there is no reporter yet to tell them.
    const failure = asFailure(error)
    printFailure(failure)
    return await end(exitCodes[failure.kind])
  }
}

/** The files that options name, as the user means them. */
function withPaths(call: Call, env: NodeJS.ProcessEnv): Call {
  const named = (['out', 'plan', 'junit', 'from-tfvars'] as const).flatMap((name) => {
    const path = call.options[name]
    return path === undefined ? [] : [[name, fromHere(path, env)]]
  })
  return { ...call, options: { ...call.options, ...Object.fromEntries(named) } }
}

async function end(exitCode: number): Promise<never> {
  await flushed()
  process.exit(exitCode)
}

function chooseCommand(entry: Entry, argv: readonly string[]): [string | undefined, readonly string[]] {
  const [word, ...rest] = argv
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') return [undefined, []]
  const names = Object.keys(commandsOf(entry))
  if (names.includes(word)) return [word, rest]
  const near = nearest(word, names)
  throw usage(
    `${entry.name} has no command "${word}"`,
    near ? `Did you mean ${near}?` : `There are: ${names.join(', ')}`,
  )
}

async function run(entry: Entry, workspace: Workspace, command: string, call: Call): Promise<number> {
  const { options } = call
  const stdoutIsResult = entry.commands?.[command]?.stdoutIsResult === true
  const began = Date.now()
  const { makeReporter } = await import('./reporters.ts')
  const reporter = makeReporter(stdoutIsResult ? { ...options, json: false } : options, `${workspace.name}-${command}`)
  let current: string | undefined
  let made = 0
  const emit = (event: Event) => {
    if (event.type === 'lock.taken' || event.type === 'change.start') signals.hold()
    if (event.type === 'change.start' || event.type === 'work.start') current = event.say
    if (event.type === 'change.end' || event.type === 'work.end') current = undefined
    if (event.type === 'change.end' && event.outcome === 'done') made += 1
    reporter.emit(event)
  }
  const signals = listenForSignals({
    current: () => current,
    say: (text) => emit({ type: 'message', level: 'warn', text }),
    quit: (code) => {
      reporter.close()
      process.exit(code)
    },
  })
  const root = projectRoot(process.env)
  const npm = entry.npm ?? 'deploy'
  const session: Session = {
    workspace,
    command,
    npm,
    ...call,
    processEnv: process.env,
    root,
    emit,
    signals,
    cleanup: [],
  }
  // A rehearsal is told as what it is.
  const told = options.check || options['dry-run'] ? 'plan' : command
  emit({ type: 'run.start', workspace: workspace.name, command: told, environment: options.env })
  const exitCode = await attempt(entry, session, signals)
  emit({ type: 'run.end', workspace: workspace.name, command: told, exitCode, made, ms: Date.now() - began })
  reporter.close()
  signals.close()
  return exitCode
}

async function attempt(entry: Entry, session: Session, signals: Signals): Promise<number> {
  try {
    return await dispatch(entry, session)
  } catch (error) {
    const failure = asFailure(error)
    const { kind, message, remedy, detail } = failure
    session.emit({ type: 'failure', kind, message, remedy, detail })
    return (kind === 'interrupted' && signals.code()) || exitCodes[kind]
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
  if (own) return own.run(session)
  const { runDeploy, runPlan, runUnlock, runVerify } = await import('./commands.ts')
  if (command === 'plan' || (command === 'deploy' && (options.check || options['dry-run']))) return runPlan(session)
  if (command === 'deploy') {
    if (options['detailed-exitcode'])
      throw usage('--detailed-exitcode is for a plan: a deployment makes what there is to change', 'Add --check.')
    return runDeploy(session)
  }
  return command === 'verify' ? runVerify(session) : runUnlock(session)
}

/** A thrown thing as a failure; what is none is a defect of this program, told with its stack. */
function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  return new Failure('error', `unexpected: ${message}`, {
    detail: (stack ?? '')
      .split('\n')
      .slice(1, 8)
      .map((line) => line.trim()),
    remedy: 'This is a defect of the tool, not of your environment.',
  })
}
