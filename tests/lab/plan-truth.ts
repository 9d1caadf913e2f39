import type { CliEvent } from './pod-probes.ts'

interface PlannedStep {
  readonly step: string
  readonly state: 'changes' | 'converged' | 'unknown'
  /** The earlier steps that may alter it. */
  readonly tentative?: readonly string[]
  readonly changes: readonly { readonly say: string }[]
}

/**
 * Where the plan that a run showed was not true: a change that it did not announce, or one that it was sure of and that was not
 * made. What it marked with `?` may go either way; packages may be installed with those of an earlier step.
 */
export function untruths(events: readonly CliEvent[]): string[] {
  const began = events.findIndex(({ type }) => type === 'change.start')
  const shown = events.slice(0, began).findLast(({ type }) => type === 'plan')?.steps as PlannedStep[] | undefined
  if (!shown) return ['the run showed no plan, or made nothing']
  const made = new Map<string, string[]>()
  for (const { type, step, say } of events)
    if (type === 'change.start') made.set(String(step), [...(made.get(String(step)) ?? []), String(say)])
  const isBatched = [...made.values()].flat().some((say) => / and \d+ more of later steps$/.test(say))
  return shown.flatMap(({ step, state, tentative, changes }): string[] => {
    const done = made.get(step) ?? []
    if (tentative) return state === 'converged' ? done.map((say) => `${step}: made, not announced: ${say}`) : []
    if (state !== 'changes') return done.map((say) => `${step}: made, not announced: ${say}`)
    const announced = changes.map(({ say }) => say)
    const plain = done.map((say) => say.replace(/ and \d+ more of later steps$/, ''))
    const never = announced.filter((say) => !plain.includes(say) && !(isBatched && say.startsWith('package')))
    return [
      ...plain.filter((say) => !announced.includes(say)).map((say) => `${step}: made, not announced: ${say}`),
      ...never.map((say) => `${step}: announced as sure, not made: ${say}`),
    ]
  })
}
