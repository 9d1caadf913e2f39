import { runChecks } from '../engine/check.ts'
import { deploy, planWork } from '../engine/deploy.ts'
import { exitCodes } from '../engine/failure.ts'
import { collect, isConverged, type Plan } from '../engine/plan.ts'
import type { Target } from '../engine/target.ts'
import { describeHolder } from '../targets/holder.ts'
import { canAsk, confirm, confirmPlan } from './confirm.ts'
import { usage } from './options.ts'
import { assertFresh, type PlanFile, readPlan, savePlan } from './plan-file.ts'
import { chooseScripts, type Loaded, open, type Session } from './session.ts'

/** What a command comes to: its exit code, and how many changes it made. */
export interface Result {
  readonly exitCode: number
  readonly made: number
}

/** `plan`, and `deploy --check`: shows what would change. */
export async function runPlan(session: Session): Promise<Result> {
  const { options, emit, workspace } = session
  const loaded = open(session, 'plan')
  const scripts = chooseScripts(workspace.scripts, options.tags, options['skip-tags'])
  tellTargets(session, loaded)
  const plan = await planWork(collect(scripts, loaded.context), emit)
  if (options.out !== undefined) {
    const about = {
      workspace: workspace.name,
      environment: options.env,
      tags: options.tags,
      skipTags: options['skip-tags'],
    }
    savePlan(options.out, plan, about)
    emit({
      type: 'message',
      level: 'info',
      text: `saved: npm run deploy -w ${workspace.name} -- --plan ${options.out}`,
    })
  }
  return { exitCode: pendingCode(session, plan), made: 0 }
}

/** `deploy`: plan, ask, apply, verify. */
export async function runDeploy(session: Session): Promise<Result> {
  const { options, emit, workspace, signals, processEnv } = session
  const loaded = open(session, 'deploy')
  const saved = options.plan === undefined ? undefined : readPlan(options.plan, workspace.name, options.env)
  const work = collect(chosen(session, saved), loaded.context)
  tellTargets(session, loaded)
  const made = await deploy(work, {
    emit,
    stopping: signals.stopping,
    holder: describeHolder(),
    lockTimeout: seconds(options['lock-timeout']),
    async agree(plan) {
      if (!options.yes && !saved)
        await confirmPlan(plan, targetNames(loaded), canAsk(options.json === true, processEnv))
      signals.hold()
    },
    ...(saved && { expect: (plan: Plan) => assertFresh(saved, plan) }),
  })
  if (made === 0 || options['skip-verification']) return { exitCode: 0, made }
  return { exitCode: await verify(session, loaded), made }
}

/** `verify`: runs the checks. */
export async function runVerify(session: Session): Promise<Result> {
  const loaded = open(session, 'verify')
  tellTargets(session, loaded)
  return { exitCode: await verify(session, loaded), made: 0 }
}

/** `unlock`: removes the locks of all targets. */
export async function runUnlock(session: Session): Promise<Result> {
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
  return { exitCode: 0, made: 0 }
}

async function verify(session: Session, { context }: Loaded): Promise<number> {
  const { workspace, options, emit } = session
  const all = workspace.checks(context)
  const checks = options.only ? all.filter(({ id }) => options.only?.some((only) => id.startsWith(only))) : all
  if (checks.length === 0)
    throw usage(
      `no check has an id that starts with ${options.only?.join(', ')}`,
      `There are: ${all.map(({ id }) => id).join(', ')}`,
    )
  const counts = await runChecks(checks, emit)
  return counts.fail > 0 ? exitCodes.verify : 0
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

function targetNames({ targets }: { targets: readonly Target[] }): string {
  return targets.map(({ name }) => name).join(', ')
}

function tellTargets({ workspace, options, emit }: Session, loaded: Loaded): void {
  const environment = options.env ? ` (environment ${options.env})` : ''
  emit({ type: 'message', level: 'info', text: `${workspace.name}${environment} → ${targetNames(loaded)}` })
}

function seconds(text: string | undefined): number {
  if (text === undefined) return 0
  if (!/^\d{1,6}$/.test(text)) throw usage(`--lock-timeout ${text} is no number of seconds`, '--lock-timeout 300')
  return Number(text)
}
