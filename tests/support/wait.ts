import { setTimeout } from 'node:timers/promises'

// A machine where ten others work takes about so many times longer. It costs nothing where the condition comes true.
const busiest = 10

/**
 * Asks every `everyMs` until `probe` answers something other than undefined, which it gives. `timeoutMs` is what an idle
 * machine needs at most; it throws after ten times as much. However busy the machine is, a test waits for what it needs
 * and no longer.
 */
export async function until<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | undefined> | T | undefined,
  everyMs = 25,
): Promise<T> {
  const answer = await poll(timeoutMs * busiest, probe, everyMs)
  if (answer === undefined) throw new Error(`waited ${timeoutMs * busiest} ms for ${what}`)
  return answer
}

/** The same for exactly so long: undefined when it did not come in time. */
export async function poll<T>(
  timeoutMs: number,
  probe: () => Promise<T | undefined> | T | undefined,
  everyMs = 25,
): Promise<T | undefined> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const answer = await probe()
    if (answer !== undefined || Date.now() > end) return answer
    await setTimeout(everyMs)
  }
}

/** Shell text that waits until a command succeeds where it runs: asked ten times a second, for five minutes at least. */
export const awaitsThat = (command: string) =>
  `(n=0; until ${command}; do [ $((n += 1)) -le 3000 ] || exit 9; sleep 0.1; done)`

/** Shell text that waits for a file where it runs, in the same way. */
export const awaits = (file: string) => awaitsThat(`[ -e ${file} ]`)
