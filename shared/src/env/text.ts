import { existsSync } from 'node:fs'
import { type Parsed, parsed } from './parsed.ts'

/** Text of one shape. `shape` is said in the message: `is not <shape>`. */
export function matching(pattern: RegExp, shape: string): Parsed<string> {
  return parsed((text) => (pattern.test(text) ? { value: text } : { wrong: `is not ${shape}` }))
}

/** A whole number within bounds. */
export function integer(least: number, most: number, what = 'a whole number'): Parsed<number> {
  return parsed((text) => {
    const value = Number(text)
    const good = /^\d+$/.test(text) && value >= least && value <= most
    return good ? { value } : { wrong: `is not ${what} from ${least} to ${most}` }
  })
}

/** A TCP port. */
export const port = () => integer(1, 65535, 'a port')

const words: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
}

/** `true`/`yes`/`on`/`1` or `false`/`no`/`off`/`0`, in any case. */
export function flag(): Parsed<boolean> {
  return parsed((text) => {
    const value = Object.hasOwn(words, text.toLowerCase()) ? words[text.toLowerCase()] : undefined
    return value === undefined ? { wrong: 'is neither true nor false' } : { value }
  })
}

/** One of a few words. */
export function choice<const T extends string>(...options: readonly T[]): Parsed<T> {
  return parsed<T>((text) => {
    const value = options.find((option) => option === text)
    return value === undefined ? { wrong: `is none of ${options.join(', ')}` } : { value }
  })
}

/** A name of the IANA time zone database, as `timedatectl` takes it. */
export function timezone(): Parsed<string> {
  return parsed((text) => {
    // Intl takes offsets and any case; timedatectl wants the very name.
    if (/^[A-Z][\w+-]*(\/[A-Z][\w+-]*)*$/.test(text) && isTimezone(text)) return { value: text }
    return { wrong: 'is not a time zone of the IANA database', remedy: 'timedatectl list-timezones' }
  })
}

/** Whether the IANA database has a time zone of this name. */
export function isTimezone(name: string): boolean {
  // Intl takes 50 ms to wake up: the files of the database answer first, where the system has them.
  if (name === 'UTC' || existsSync(`/usr/share/zoneinfo/${name}`)) return true
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}

/**
 * A Unix login name that exists already, which is the host's business: directories have names with capitals, dots, + and a
 * dollar. What ssh would take for an option, a host or a second word is refused.
 */
export const loginName = () =>
  matching(/^[A-Za-z0-9_][\w.+\\-]{0,254}\$?$/, 'a Unix user name (letters, digits, and . _ + - within)')

/** A Discord id: a snowflake, 17 to 20 digits (discord.com/developers/docs/reference#snowflakes). */
export const snowflake = () => matching(/^[1-9]\d{16,19}$/, 'a Discord id (17 to 20 digits)')

/** An AWS account id: 12 digits. */
export const awsAccount = () => matching(/^\d{12}$/, 'an AWS account id (12 digits, no dashes)')

/** An AWS region such as `ca-central-1`. */
export const awsRegion = () => matching(/^[a-z]{2}(-[a-z]+)+-\d$/, 'an AWS region')
