import { redact } from '../command/secret.ts'
import type { CheckOutcome, Emit } from './events.ts'
import { makePlan, type PlannedStep } from './plan.ts'
import { converged, type Facts, type Questions, step } from './step.ts'
import type { Target } from './target.ts'
import { whileWaiting } from './waiting.ts'

export interface Finding {
  readonly outcome: 'ok' | 'warn' | 'fail'
  /** What was found, in a line: `87 days left`. */
  readonly detail: string
}

/** Something that must hold in a deployed workspace, as data. */
export interface Check {
  /** How bad it is at the worst: `fail` unless told. What only warns never makes `verify` fail. */
  readonly severity?: 'warn' | 'fail' | undefined
  /** What it finds is a result by itself, such as an address: shown although it passed. */
  readonly telling?: true | undefined
  /** Short and stable, for `--only` and for JUnit: `postgres.extension`. */
  readonly id: string
  /** What holds when it passes: `extension vector in valence`. */
  readonly about: string
  /** What to do when it does not. */
  readonly remedy: string
  /** Asked on a target, all checks in one batch, which only reads … */
  readonly asked?: {
    readonly on: Target
    readonly ask: Questions
    judge?: Judge
  }
  /** … or probed from this machine, from outside. Of a check that asks as well, the probe gives what judges by the answers. */
  probe?(run: ProbeRun): Promise<Finding | Judge>
  /** The ids of checks without which it cannot pass: where one of them failed, this one is skipped by its name. */
  readonly dependsOn?: readonly string[] | undefined
  /** It has to write to find out, and takes away what it wrote: a signal waits for that. */
  readonly writes?: boolean | undefined
}

/** The run that a probe is a part of. */
export interface ProbeRun {
  /** Whether the user asked to stop: a long probe that writes ends early then, and takes away what it wrote. */
  stopping(): boolean
}

type Judge = (now: Readonly<Record<string, unknown>>) => Finding

/** A check by questions on a target. */
export function check<const Q extends Questions>(
  on: Target,
  options: Pick<Check, 'id' | 'about' | 'remedy' | 'severity' | 'telling'> & { ask: Q; judge(now: Facts<Q>): Finding },
): Check {
  const { id, about, remedy, severity, telling, ask, judge } = options
  return {
    id,
    about,
    remedy,
    severity,
    telling,
    asked: { on, ask, judge: judge as (now: Readonly<Record<string, unknown>>) => Finding },
  }
}

export const ok = (detail: string): Finding => ({ outcome: 'ok', detail })
export const warn = (detail: string): Finding => ({ outcome: 'warn', detail })
export const fail = (detail: string): Finding => ({ outcome: 'fail', detail })

const endless: ProbeRun = { stopping: () => false }

/** Runs the checks side by side, questions in one batch per target. Gives how many came out how. */
export async function runChecks(
  checks: readonly Check[],
  emit: Emit,
  run: ProbeRun = endless,
): Promise<Record<CheckOutcome, number>> {
  const began = Date.now()
  const counts: Record<CheckOutcome, number> = { ok: 0, warn: 0, fail: 0, skipped: 0 }
  const asked = checks.filter(({ asked }) => asked)
  const steps = asked.map(({ id, asked }) => {
    const { on, ask } = asked as NonNullable<Check['asked']>
    return step({ id, on, ask, plan: () => converged('') })
  })
  const [plan, probed] = await Promise.all([
    makePlan([{ script: 'verify', steps }], emit),
    Promise.all(
      checks.map((check) => check.probe && whileWaiting(emit, check.id, () => attempt(() => check.probe?.(run)))),
    ),
  ])
  const answered = new Map(asked.map((check, index) => [check, plan.steps[index]]))
  const found = checks.map((check, index) => {
    const seen = probed[index] ?? check.asked?.judge
    return typeof seen === 'object' ? seen : judge(answered.get(check), seen)
  })
  for (const index of bySubject(checks)) {
    const check = checks[index] as Check
    const { severity = 'fail' } = check
    const finding = judged(found[index] as Finding, severity, causeOf(check, checks, found))
    counts[finding.outcome] += 1
    emit({
      type: 'check',
      id: check.id,
      about: check.about,
      severity,
      ...finding,
      ...(check.telling && { telling: true }),
      remedy: finding.outcome === 'ok' || finding.outcome === 'skipped' ? undefined : check.remedy,
    })
  }
  emit({ type: 'check.summary', counts, ms: Date.now() - began })
  return counts
}

/** The positions of checks, those of one subject (`synapse.api`) together, in the order in which the first of each stands. */
function bySubject(checks: readonly Check[]): number[] {
  const subjects = checks.map(({ id }) => id.split('.')[0])
  return [...checks.keys()].sort((a, b) => subjects.indexOf(subjects[a]) - subjects.indexOf(subjects[b]))
}

type Outcome = { readonly outcome: CheckOutcome; readonly detail: string }

/** What is told of a finding: what failed because of another is no failure of its own. */
function judged({ outcome, detail }: Finding, severity: 'warn' | 'fail', cause: string | undefined): Outcome {
  if (outcome !== 'fail') return { outcome, detail }
  return cause === undefined
    ? { outcome: severity, detail }
    : { outcome: 'skipped', detail: `${cause} failed: ${detail}` }
}

/** The check that a failure comes from: the first in the chain of what this one depends on that failed. */
function causeOf(check: Check, checks: readonly Check[], found: readonly Finding[]): string | undefined {
  const failed = checks.filter(({ id }, index) => check.dependsOn?.includes(id) && found[index]?.outcome === 'fail')
  const [first] = failed
  return first && (causeOf(first, checks, found) ?? first.id)
}

function judge(planned: PlannedStep | undefined, by: Judge | undefined): Finding {
  if (!planned?.facts || !by) return fail(planned?.unknown ?? 'no answer')
  try {
    return by(planned.facts)
  } catch (error) {
    return failed(error)
  }
}

async function attempt(probe: () => Promise<Finding | Judge> | undefined): Promise<Finding | Judge | undefined> {
  try {
    return await probe()
  } catch (error) {
    return failed(error)
  }
}

const failed = (error: unknown) => fail(redact(error instanceof Error ? error.message : String(error)))
