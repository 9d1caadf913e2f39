import { changesOf, commandLines, type Plan, type PlannedStep } from '../engine/plan.ts'
import type { Diff, Risk, Verb } from '../engine/step.ts'

/** A plan as data, with all that is shown of it and nothing else: what texts, pages, JSON and saved plans are made of. */
export interface PlanView {
  readonly counts: PlanCounts
  readonly risks: RiskCounts
  readonly steps: readonly StepView[]
}

export interface StepView {
  readonly script: string
  readonly step: string
  readonly target: string
  readonly state: 'unknown' | 'converged' | 'refused' | 'changes'
  /** Of an unchanged step: why there is nothing to do; of an unknown one: what it waits for. */
  readonly because?: string
  /** It is unknown, and will be whatever is changed before. */
  readonly denied?: true
  readonly refused?: { readonly reason: string; readonly remedy: string }
  /** What is seen and left alone. */
  readonly notes?: readonly string[]
  /** The earlier steps whose changes may alter this one. */
  readonly tentative?: readonly string[]
  readonly changes: readonly ChangeView[]
}

export interface ChangeView {
  readonly verb: Verb
  readonly say: string
  readonly risk: Risk
  readonly diff?: Diff
  /** What undoes it unless a new connection gets in. */
  readonly guarded?: string
  /** As a reader may type them. */
  readonly commands?: readonly string[]
}

export interface PlanCounts {
  readonly create: number
  readonly update: number
  readonly remove: number
  readonly unknown: number
  readonly refused: number
  readonly unchanged: number
}

/** How many changes carry each risk; those without are left out. */
export type RiskCounts = Readonly<Partial<Record<Exclude<Risk, 'safe'>, number>>>

/** What is shown of a plan; with `commands`, those of each change too. */
export function viewOf(plan: Plan, { commands = false } = {}): PlanView {
  return {
    counts: countPlan(plan),
    risks: risksOf(plan),
    steps: plan.steps.map((planned) => stepView(planned, commands)),
  }
}

function stepView(planned: PlannedStep, withCommands: boolean): StepView {
  const { script, step, unknown, decision, denied, pending } = planned
  const because = unknown ?? (decision?.kind === 'converged' ? decision.because : undefined)
  const refused = decision?.kind === 'refused' ? { reason: decision.reason, remedy: decision.remedy } : undefined
  const notes = decision?.kind === 'refused' ? undefined : decision?.notes
  return {
    script,
    step: step.id,
    target: step.on.name,
    state: unknown !== undefined || !decision ? 'unknown' : decision.kind,
    ...(because !== undefined && { because }),
    ...(denied && { denied: true }),
    ...(refused && { refused }),
    ...(notes && { notes }),
    ...(pending.length > 0 && { tentative: pending }),
    changes: changesOf(planned).map((change) => ({
      verb: change.verb,
      say: change.say,
      risk: change.risk,
      ...(change.diff && { diff: change.diff }),
      ...(change.guard && { guarded: change.guard.name }),
      ...(withCommands && { commands: commandLines(planned, change) }),
    })),
  }
}

/** How many changes of each kind a plan has, and how many steps it leaves alone. */
export function countPlan(plan: Plan): PlanCounts {
  const counts = { create: 0, update: 0, remove: 0, unknown: 0, refused: 0, unchanged: 0 }
  for (const planned of plan.steps) {
    if (planned.unknown !== undefined) counts.unknown += 1
    else if (planned.decision?.kind === 'refused') counts.refused += 1
    else if (planned.decision?.kind === 'converged') counts.unchanged += 1
    for (const { verb } of changesOf(planned)) counts[verb] += 1
  }
  return counts
}

function risksOf(plan: Plan): RiskCounts {
  const counts: Partial<Record<Exclude<Risk, 'safe'>, number>> = {}
  for (const { risk } of plan.steps.flatMap(changesOf)) if (risk !== 'safe') counts[risk] = (counts[risk] ?? 0) + 1
  return counts
}

const countWords = [
  ['create', 'to create'],
  ['update', 'to change'],
  ['remove', 'to remove'],
  ['unknown', 'not known yet'],
  ['refused', 'refused'],
] as const

/** `3 to create, 1 to change`; `nothing to change`. */
export function sayCounts(counts: Partial<PlanCounts>): string {
  const said = countWords.flatMap(([name, what]) => (counts[name] ? [`${counts[name]} ${what}`] : []))
  return said.length > 0 ? said.join(', ') : 'nothing to change'
}

export const riskWords: Readonly<Record<Risk, string>> = {
  safe: '',
  restart: 'restart',
  downtime: 'downtime',
  rights: 'fewer rights',
  data: 'data loss',
}

/** `2 × restart, 1 × data loss`; empty where nothing is risked. */
export function sayRisks(risks: RiskCounts): string {
  return Object.entries(risks)
    .map(([risk, count]) => `${count} × ${riskWords[risk as Risk]}`)
    .join(', ')
}

/** The targets of a plan, each once: `root@203.0.113.7`. */
export const targetsOf = ({ steps }: Pick<PlanView, 'steps'>): string =>
  [...new Set(steps.map(({ target }) => target))].join(', ')

/** `pod: 3 to create, 1 to change, 41 unchanged; risks: 1 × restart`. */
export function summarize(workspace: string, { counts, risks }: Pick<PlanView, 'counts' | 'risks'>): string {
  const risked = sayRisks(risks)
  return `${workspace}: ${sayCounts(counts)}, ${counts.unchanged} unchanged${risked ? `; risks: ${risked}` : ''}`
}
