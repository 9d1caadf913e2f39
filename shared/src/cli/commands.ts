import { runChecks } from '../engine/check.ts'
import type { Cost } from '../engine/cost.ts'
import { collect } from '../engine/declaration.ts'
import { deploy, planWork } from '../engine/deploy.ts'
import { exitCodes, Failure } from '../engine/failure.ts'
import { changesOf, isConverged, type Plan } from '../engine/plan.ts'
import type { Script } from '../engine/script.ts'
import type { Target } from '../engine/target.ts'
import { whileWaiting } from '../engine/waiting.ts'
import { sayWorkspace } from '../report/style.ts'
import { describeHolder } from '../targets/run-identity.ts'
import { canAsk, confirm, confirmPlan } from './confirm.ts'
import { runEntry } from './entries.ts'
import { usage } from './options.ts'
import { stateFolder } from './paths.ts'
import { assertFresh, assertWritable, planOf, readPlans, type SavedPlan, savePlans, sayPlanSaved } from './plan-file.ts'
import { chooseChecks, chooseScripts, type Loaded, open, type Session } from './session.ts'

/** `plan`, and `deploy --check`: shows what would change; with `--plan FILE`, also whether that is what was saved. */
export async function runPlan(session: Session): Promise<number> {
  const { options, emit, workspace, together } = session
  const saved = readSaved(session)
  for (const path of [options.out, options.html]) if (path !== undefined) assertWritable(path)
  const loaded = open(withSavedOptions(session, saved), together?.forDeploy ? 'deploy' : 'plan')
  await tellTargets(session, loaded)
  const work = collect(workspace.scripts, loaded.context, chosen(session, saved))
  const plan = await planWork(work, emit)
  saved?.assertFresh(plan)
  const cost = tellCost(session, loaded)
  const about = {
    workspace: workspace.name,
    environment: options.env,
    tags: options.tags,
    skipTags: options['skip-tags'],
    workspaceOptions: session.workspaceOptions,
    ...(cost && { cost }),
    ...(loaded.offline && { assumed: loaded.samples ? 'sample values and new, empty targets' : 'new, blank targets' }),
  }
  together?.keep?.(plan, about, work)
  if (options.out !== undefined) {
    savePlans(options.out, stateFolder(session.root), [{ plan, about }])
    const call = `npm run ${session.npm} -w ${workspace.name} -- --plan ${options.out}`
    emit({ type: 'message', level: 'info', text: sayPlanSaved(call, options.out, [about]) })
  }
  if (options.html !== undefined) {
    const { saveOnePage } = await import('./page.ts')
    saveOnePage(options.html, session, { plan, about, work })
  }
  return pendingCode(session, plan)
}

/** `deploy`: plan, ask, apply, verify. */
export async function runDeploy(session: Session): Promise<number> {
  const { options, emit, workspace, signals, processEnv, together } = session
  const saved = readSaved(session)
  const loaded = open(withSavedOptions(session, saved), 'deploy')
  const scripts = chosen(session, saved)
  await tellTargets(session, loaded)
  const made = await deploy(collect(workspace.scripts, loaded.context, scripts), {
    emit,
    stopping: signals.stopping,
    holder: describeHolder(),
    entry: runEntry(session),
    lockTimeout: seconds(options['lock-timeout']),
    async agree(plan) {
      if (together?.agree) return together.agree(plan)
      tellCost(session, loaded)
      if (!options.yes && !saved)
        await confirmPlan(plan, targetNames(loaded), canAsk(options.json === true, processEnv))
    },
    // Together with others it was compared when all were planned: those before it may change what it finds since.
    ...(saved && !together && { expect: (plan: Plan) => saved.assertFresh(plan) }),
  })
  if (made > 0 && !options['skip-verification']) {
    if (signals.stopping())
      throw new Failure('interrupted', 'stopped as requested: all changes are made, but not verified yet')
    signals.release()
    const code = await verify(session, loaded, scripts)
    if (code !== 0) return code
  }
  if (made > 0)
    for (const text of workspace.next?.(loaded.context) ?? []) emit({ type: 'message', level: 'info', text })
  return 0
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
  const { targets } = open(session, 'access')
  const locked = targets.filter((target) => target.unlock !== undefined)
  for (const target of locked) {
    const found = await target.holder?.()
    if (found !== undefined && !options.yes) {
      const question = `Remove the lock on ${target.name}, held by ${found}?`
      await confirm(
        question,
        canAsk(options.json === true, processEnv),
        'Pass --yes to remove it without confirmation.',
      )
    }
    const holder = found === undefined && target.holder ? undefined : await target.unlock?.()
    const text = holder ? `removed the lock on ${target.name} of ${holder}` : `there was no lock on ${target.name}`
    emit({ type: 'message', level: 'info', text })
  }
  return 0
}

