import { changesOf, type Plan } from './plan.ts'
import type { Change, Step } from './step.ts'

/** How the changes that were made go with those that were announced: `made` is `planned` without `unneeded`, with `more`. */
export interface Accounting {
  /** How many the plan had that was agreed to. */
  readonly planned: number
  readonly made: number
  /** Changes of the plan that turned out not to be needed: an earlier change had done it. */
  readonly unneeded: readonly string[]
  /** Changes that the plan did not have, of steps that were asked again. */
  readonly more: readonly string[]
}

/** `1 change made`. */
export const sayMade = (made: number): string => `${made} ${made === 1 ? 'change' : 'changes'} made`

/** Compares step by step: one that was made in another way than it was planned is neither unneeded nor more. */
export function account(plan: Plan, made: ReadonlyMap<Step, readonly Change[]>): Accounting {
  const steps = plan.steps.map((planned) => ({ announced: changesOf(planned), done: made.get(planned.step) ?? [] }))
  const count = (of: 'announced' | 'done') => steps.reduce((sum, one) => sum + one[of].length, 0)
  return {
    planned: count('announced'),
    made: count('done'),
    unneeded: steps.flatMap(({ announced, done }) => surplus(announced, done)),
    more: steps.flatMap(({ announced, done }) => surplus(done, announced)),
  }
}

/** What `some` has more of than `others`: first those that `others` does not have by name. */
function surplus(some: readonly Change[], others: readonly Change[]): string[] {
  const names = others.map(({ say }) => say)
  const own = [...some].sort((one, other) => Number(names.includes(one.say)) - Number(names.includes(other.say)))
  return own.slice(0, Math.max(0, some.length - others.length)).map(({ say }) => say)
}
