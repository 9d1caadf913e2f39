import { digestText, type Output } from '../command/command.ts'
import { redact } from '../command/secret.ts'
import { factOf } from './ask.ts'
import type { Emit } from './events.ts'
import { Failure } from './failure.ts'
import { type Change, changes, type Decision, idOf, type PlanContext, type Question, type Step } from './step.ts'
import { type Target, transcripts } from './target.ts'
import { whileWaiting } from './waiting.ts'

export interface PlannedStep {
  readonly script: string
  readonly step: Step
  /** What the questions found; undefined where one could not be answered. */
  readonly facts: Readonly<Record<string, unknown>> | undefined
  readonly decision: Decision | undefined
  /** Why it cannot be decided yet. */
  readonly unknown: string | undefined
  /** With `unknown`: why it never will be, whatever is changed before. */
  readonly denied?: Failure | undefined
  /** The ids of earlier steps whose changes may change this decision. */
  readonly pending: readonly string[]
}

export interface Plan {
  readonly steps: readonly PlannedStep[]
}

/** The steps of a run, by script, in order. */
export interface Work {
  readonly script: string
  readonly steps: readonly Step[]
}

/** Asks the questions of all steps, one batch per target, and decides. Writes nothing. */
export async function makePlan(work: readonly Work[], emit: Emit): Promise<Plan> {
  const answers = await askAll(
    work.flatMap(({ steps }) => steps),
    emit,
  )
  const scriptOf = new Map(work.flatMap(({ script, steps }) => steps.map(({ id }) => [id, script] as const)))
  const pending = new Map<string, Step>()
  const notCreatedYet = new Set(
    [...new Set(work.flatMap(({ steps }) => steps.map(({ on }) => on)))].filter((on) => on.notCreatedYet),
  )
  // What could not be answered may have to do with any earlier change on the same target.
  const before = (step: Step) => [...pending.values()].filter(({ on }) => on === step.on).map(({ id }) => id)
  const saidOnce = new Map<Target, Set<string>>()
  const steps = work.flatMap(({ script, steps }) =>
    steps.map((step): PlannedStep => {
      const first = step.dependsOn.map(idOf).filter((id) => pending.has(id))
      const ahead = notCreatedYet.has(step.on) ? [...first, step.on.name] : first
      const decided = decide(script, step, answers, { pending: ahead, earlierChanges: before(step).length > 0 })
      const isSure = !step.unknownWhilePending || first.every((id) => scriptOf.get(id) === script)
      const planned =
        decided.unknown !== undefined && !decided.denied && ahead.length === 0
          ? { ...decided, pending: before(step) }
          : isSure
            ? sayingOnce(decided, saidOnce)
            : unsure(decided)
      if (planned.unknown !== undefined || planned.decision?.kind === 'changes') pending.set(step.id, step)
      return planned
    }),
  )
  return { steps }
}

/** Without the changes that mend for all steps what an earlier one mends already: see {@link Change.once}. */
function sayingOnce(planned: PlannedStep, said: Map<Target, Set<string>>): PlannedStep {
  const keys = said.get(planned.step.on) ?? new Set()
  const own = changesOf(planned).filter(({ once }) => once === undefined || !keys.has(once))
  for (const { once } of own) if (once !== undefined) said.set(planned.step.on, keys.add(once))
  if (own.length === changesOf(planned).length) return planned
  return { ...planned, decision: changes(own, 'an earlier step fixes it') }
}

/** A decision by what an earlier script is about to change: that there is nothing to do, or must not be, is not known then. */
function unsure(planned: PlannedStep): PlannedStep {
  if (planned.unknown !== undefined || planned.decision?.kind === 'changes') return planned
  return { ...planned, decision: undefined, unknown: 'depends on changes that are not applied yet' }
}

/** The changes of a planned step; none where it is converged, refused or unknown. */
export function changesOf(planned: PlannedStep): readonly Change[] {
  return planned.decision?.kind === 'changes' ? planned.decision.changes : []
}

/**
 * The commands of a planned change, as a reader may type them, by their essence where they have one; of a batch those of
 * this change alone. What was run is told whole.
 */
export function commandLines({ step }: PlannedStep, { run, batch }: Change): readonly string[] {
  const commands = batch ? batch.run(batch.items) : run
  return transcripts(
    step.on,
    commands.map((command) => ({ ...command, line: command.essence ?? command.line })),
  )
}

