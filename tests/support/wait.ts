import { setTimeout } from 'node:timers/promises'

/**
 * Asks every `everyMs` until `probe` answers something other than undefined, which it gives; throws after `timeoutMs`.
 * However busy the machine is, a test waits for what it needs and no longer.
 */
export async function until<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | undefined> | T | undefined,
  everyMs = 25,
): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const answer = await probe()
    if (answer !== undefined) return answer
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}`)
    await setTimeout(everyMs)
  }
}

/** Shell text that waits for a file where it runs, for a minute at most. */
export const awaits = (file: string) =>
  `(n=0; until [ -e ${file} ]; do [ $((n += 1)) -le 600 ] || exit 9; sleep 0.1; done)`
