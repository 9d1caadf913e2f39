import type { Step } from '@infra/shared/engine/step'
import { idOf } from '@infra/shared/engine/step'

/**
 * The steps in another order in which each still comes after all that it depends on: `last` takes what was added last
 * first, which turns around most pairs; a number is the original of one by chance, the same each time.
 */
export function shuffled(steps: readonly Step[], order: 'last' | number): Step[] {
  const ids = new Set(steps.map(({ id }) => id))
  const open = [...steps]
  const done = new Set<string>()
  const chance = order === 'last' ? undefined : randomBy(order)
  const result: Step[] = []
  while (open.length > 0) {
    const ready = open.filter((step) => step.dependsOn.map(idOf).every((id) => done.has(id) || !ids.has(id)))
    const next = chance ? ready[Math.floor(chance() * ready.length)] : ready.at(-1)
    if (!next) throw new Error(`no order: ${open.map(({ id }) => id).join(', ')} depend on one another`)
    open.splice(open.indexOf(next), 1)
    done.add(next.id)
    result.push(next)
  }
  return result
}

/** Numbers from 0 to 1 that look like chance, the same for the same seed (mulberry32). */
export function randomBy(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