/** Whether there is anything to do, or anything that can only be known by doing. */
export function isConverged(plan: Plan): boolean {
  return plan.steps.every(({ decision }) => decision?.kind === 'converged')
}

/** Throws the refusals of a plan, what we may not ask, and its open questions that no earlier change explains. */
export function assertSound(plan: Plan): void {
  const all = plan.steps.flatMap(({ step, decision }) =>
    decision?.kind === 'refused'
      ? [{ ...decision, id: step.id, remedy: step.on.remedyToType?.(decision.remedy) ?? decision.remedy }]
      : [],
  )
  const alone = all.filter((one) => one.alone)
  const refused = alone.length > 0 ? alone : all
  const [first] = refused
  if (first) {
    throw new Failure('error', sayRefused(first), {
      remedy: [...new Set(refused.flatMap(({ remedy }) => remedy.split('\n')))].join('\n'),
      detail: refused.slice(1).map(sayRefused),
    })
  }
  const denied = plan.steps.flatMap(({ step, denied }) => (denied ? [{ step, denied }] : []))
  if (denied[0]) {
    const { kind, message, detail } = denied[0].denied
    const others = new Set(denied.slice(1).map((other) => other.denied.message))
    throw new Failure(kind, message, {
      remedy: [...new Set(denied.map((other) => other.denied.remedy))].join('\n'),
      detail: [...detail, ...where(denied[0].step).detail, ...[...others].filter((other) => other !== message)],
    })
  }
  const open = plan.steps.find(({ unknown, pending }) => unknown !== undefined && pending.length === 0)
  if (open) {
    throw new Failure('error', `${open.step.id} on ${open.step.on.name}: ${open.unknown}`, {
      remedy: 'Fix this on the target, then run again.',
      ...where(open.step),
    })
  }
}

/** What is said once: not `table x: table x has …`. */
const sayRefused = ({ id, reason }: { readonly id: string; readonly reason: string }): string =>
  reason.startsWith(id) ? reason : `${id}: ${reason}`

/** The place in a workspace's script where a step was made, as a detail line. */
export function where(step: Step): { detail: string[] } {
  const frames = (step.origin.stack ?? '').split('\n').slice(1)
  const own = frames.find((frame) => /[\\/]scripts[\\/][^\\/]+\.ts/.test(frame))
  const place = own?.match(/[\\/]([^\\/]+[\\/]scripts[\\/][^\\/]+\.ts:\d+)/)?.[1]
  return { detail: place ? [`at ${place}`] : [] }
}

type Answers = ReadonlyMap<Target, ReadonlyMap<string, Output>>

const keyOf = ({ command }: Question<unknown>): string =>
  command.stdin ? `${command.line}\0${digestText(command.stdin)}` : command.line

async function askAll(steps: readonly Step[], emit: Emit): Promise<Answers> {
  const wanted = new Map<Target, Map<string, Question<unknown>>>()
  for (const { on, ask } of steps) {
    const questions = wanted.get(on) ?? new Map<string, Question<unknown>>()
    wanted.set(on, questions)
    for (const question of Object.values(ask)) questions.set(keyOf(question), question)
  }
  const asked = [...wanted].map(async ([target, questions]) => {
    const began = Date.now()
    emit({ type: 'ask.start', target: target.name, questions: questions.size })
    const commands = [...questions.values()].map(({ command }) => command)
    const outputs = await whileWaiting(emit, `${target.name} to answer`, () => target.ask(commands))
    emit({ type: 'ask.end', target: target.name, questions: questions.size, ms: Date.now() - began })
    const answers = [...questions].map(([key, { command }], index) => {
      const output = outputs[index]
      if (!output) throw new Failure('error', `${target.name} gave no answer to: ${command.line}`)
      return [key, output] as const
    })
    return [target, new Map(answers)] as const
  })
  return new Map(await Promise.all(asked))
}

function decide(script: string, step: Step, answers: Answers, context: PlanContext): PlannedStep {
  const base = { script, step, pending: context.pending }
  const facts: Record<string, unknown> = {}
  for (const [name, question] of Object.entries(step.ask)) {
    const answer = answers.get(step.on)?.get(keyOf(question)) as Output
    try {
      facts[name] = factOf(question, answer)
    } catch (error) {
      const unknown = redact(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      return { ...base, facts: undefined, decision: undefined, unknown, denied: step.on.denied?.(answer) }
    }
  }
  return { ...base, facts, decision: step.plan(facts, context), unknown: undefined }
}
