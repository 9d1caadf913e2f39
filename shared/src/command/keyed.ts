import { createHmac, timingSafeEqual } from 'node:crypto'

/** HMAC-SHA-256, in hex. */
export const keyed = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('hex')

/** Whether two such are the same, in a time that tells nothing of where they differ. */
export const sameSeal = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
