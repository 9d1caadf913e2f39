import type { Facts, Question, Questions } from './step.ts'
import type { Target } from './target.ts'

/** Asks some questions of a target in one batch, for a command that only looks. Throws what a question throws. */
export async function askOf<const Q extends Questions>(on: Target, ask: Q): Promise<Facts<Q>> {
  const entries = Object.entries(ask)
  const outputs = await on.ask(entries.map(([, { command }]) => command))
  const facts = entries.map(([name, { parse }], index) => {
    const output = outputs[index]
    if (!output) throw new Error(`${on.name} gave no answer to ${name}`)
    try {
      return [name, (parse as Question<unknown>['parse'])(output)] as const
    } catch (error) {
      throw on.denied?.(output) ?? error
    }
  })
  return Object.fromEntries(facts) as Facts<Q>
}
