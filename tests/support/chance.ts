import { randomBy } from './shuffle.ts'

/** Things made by chance, the same each time: what fails can be looked at again. */
export function chanceBy(start: number) {
  const chance = randomBy(start)
  const below = (count: number) => Math.floor(chance() * count)
  const oneOf = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const many = <T>(count: number, make: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, index) => make(index))

  /** A text with some of its pieces taken out, doubled, exchanged, or without its end. */
  function damaged(text: string, pieces: readonly string[]): string {
    let result = text
    for (let times = 1 + below(3); times > 0; times -= 1) {
      const at = below(result.length + 1)
      const [before, after] = [result.slice(0, at), result.slice(at)]
      result = oneOf([
        () => before + after.slice(1 + below(8)),
        () => before + oneOf(pieces) + after,
        () => before + oneOf(pieces) + after.slice(1),
        () => before + after.slice(0, below(20)) + after,
        () => before,
      ])()
    }
    return result
  }

  /** A value of JSON with one of its parts exchanged for another kind of value, or taken out. */
  function reshaped(value: unknown): unknown {
    const strange = () => oneOf([null, 0, -1, '', 'x', true, [], {}, [null], { items: null }])
    if (typeof value !== 'object' || value === null || below(6) === 0) return strange()
    const keys = Object.keys(value)
    if (keys.length === 0) return strange()
    const key = oneOf(keys)
    const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>
    if (below(6) === 0) delete copy[key]
    else copy[key] = reshaped((value as Record<string, unknown>)[key])
    return copy
  }
  return { below, oneOf, many, damaged, reshaped }
}
