import type { Command, Output } from '../command/command.ts'
import { redact } from '../command/secret.ts'
import { assertConverged } from './converge.ts'
import type { Emit, Outcome } from './events.ts'
import { Failure } from './failure.ts'
import { assertSound, changesOf, makePlan, type Plan, type PlannedStep, type Work, where } from './plan.ts'
import type { Change, Step } from './step.ts'
import type { GuardedOutputs, Target } from './target.ts'
import { transcripts } from './target.ts'

/** What the run needs to know while it applies. */
export interface Applying {
  readonly emit: Emit
  /** Whether the user asked to stop (Ctrl-C): asked between changes, never in the middle of one. */
  stopping(): boolean
}

/**
 * Makes the changes of a plan, script by script. A step is asked again before it decides when anything was changed on
 * its target since it was asked; after each script all its questions are asked again and the answer must be that
 * nothing is left to do, and at the end so for all scripts.
 * Returns how many changes were made. Throws a Failure at the first that fails, saying what was and was not done.
 */
export async function apply(plan: Plan, work: readonly Work[], applying: Applying): Promise<number> {
  const run = new Run(applying)
  run.planned = new Map(plan.steps.map((planned) => [planned.step, planned]))
  const last = work.findLastIndex(({ steps }) => steps.some((step) => run.isOpen(step)))
  for (const [index, { script, steps }] of work.slice(0, last + 1).entries()) {
    if (!steps.some((step) => run.isOpen(step)) && !run.touches(steps)) continue
    const began = Date.now()
    const before = run.made
    applying.emit({ type: 'script.start', script })
    for (const [at, step] of steps.entries()) await run.apply(script, step, steps.slice(at + 1))
    if (run.made > before && index < last)
      await assertConverged([{ script, steps }], applying.emit, () => run.stopIfAsked())
    applying.emit({ type: 'script.end', script, ms: Date.now() - began })
  }
  run.stopIfAsked()
  await assertConverged(work, applying.emit, () => run.stopIfAsked())
  return run.made
}

class Run {
  made = 0
  planned: Map<Step, PlannedStep> = new Map()
  readonly #applying: Applying
  readonly #changed = new Set<Target>()
  readonly #batched = new Set<Change>()
  readonly #passed = new Set<Step>()
  /** Steps that were asked ahead and found converged; true until the next change. */
  readonly #ahead = new Set<Step>()
  /** How many steps to ask ahead. */
  #reach = 0

  constructor(applying: Applying) {
    this.#applying = applying
  }

  /** Whether there is something to do, or may be once the steps that it comes after are done. */
  isOpen(step: Step): boolean {
    const planned = this.planned.get(step)
    return planned?.decision?.kind !== 'converged' || planned.pending.length > 0
  }

  /** Whether an earlier script changed something on a target of these steps: what they read may be out of date. */
  touches(steps: readonly Step[]): boolean {
    return steps.some(({ on }) => this.#changed.has(on))
  }

  /** Makes what `step` still needs; `next` are the steps of the script that follow. */
  async apply(script: string, step: Step, next: readonly Step[]): Promise<void> {
    const { emit } = this.#applying
    this.stopIfAsked()
    let planned = this.planned.get(step) as PlannedStep
    if (this.#ahead.delete(step)) {
      this.#tellBatched(script, planned)
      this.#passed.add(step)
      return
    }
    // What it comes after may be on another target.
    if (this.#changed.has(step.on) || planned.pending.length > 0) {
      const again = await this.#askAgain(script, step, next)
      this.#tellBatched(script, planned)
      planned = again
    }
    this.#passed.add(step)
    for (const change of changesOf(planned)) {
      if (this.#batched.has(change)) {
        this.#tell(script, step, change)
        continue
      }
      this.stopIfAsked()
      const own = change.batch ? this.#batchOf(change, changesOf(planned)) : []
      const items = change.batch && this.#batchItems(step, change, own)
      const more = (items?.length ?? 0) - own.length
      const { verb, risk, diff } = change
      const say = more > 0 ? `${change.say} and ${more} more of later steps` : change.say
      emit({ type: 'change.start', script, step: step.id, verb, say, risk, ...(diff && { diff }) })
      const began = Date.now()
      const finish = (outcome: Outcome) =>
        emit({ type: 'change.end', step: step.id, say, outcome, ms: Date.now() - began })
      this.#changed.add(step.on)
      this.#ahead.clear()
      this.#reach = 0
      try {
        await this.#make(step, change, items ?? [])
      } catch (error) {
        finish(error instanceof Failure && error.kind === 'interrupted' ? 'interrupted' : 'failed')
        throw named(step, error)
      }
      this.made += 1
      finish('done')
    }
  }

  /**
   * Asks a step again. As long as nothing is found to do, twice as many of the next ones are asked along each time: a
   * single change early in a long run must not cost a round trip for every step after it. What they answer counts
   * only where it means that nothing is to be done, and only until something is.
   */
  async #askAgain(script: string, step: Step, next: readonly Step[]): Promise<PlannedStep> {
    const along = next.filter(({ on }) => on === step.on).slice(0, this.#reach)
    const { steps } = await makePlan([{ script, steps: [step, ...along] }], () => {})
    const [own, ...others] = steps as [PlannedStep, ...PlannedStep[]]
    assertSound({ steps: [own] })
    this.#reach = this.#reach * 2 + 1
    for (const { step: other, decision, pending } of others)
      if (decision?.kind === 'converged' && pending.length === 0) this.#ahead.add(other)
    return own
  }

  /** Changes of this step that an earlier one made along with its own count, and are told, in their place. */
  #tellBatched(script: string, planned: PlannedStep): void {
    const { step } = planned
    for (const change of changesOf(planned)) if (this.#batched.has(change)) this.#tell(script, step, change)
  }

  /** A change that was made along with an earlier one. */
  #tell(script: string, step: Step, { verb, say, risk, diff }: Change): void {
    this.#applying.emit({ type: 'change.start', script, step: step.id, verb, say, risk, ...(diff && { diff }) })
    this.#applying.emit({ type: 'change.end', step: step.id, say, outcome: 'done', ms: 0 })
    this.made += 1
  }