async function verify(session: Session, { context }: Loaded, scripts: readonly Script<unknown>[]): Promise<number> {
  const { workspace, options, emit, signals } = session
  const all = chooseChecks(workspace.checks(context), workspace.scripts, scripts)
  const checks = options.only ? all.filter(({ id }) => options.only?.some((only) => id.startsWith(only))) : all
  // Another workspace may have it.
  if (checks.length === 0 && options.only && !session.together)
    throw usage(
      `no check has an id that starts with ${options.only.join(', ')}`,
      `There are: ${all.map(({ id }) => id).join(', ')}`,
    )
  const writing = checks.some(({ writes }) => writes)
  if (writing) signals.hold()
  const counts = await runChecks(checks, emit, signals)
  if (writing && signals.stopping())
    throw new Failure('interrupted', 'stopped as requested: verify removed what it had created')
  return counts.fail > 0 ? exitCodes.verify : 0
}

/** The saved plan of a run, and whether another is still the same. */
interface Reviewed extends SavedPlan {
  assertFresh(plan: Plan): void
}

function readSaved({ workspace, options, root }: Session): Reviewed | undefined {
  if (options.plan === undefined) return undefined
  const folder = stateFolder(root)
  const file = readPlans(options.plan, folder)
  const saved = planOf(file, options.plan, workspace.name, options.env)
  return { ...saved, assertFresh: (plan) => assertFresh(file, saved, folder, plan) }
}

/** With the workspace's own options that a saved plan was made with: without them it would be another plan. */
function withSavedOptions(session: Session, saved: SavedPlan | undefined): Session {
  if (!saved) return session
  const [given] = Object.keys(session.workspaceOptions)
  if (given !== undefined)
    throw usage(`--plan cannot be combined with --${given}`, 'The saved plan contains its options; make a new one.')
  return { ...session, workspaceOptions: saved.workspaceOptions ?? {} }
}

function chosen({ workspace, options }: Session, saved: SavedPlan | undefined) {
  if (saved && (options.tags || options['skip-tags'])) {
    throw usage('--plan cannot be combined with --tags and --skip-tags', 'The saved plan contains its scripts.')
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

/** The names of the targets that a plan would change. */
export function targetNamesOf(plan: Plan): string {
  const targets = plan.steps.filter((planned) => changesOf(planned).length > 0).map(({ step }) => step.on)
  return targetNames({ targets: [...new Set(targets)] })
}

/** The head of a plan: has the targets find out who they are, and tells it with the environment. */
export async function tellTargets(
  { workspace, options, emit }: Session,
  loaded: { targets: readonly Target[] },
): Promise<void> {
  const identify = async (target: Target) => target.identify?.()
  await Promise.all(
    loaded.targets.map((target) => whileWaiting(emit, `${target.name} to identify itself`, () => identify(target))),
  )
  emit({
    type: 'message',
    level: 'info',
    text: `${sayWorkspace(workspace.name, options.env)} → ${targetNames(loaded)}`,
  })
}

/** What the workspace costs, where that is known; tells it. */
function tellCost({ workspace, emit }: Session, { context }: Loaded): Cost | undefined {
  const cost = workspace.cost?.(context)
  if (cost) emit({ type: 'cost', ...cost })
  return cost
}

/** The value of `--lock-timeout`, in seconds. */
export function seconds(text: string | undefined): number {
  if (text === undefined) return 0
  if (!/^\d{1,6}$/.test(text)) throw usage(`--lock-timeout ${text} is not a number of seconds`, '--lock-timeout 300')
  return Number(text)
}
