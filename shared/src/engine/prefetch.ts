import { assertSound, makePlan, type PlannedStep } from './plan.ts'
import type { Step } from './step.ts'

/**
 * Asks steps again, with more of those that follow each time nothing is found to do: a single change early in a long run
 * must not cost a round trip for every step after it. What those answer counts only where it means that nothing is to be
 * done, and only until the next change.
 * What it saves was measured: `docs/decisions/019-shells-and-prefetch.md`.
 */
export class Prefetch {
  readonly #converged = new Set<Step>()
  #size = 0

  /** Whether the step was asked along with an earlier one, and found converged. */
  has(step: Step): boolean {
    return this.#converged.has(step)
  }

  /** Forgets all: something is about to be changed. */
  clear(): void {
    this.#converged.clear()
    this.#size = 0
  }

  /** Asks `step` again, and some of `next`, the steps of its script that follow. Throws a refusal of `step`. */
  async ask(script: string, step: Step, next: readonly Step[]): Promise<PlannedStep> {
    const along = next.filter(({ on }) => on === step.on).slice(0, this.#size)
    const { steps } = await makePlan([{ script, steps: [step, ...along] }], () => {})
    const [own, ...others] = steps as [PlannedStep, ...PlannedStep[]]
    assertSound({ steps: [own] })
    this.#size = this.#size * 2 + 1
    for (const { step: other, decision, pending } of others)
      if (decision?.kind === 'converged' && pending.length === 0) this.#converged.add(other)
    return own
  }
}