  async #make(step: Step, change: Change, items: readonly string[]): Promise<void> {
    const { emit } = this.#applying
    const hear = (line: string) => emit({ type: 'change.output', step: step.id, line: redact(line) })
    const commands = change.batch ? change.batch.run(items) : change.run
    emit({ type: 'change.commands', step: step.id, commands: transcripts(step.on, commands) })
    const { outputs, became }: GuardedOutputs =
      change.guard && step.on.guarded
        ? await step.on.guarded(commands, change.guard, hear)
        : { outputs: await step.on.run(commands, hear) }
    const failed = outputs.findIndex(({ code }) => code !== 0)
    if (failed < 0) return
    const undone = change.undo ? await this.#undo(step, change.undo, hear) : became ? `; ${became}` : ''
    const output = outputs[failed] as Output
    const cause = redact(explain(change, output))
    throw new Failure('error', `${step.id} on ${step.on.name}: ${cause} (exit code ${output.code})${undone}`, {
      detail: [`$ ${brief(commands[failed]?.line ?? '')}`, ...tail(output), ...where(step).detail],
      remedy: 'Mend the cause and run again: what is done is kept, the rest is planned anew.',
    })
  }

  async #undo(step: Step, undo: readonly Command[], hear: (line: string) => void): Promise<string> {
    const outputs = await step.on.run(undo, hear).catch(() => undefined)
    return outputs?.every(({ code }) => code === 0) ? '; undone' : '; undoing it failed too'
  }

  /** The items of this change and of those of the same step that go with it. */
  #batchOf(change: Change, siblings: readonly Change[]): string[] {
    const together = siblings.slice(siblings.indexOf(change)).filter(({ batch }) => batch?.key === change.batch?.key)
    for (const sibling of together.slice(1)) this.#batched.add(sibling)
    return [...new Set(together.flatMap(({ batch }) => batch?.items ?? []))]
  }

  /** `own` and the items of every later planned change of the same batch that waits for nothing else. */
  #batchItems(step: Step, change: Change, own: readonly string[]): string[] {
    const key = change.batch?.key
    const items = new Set(own)
    for (const later of this.planned.values()) {
      if (this.#passed.has(later.step) || later.step.on !== step.on || later.pending.length > 0) continue
      for (const other of changesOf(later)) {
        if (other.batch?.key !== key || this.#batched.has(other)) continue
        this.#batched.add(other)
        for (const item of other.batch?.items ?? []) items.add(item)
      }
    }
    return [...items]
  }

  /** Between changes: throws when the user asked to stop. */
  stopIfAsked(): void {
    if (!this.#applying.stopping()) return
    throw new Failure('interrupted', `stopped as asked, after ${this.made} ${this.made === 1 ? 'change' : 'changes'}`, {
      remedy: 'Run the same command again to go on: what is done is kept.',
    })
  }
}

/** A connection that broke knows the command that ran over it, not the step that it was of. */
function named(step: Step, error: unknown): unknown {
  if (!(error instanceof Failure) || error.kind !== 'unreachable') return error
  const { kind, message, remedy, detail, cause } = error
  return new Failure(kind, `${step.id}: ${message}`, { ...(remedy && { remedy }), detail, cause })
}

function explain(change: Change, output: Output): string {
  if (/No space left on device|Disk quota exceeded/.test(output.stdout + output.stderr)) return 'the disk is full'
  return change.explain?.(output) ?? `could not ${change.verb} ${change.say}`
}

/** A command as it may be pasted; of a whole program its beginning. */
function brief(line: string): string {
  const lines = line.split('\n')
  return lines.length > 6 ? `${lines[0]} … (${lines.length} lines)` : line
}

function tail({ stdout, stderr }: Output): string[] {
  const lines = (stderr.trim() === '' ? stdout : stderr).trimEnd().split(/[\r\n]+/)
  return lines.slice(-15).map((line) => redact(line))
}
