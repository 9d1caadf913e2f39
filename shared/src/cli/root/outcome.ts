import { type Cost, totalPrice } from '../../engine/cost.ts'
import type { Emit, Event, WorkspaceResult } from '../../engine/events.ts'
import { exitCodes } from '../../engine/failure.ts'
import { changesOf, isConverged, type Plan } from '../../engine/plan.ts'
import { viewOf } from '../../report/plan-view.ts'

/** What a run of one workspace told, as far as the others and the table at the end need it. */
export interface Outcome {
  readonly exitCode: number
  readonly plan: Plan | undefined
  readonly cost: Cost | undefined
  readonly made: number
  readonly checks: WorkspaceResult['checks']
  readonly ms: number
}

/** Follows a run by its events: `hear` each, and `outcome` once it ended. */
export function follow(): { hear: Emit; outcome(): Outcome } {
  let plan: Plan | undefined
  let cost: Cost | undefined
  let checks: Outcome['checks']
  let ended = { exitCode: exitCodes.error as number, made: 0, ms: 0 }
  return {
    hear(event: Event) {
      if (event.type === 'plan') plan = event.plan
      if (event.type === 'cost') cost = event
      if (event.type === 'check.summary') checks = event.counts
      if (event.type === 'run.end') ended = { exitCode: event.exitCode, made: event.made, ms: event.ms }
    },
    outcome: () => ({ ...ended, plan, cost, checks }),
  }
}

const done: Readonly<Record<string, string>> = {
  validate: 'valid',
  plan: 'planned',
  deploy: 'deployed',
  verify: 'verified',
  status: 'shown',
  output: 'shown',
  history: 'shown',
  destroy: 'destroyed',
}

const troubles: Readonly<Record<number, string>> = {
  [exitCodes.changes]: 'planned',
  [exitCodes.verify]: 'verify failed',
  [exitCodes.unreachable]: 'unreachable',
  [exitCodes.locked]: 'locked',
  [exitCodes.stale]: 'stale',
  [exitCodes.usage]: 'refused',
  [exitCodes.interrupted]: 'interrupted',
  [exitCodes.terminated]: 'interrupted',
}

/** A row of the table. Whether the changes were made or only planned is told by `command`. */
export function resultOf(workspace: string, command: string, outcome: Outcome): WorkspaceResult {
  const { exitCode, plan, cost, made, checks, ms } = outcome
  const view = plan && viewOf(plan)
  const acted = command === 'deploy' || command === 'destroy'
  const idle = acted && made === 0 ? 'nothing to change' : (done[command] ?? 'done')
  return {
    workspace,
    result: exitCode === 0 ? idle : (troubles[exitCode] ?? 'failed'),
    exitCode,
    changes: view && { ...view.counts },
    risks: view && { ...view.risks },
    made: acted ? made : undefined,
    checks,
    cost: plan && cost?.total,
    price: plan && cost && totalPrice(cost),
    ms,
  }
}

/** From harmless to serious. */
const severity: readonly number[] = [
  ...[0, exitCodes.changes, exitCodes.verify, exitCodes.locked, exitCodes.stale, exitCodes.unreachable],
  ...[exitCodes.error, exitCodes.usage, exitCodes.terminated, exitCodes.interrupted],
]

/** The most serious of some exit codes. */
export const mostSerious = (codes: readonly number[]): number =>
  codes.reduce((worst, code) => (severity.indexOf(code) > severity.indexOf(worst) ? code : worst), 0)

/**
 * Whether what is to be done now is what was agreed to: each change was shown, or belongs to a step that was marked as
 * one that earlier changes may alter. What may lose data must have been shown.
 */
export function covers(agreed: Plan, now: Plan): boolean {
  const shown = new Map(agreed.steps.map((planned) => [planned.step.id, planned]))
  return now.steps.every((planned) => {
    const before = shown.get(planned.step.id)
    const known = before ? changesOf(before) : []
    const tentative = before !== undefined && (before.unknown !== undefined || before.pending.length > 0)
    if (planned.unknown !== undefined) return tentative
    return changesOf(planned).every(
      ({ verb, say, risk }) =>
        known.some((one) => one.verb === verb && one.say === say && one.risk === risk) ||
        (tentative && risk !== 'data'),
    )
  })
}

/** Whether there is something to do, as far as is known. */
export const isOpen = (plan: Plan | undefined): boolean => plan !== undefined && !isConverged(plan)
