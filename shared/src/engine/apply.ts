import { account } from './accounting.ts'
import { Batches } from './batches.ts'
import { assertConverged } from './converge.ts'
import type { Emit, Outcome } from './events.ts'
import { Failure } from './failure.ts'
import { makeChange } from './make-change.ts'
import { changesOf, type Plan, type PlannedStep, type Work } from './plan.ts'
import { Prefetch } from './prefetch.ts'
import { type Change, idOf, type Step } from './step.ts'
import type { Target } from './target.ts'

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
 * Returns how many changes were made. Throws a Failure at the first that fails, saying what was and was not done; or, for
 * a step that lets the rest go on ({@link Step.continueOnError}), when all else is done.
 */
export async function apply(plan: Plan, work: readonly Work[], applying: Applying): Promise<number> {
  const run = new Run(plan, applying)
  const last = work.findLastIndex(({ steps }) => steps.some(run.isOpen))
  for (const [index, { script, steps }] of work.slice(0, last + 1).entries()) {
    if (!steps.some((step) => run.isOpen(step) || run.isTouched(step))) continue
    const began = Date.now()
    const before = run.made
    applying.emit({ type: 'script.start', script })
    for (const [at, step] of steps.entries()) await run.apply(script, step, steps.slice(at + 1))
    if (run.made > before && index < last)
      await assertConverged(run.without([{ script, steps }]), applying.emit, run.stopIfAsked)
    applying.emit({ type: 'script.end', script, ms: Date.now() - began })
  }
  run.stopIfAsked()
  await assertConverged(run.without(work), applying.emit, run.stopIfAsked)
  run.throwLeft()
  applying.emit({ type: 'applied', ...account(plan, run.changes) })
  return run.made
}

class Run {
  made = 0
  /** What was made, by step. */
  readonly changes = new Map<Step, Change[]>()
  readonly #applying: Applying
  readonly #planned: ReadonlyMap<Step, PlannedStep>
  readonly #batches: Batches
  readonly #prefetch = new Prefetch()
  readonly #changed = new Set<Target>()
  readonly #left = new LeftUndone()

  constructor(plan: Plan, applying: Applying) {
    this.#applying = applying
    this.#planned = new Map(plan.steps.map((planned) => [planned.step, planned]))
    this.#batches = new Batches(plan.steps)
  }

  /** Whether there is something to do, or may be once what it depends on is done. */
  readonly isOpen = (step: Step): boolean => {
    const planned = this.#planned.get(step)
    return planned?.decision?.kind !== 'converged' || planned.pending.length > 0
  }

  /** Whether something was changed on its target: what it read may be out of date. */
  isTouched({ on }: Step): boolean {
    return this.#changed.has(on)
  }

  /** Makes what `step` still needs; `next` are the steps of the script that follow. */
  async apply(script: string, step: Step, next: readonly Step[]): Promise<void> {
    this.stopIfAsked()
    const planned = this.#planned.get(step) as PlannedStep
    this.#batches.pass(step)
    if (this.#left.waits(step)) return
    try {
      await this.#apply(script, step, planned, next)
    } catch (error) {
      if (!step.continueOnError || !(error instanceof Failure) || error.kind !== 'error') throw error
      this.#left.add(step, error)
      this.#applying.emit({
        type: 'message',
        level: 'warn',
        text: `${error.message}; the deploy continues with the rest`,
      })
    }
  }

  async #apply(script: string, step: Step, planned: PlannedStep, next: readonly Step[]): Promise<void> {
    // What it depends on may be on another target.
    const isStale = this.isTouched(step) || planned.pending.length > 0
    const isConverged = this.#prefetch.has(step)
    const now = isStale && !isConverged ? await this.#prefetch.ask(script, step, next) : planned
    if (now !== planned || isConverged) this.#reportMade(script, planned)
    if (isConverged) return
    const changes = changesOf(now)
    for (const change of changes) {
      if (this.#batches.isMade(change)) this.#begin(script, step, change)('done')
      else await this.#make(script, step, change, changes)
    }
  }

  async #make(script: string, step: Step, change: Change, siblings: readonly Change[]): Promise<void> {
    this.stopIfAsked()
    const { items, later } = this.#batches.gather(step, change, siblings)
    const end = this.#begin(script, step, change, later > 0 ? ` and ${later} more of later steps` : '')
    this.#changed.add(step.on)
    this.#prefetch.clear()
    try {
      await makeChange(step, change, items, this.#applying.emit)
    } catch (error) {
      end(error instanceof Failure && error.kind === 'interrupted' ? 'interrupted' : 'failed')
      throw error
    }
    end('done')
  }

  /** The planned changes of a step that an earlier one made along with its own: they count in their own place. */
  #reportMade(script: string, planned: PlannedStep): void {
    const made = changesOf(planned).filter((change) => this.#batches.isMade(change))
    for (const change of made) this.#begin(script, planned.step, change)('done')
  }

  /** Tells that a change begins. What it returns tells how it ended, and counts it when it is done. */
  #begin(script: string, step: Step, change: Change, more = ''): (outcome: Outcome) => void {
    const { emit } = this.#applying
    const { id } = step
    const { verb, say: what, risk, diff } = change
    const [say, began] = [what + more, Date.now()]
    emit({ type: 'change.start', script, step: id, verb, say, risk, ...(diff && { diff }) })
    return (outcome) => {
      if (outcome === 'done') {
        this.made += 1
        this.changes.set(step, [...(this.changes.get(step) ?? []), change])
      }
      emit({ type: 'change.end', step: id, say, outcome, ms: Date.now() - began })
    }
  }

  /** The steps of which it is known whether they are done: not those that failed, nor what comes after them. */
  without(work: readonly Work[]): readonly Work[] {
    return work.map(({ script, steps }) => ({ script, steps: steps.filter((step) => !this.#left.has(step)) }))
  }

  /** Throws what was put off until the rest was done. */
  throwLeft(): void {
    this.#left.throwAll()
  }

  /** Between changes: throws when the user asked to stop. */
  readonly stopIfAsked = (): void => {
    if (!this.#applying.stopping()) return
    throw new Failure(
      'interrupted',
      `stopped as requested, after ${this.made} ${this.made === 1 ? 'change' : 'changes'}`,
      {
        remedy: 'Run the same command again to continue: completed changes are kept.',
      },
    )
  }
}

/** The steps that failed and let the rest go on, and those that wait for them. */
class LeftUndone {
  readonly #failures: Failure[] = []
  readonly #waiting: string[] = []
  readonly #steps = new Set<Step>()
  readonly #ids = new Set<string>()

  add(step: Step, failure: Failure): void {
    this.#failures.push(failure)
    this.#note(step)
  }

  has(step: Step): boolean {
    return this.#steps.has(step)
  }

  /** Whether it comes after one of them: then it is one as well. */
  waits(step: Step): boolean {
    if (!step.dependsOn.some((dependency) => this.#ids.has(idOf(dependency)))) return false
    this.#waiting.push(step.id)
    this.#note(step)
    return true
  }

  throwAll(): void {
    const [first, ...others] = this.#failures
    if (!first) return
    const { kind, message, remedy, detail, cause } = first
    const waiting =
      this.#waiting.length > 0
        ? [`everything else is done, except what depends on it: ${this.#waiting.join(', ')}`]
        : []
    throw new Failure(kind, message, {
      ...(remedy && { remedy }),
      detail: [...detail, ...others.map((other) => other.message), ...waiting],
      cause,
    })
  }

  #note(step: Step): void {
    this.#steps.add(step)
    this.#ids.add(step.id)
  }
}
