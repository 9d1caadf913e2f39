import { exitCodes, Failure } from '../../engine/failure.ts'
import { changesOf, type Plan } from '../../engine/plan.ts'
import { targetNamesOf } from '../commands.ts'
import { canAsk, confirm } from '../confirm.ts'
import type { Call } from '../options.ts'
import { asFailure } from '../process.ts'
import type { Member } from './members.ts'
import { covers, isOpen, type Outcome, resultOf } from './outcome.ts'
import { keeper, orderOf, type RootResult, type RootRun, sideBySide } from './side-by-side.ts'

/** What becomes of a workspace: its outcome, or why it was left alone. */
type Fate = Outcome | string

/** How workspaces depend on each other in this command: by name. */
export type Needs = (member: Member) => readonly string[]

/**
 * `deploy` and `destroy` of all: plans side by side, has the plans agreed to once, and makes them one workspace after the
 * other. One that fails keeps back those alone that need it.
 */
export async function deployAll(run: RootRun, needs: Needs): Promise<RootResult> {
  const { command, members } = run
  const { planned, keepOf } = keeper()
  const looked = await sideBySide(run, members, {
    command,
    callOf: (member) => asCheck(run.callOf(member)),
    togetherOf: (member) => ({
      runsBefore: orderOf(run, member),
      keep: keepOf(member),
      forDeploy: command === 'deploy',
    }),
  })
  const fates = new Map<string, Fate>(members.map((member, index) => [nameOf(member), looked[index] as Outcome]))
  const refused = await agree(run, fates)
  if (refused === undefined)
    for (const member of members) fates.set(nameOf(member), await make(run, member, fates, needs(member)))
  const results = members.map((member) => {
    const fate = fates.get(nameOf(member)) as Fate
    if (typeof fate === 'string') return { workspace: nameOf(member), result: fate }
    return resultOf(nameOf(member), refused === undefined ? command : 'plan', fate)
  })
  return { results, planned, exitCode: refused ?? 0 }
}

const nameOf = ({ workspace }: Member) => workspace.name

const asCheck = (call: Call): Call => ({ ...call, options: { ...call.options, check: true } })

const outcomeOf = (fates: ReadonlyMap<string, Fate>, name: string): Outcome | undefined => {
  const fate = fates.get(name)
  return typeof fate === 'string' ? undefined : fate
}

/** Gets one yes for all plans. Gives the exit code of a no; undefined where the run goes on. */
async function agree(run: RootRun, fates: ReadonlyMap<string, Fate>): Promise<number | undefined> {
  const { options } = run.call
  const plans = run.members.flatMap((member) => {
    const outcome = outcomeOf(fates, nameOf(member))
    return outcome?.exitCode === 0 && outcome.plan && isOpen(outcome.plan) ? [{ member, plan: outcome.plan }] : []
  })
  const failed = run.members.filter((member) => outcomeOf(fates, nameOf(member))?.exitCode !== 0).map(nameOf)
  try {
    if (options.plan !== undefined && failed.length > 0) {
      const text = `nothing was deployed: either all reviewed plans are applied or none, and this one cannot be: ${failed.join(', ')}`
      run.reporters.inOrder.emit({ type: 'message', level: 'warn', text })
      return 0
    }
    if (plans.length > 0 && !options.yes && options.plan === undefined)
      await confirm(question(plans), canAsk(options.json === true, process.env))
    return undefined
  } catch (error) {
    const { kind, message, remedy, detail } = asFailure(error)
    run.reporters.inOrder.emit({ type: 'failure', kind, message, remedy, detail })
    return exitCodes[kind]
  }
}

/** `Apply 12 changes of pod to root@203.0.113.10, 40 of cluster to …?` */
function question(plans: readonly { member: Member; plan: Plan }[]): string {
  const parts = plans.map(({ member, plan }, index) => {
    const count = plan.steps.flatMap(changesOf).length
    const what = index > 0 ? `${count}` : `${count} ${count === 1 ? 'change' : 'changes'}`
    return `${what} of ${nameOf(member)} to ${targetNamesOf(plan)}`
  })
  return `Apply ${parts.join(', ')}?`
}

/** Makes what was agreed to of one workspace, unless there is nothing to do, or one that it needs has failed. */
async function make(
  run: RootRun,
  member: Member,
  fates: ReadonlyMap<string, Fate>,
  needs: readonly string[],
): Promise<Fate> {
  const looked = outcomeOf(fates, nameOf(member)) as Outcome
  if (looked.exitCode !== 0) return looked
  const missing = needs.find((name) => fates.has(name) && outcomeOf(fates, name)?.exitCode !== 0)
  if (missing !== undefined) return `skipped: ${missing} failed`
  if (run.signals.stopping()) return 'skipped: interrupted'
  // What it needs has been changed since it was planned.
  const isStale = needs.some((name) => (outcomeOf(fates, name)?.made ?? 0) > 0)
  const { plan: agreed } = looked
  if (!agreed || (!isOpen(agreed) && !isStale)) return looked
  const [made] = await sideBySide(run, [member], {
    command: run.command,
    callOf: run.callOf,
    togetherOf: () => ({ runsBefore: orderOf(run, member), agree: (plan) => agreeAgain(run, member, agreed, plan) }),
    // It was shown.
    tells: () => (event) => event.type !== 'plan' || !covers(agreed, event.plan),
  })
  return made ? { ...made, cost: looked.cost, ms: looked.ms + made.ms } : looked
}

/** Asks once more where something else is to be done than what was agreed to. */
async function agreeAgain(run: RootRun, member: Member, agreed: Plan, plan: Plan): Promise<void> {
  const { options } = run.call
  if (options.yes || covers(agreed, plan)) return
  if (options.plan !== undefined)
    throw new Failure('stale', `${nameOf(member)} would change more than was reviewed; nothing of it was changed`, {
      remedy: 'Plan again, review, and deploy the new plan.',
    })
  await confirm(question([{ member, plan }]), canAsk(options.json === true, process.env))
}
