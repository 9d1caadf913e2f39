import { runChecks } from '../engine/check.ts'
import { collect } from '../engine/declaration.ts'
import { deploy, planWork } from '../engine/deploy.ts'
import { exitCodes, Failure } from '../engine/failure.ts'
import { isConverged, type Plan } from '../engine/plan.ts'
import type { Script } from '../engine/script.ts'
import type { Target } from '../engine/target.ts'
import { describeHolder } from '../targets/run-identity.ts'
import { canAsk, confirm, confirmPlan } from './confirm.ts'
import { usage } from './options.ts'
import { stateFolder } from './paths.ts'
import { assertFresh, type PlanFile, readPlan, savePlan } from './plan-file.ts'
import { chooseChecks, chooseScripts, type Loaded, open, type Session } from './session.ts'

/** `plan`, and `deploy --check`: shows what would change; with `--plan FILE`, also whether that is what was saved. */
export async function runPlan(session: Session): Promise<number> {
  const { options, emit, workspace } = session
  const saved = readSaved(session)
  const loaded = open(withSavedOptions(session, saved), 'plan')
  await tellTargets(session, loaded)
  const plan = await planWork(collect(workspace.scripts, loaded.context, chosen(session, saved)), emit)
  if (saved) assertFresh(saved, stateFolder(session.root), plan)
  tellNotes(session)
  if (options.out !== undefined) {
    const about = {
      workspace: workspace.name,
      environment: options.env,
      tags: options.tags,
      skipTags: options['skip-tags'],
      workspaceOptions: session.workspaceOptions,
    }
    savePlan(options.out, stateFolder(session.root), plan, about)
    emit({
      type: 'message',
      level: 'info',
      text: `saved: npm run ${session.npm} -w ${workspace.name} -- --plan ${options.out}`,
    })
  }
  return pendingCode(session, plan)
}

/** `deploy`: plan, ask, apply, verify. */
export async function runDeploy(session: Session): Promise<number> {
  const { options, emit, workspace, signals, processEnv } = session
  const saved = readSaved(session)
  const loaded = open(withSavedOptions(session, saved), 'deploy')
  const scripts = chosen(session, saved)
  await tellTargets(session, loaded)
  const made = await deploy(collect(workspace.scripts, loaded.context, scripts), {
    emit,
    stopping: signals.stopping,
    holder: describeHolder(),
    lockTimeout: seconds(options['lock-timeout']),
    async agree(plan) {
      tellNotes(session)
      if (!options.yes && !saved)
        await confirmPlan(plan, targetNames(loaded), canAsk(options.json === true, processEnv))
    },
    ...(saved && { expect: (plan: Plan) => assertFresh(saved, stateFolder(session.root), plan) }),
  })
  if (made === 0 || options['skip-verification']) return 0
  if (signals.stopping()) throw new Failure('interrupted', 'stopped as asked: all changes are made, not yet verified')
  signals.release()
  return verify(session, loaded, scripts)
}

/** `verify`: runs the checks. */
export async function runVerify(session: Session): Promise<number> {
  const loaded = open(session, 'verify')
  const scripts = chosen(session, undefined)
  await tellTargets(session, loaded)
  return verify(session, loaded, scripts)
}

/** `unlock`: removes the locks of all targets. */
export async function runUnlock(session: Session): Promise<number> {
  const { emit, options, processEnv } = session
  const { targets } = open(session, 'verify')
  const locked = targets.filter((target) => target.unlock !== undefined)
  for (const target of locked) {
    if (!options.yes)
      await confirm(`Remove the lock on ${target.name}, whoever holds it?`, canAsk(options.json === true, processEnv))
    const holder = await target.unlock?.()
    const text = holder ? `removed the lock on ${target.name} of ${holder}` : `there was no lock on ${target.name}`
    emit({ type: 'message', level: 'info', text })
  }
  return 0
}

async function verify(session: Session, { context }: Loaded, scripts: readonly Script<unknown>[]): Promise<number> {
  const { workspace, options, emit, signals } = session
  const all = chooseChecks(workspace.checks(context), workspace.scripts, scripts)
  const checks = options.only ? all.filter(({ id }) => options.only?.some((only) => id.startsWith(only))) : all
  if (checks.length === 0 && options.only)
    throw usage(
      `no check has an id that starts with ${options.only.join(', ')}`,
      `There are: ${all.map(({ id }) => id).join(', ')}`,
    )
  const writing = checks.some(({ writes }) => writes)
  if (writing) signals.hold()
  const counts = await runChecks(checks, emit, signals)
  if (writing && signals.stopping())
    throw new Failure('interrupted', 'stopped as asked: what verify made is taken away')
  return counts.fail > 0 ? exitCodes.verify : 0
}

function readSaved({ workspace, options, root }: Session): PlanFile | undefined {
  if (options.plan === undefined) return undefined
  return readPlan(options.plan, stateFolder(root), workspace.name, options.env)
}

/** With the workspace's own options that a saved plan was made with: without them it would be another plan. */
function withSavedOptions(session: Session, saved: PlanFile | undefined): Session {
  if (!saved) return session
  const [given] = Object.keys(session.workspaceOptions)
  if (given !== undefined)
    throw usage(`--plan goes without --${given}`, 'The saved plan knows what it was made with; make another one.')
  return { ...session, workspaceOptions: saved.workspaceOptions ?? {} }
}

function chosen({ workspace, options }: Session, saved: PlanFile | undefined) {
  if (saved && (options.tags || options['skip-tags'])) {
    throw usage('--plan goes without --tags and --skip-tags', 'The saved plan knows which scripts it is of.')
  }
  return chooseScripts(workspace.scripts, saved?.tags ?? options.tags, saved?.skipTags ?? options['skip-tags'])
}

function pendingCode({ options }: Session, plan: Plan): number {
  return options['detailed-exitcode'] && !isConverged(plan) ? exitCodes.changes : 0
}

/** How targets are called in questions: `aws 123456789012 ca-central-1, kubernetes …`. */
export function targetNames({ targets }: { targets: readonly Target[] }): string {
  return targets.map(({ name }) => name).join(', ')
}

/** The head of a plan: has the targets find out who they are, and tells it with the environment. */
export async function tellTargets(
  { workspace, options, emit }: Session,
  loaded: { targets: readonly Target[] },
): Promise<void> {
  await Promise.all(loaded.targets.map((target) => target.identify?.()))
  const environment = options.env ? ` (environment ${options.env})` : ''
  emit({ type: 'message', level: 'info', text: `${workspace.name}${environment} → ${targetNames(loaded)}` })
}

function tellNotes({ workspace, emit }: Session): void {
  for (const text of workspace.notes ?? []) emit({ type: 'message', level: 'info', text })
}

/** The value of `--lock-timeout`, in seconds. */
export function seconds(text: string | undefined): number {
  if (text === undefined) return 0
  if (!/^\d{1,6}$/.test(text)) throw usage(`--lock-timeout ${text} is not a number of seconds`, '--lock-timeout 300')
  return Number(text)
}
