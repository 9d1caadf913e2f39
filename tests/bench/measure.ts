/** The middle one of some times. */
export function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN
}

/** The shortest of some times, where one takes too long for many rounds: what else slows a machine down only adds to it. */
export function fastest(times: readonly number[]): number {
  return Math.min(...times)
}

/** Seconds that a piece of work took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

/** Runs several pieces of work in turn, `rounds` times after one to warm up; their times, by name. */
export async function inTurn(
  rounds: number,
  works: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(works).map((name) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, work] of Object.entries(works)) {
      const seconds = await timed(work)
      if (round > 0) times[name]?.push(seconds)
    }
  }
  return times
}

/** A line of the report: the ratio of two times, each by `pick` of its rounds, with what it may be at most. */
export function ratioLine(
  what: string,
  of: readonly number[],
  to: readonly number[],
  most?: number,
  pick: (times: readonly number[]) => number = median,
): string {
  const ratio = pick(of) / pick(to)
  const verdict = most === undefined ? '' : ratio <= most ? `  (at most ${most}: ok)` : `  (at most ${most}: MISSED)`
  const spread = (times: readonly number[]) => `${fastest(times).toFixed(2)}–${Math.max(...times).toFixed(2)} s`
  return `${what.padEnd(52)} ${ratio.toFixed(2)}×${verdict}  [${spread(of)} against ${spread(to)}]`
}
