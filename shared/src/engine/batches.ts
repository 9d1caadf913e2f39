import { changesOf, type PlannedStep } from './plan.ts'
import type { Change, Step } from './step.ts'

/** The changes of a plan that are made together, in the place of the first: see {@link Change.batch}. */
export class Batches {
  readonly #planned: readonly PlannedStep[]
  readonly #made = new Set<Change>()
  readonly #done = new Set<Step>()

  constructor(planned: readonly PlannedStep[]) {
    this.#planned = planned
  }

  /** Whether it was made along with an earlier change. */
  isMade(change: Change): boolean {
    return this.#made.has(change)
  }

  /** The run has come to this step: its changes do not count as later ones any more. */
  pass(step: Step): void {
    this.#done.add(step)
  }

  /**
   * The items to make with `change` of a step whose changes are `siblings`: its own, those of its siblings, and those of
   * every later planned step on the target that waits for nothing else. `later` counts the last. None without a batch.
   */
  gather(step: Step, change: Change, siblings: readonly Change[]): { items: readonly string[]; later: number } {
    const key = change.batch?.key
    if (key === undefined) return { items: [], later: 0 }
    const items = new Set(this.#take(key, siblings.slice(siblings.indexOf(change))))
    const own = items.size
    for (const planned of this.#planned) {
      if (this.#done.has(planned.step) || planned.step.on !== step.on || planned.pending.length > 0) continue
      for (const item of this.#take(key, changesOf(planned))) items.add(item)
    }
    this.#made.delete(change)
    return { items: [...items], later: items.size - own }
  }

  #take(key: string, changes: readonly Change[]): string[] {
    const together = changes.filter((change) => change.batch?.key === key && !this.#made.has(change))
    for (const change of together) this.#made.add(change)
    return together.flatMap(({ batch }) => batch?.items ?? [])
  }
}
