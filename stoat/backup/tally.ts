import { createHash } from 'node:crypto'

/** How many things there are of a kind, and a digest of them all that does not depend on their order. */
export interface Total {
  readonly count: number
  readonly bytes: number
  /** 64 hex digits: the SHA-256 of each, joined by exclusive or; nothing is twice in there. */
  readonly sha256: string
}

/** Counts things, and has a digest of them all. */
export class Tally {
  #count = 0
  #bytes = 0
  readonly #sum = Buffer.alloc(32)

  /** One more: what it is, and how many bytes of it count. */
  add(what: Buffer | string, bytes: number): void {
    this.#count += 1
    this.#bytes += bytes
    const digest = createHash('sha256').update(what).digest()
    for (let at = 0; at < 32; at += 1) this.#sum[at] = (this.#sum[at] ?? 0) ^ (digest[at] ?? 0)
  }

  total(): Total {
    return { count: this.#count, bytes: this.#bytes, sha256: this.#sum.toString('hex') }
  }
}

/** Whether they are of the same things. */
export const sameTotal = (one: Total | undefined, other: Total | undefined): boolean =>
  one?.count === other?.count && one?.bytes === other?.bytes && one?.sha256 === other?.sha256
