import { setTimeout as pause } from 'node:timers/promises'

/**
 * Asks, and again while the answer is one that a start-up explains. `statusOf` tells the HTTP status of an answer that has
 * one. After the time that a start-up may take, the answer (or the error) is given as it is.
 */
export type WhenReached = <T>(ask: () => Promise<T>, statusOf?: (answer: T) => number) => Promise<T>

/** What a gateway answers for a program that it does not reach: RFC 9110, 15.6.3 to 15.6.5. */
const unreachedStatuses: readonly (number | undefined)[] = [502, 503, 504]

/** What node says of a connection that nobody took, or that ended before the answer. */
const unreachedCodes: readonly (string | undefined)[] = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE']

/** In milliseconds: how long, from the first question on, and in which intervals. */
export interface Pace {
  readonly limitMs: number
  readonly everyMs: number
}

const startUp: Pace = { limitMs: 30_000, everyMs: 500 }

/**
 * The one way to ask for what was just rolled out: pods are ready a moment before kube-proxy or the API server's proxy leads
 * to them, and Caddy says 502 until then. All that ask by it share one limit. What writes is repeated too: it would have failed without.
 */
export function whenReached({ limitMs, everyMs }: Pace = startUp): WhenReached {
  let end: number | undefined
  return async (ask, statusOf) => {
    end ??= Date.now() + limitMs
    for (; ; await pause(everyMs)) {
      const isLast = Date.now() >= end
      try {
        const answer = await ask()
        if (isLast || !unreachedStatuses.includes(statusOf?.(answer))) return answer
      } catch (error) {
        if (isLast || !unreachedCodes.includes((error as NodeJS.ErrnoException).code)) throw error
      }
    }
  }
}
