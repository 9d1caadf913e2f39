import { usage } from './options.ts'

/** A time of `--since`, as journalctl reads it, and where that can be told here, in milliseconds since 1970. */
export interface Since {
  readonly text: string
  /** Throws a usage failure for what is only known on a host, such as `last monday`. */
  at(now: number): number
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
const unit = '(s|m|h|d|w|sec|secs|min|mins|hr|hrs|second|seconds|minute|minutes|hour|hours|day|days|week|weeks)'
const span = `(?:\\d+ ?${unit} ?)+`
const zoned = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?)? ?(Z|UTC|[+-]\d{2}:?\d{2})?$/

/** How a time is written, for messages. */
export const howTimes = 'A time is written as "10 minutes ago", 1h, "today" or "2026-11-24 10:00".'

/** Reads a time of `--since`. A length of time without blanks, `1h30m`, lies in the past, as kubectl and docker have it. */
export function sinceOf(given: string): Since {
  const text = new RegExp(`^(\\d+${unit})+$`).test(given) ? `-${given}` : given
  return { text, at: (now) => timeOf(text.trim(), now) ?? notATime(given) }
}

function timeOf(text: string, now: number): number | undefined {
  const past = text.match(new RegExp(`^-(${span})$`)) ?? text.match(new RegExp(`^(${span})ago$`))
  if (past) return now - seconds(past[1] ?? '') * 1000
  const today = new Date(now).setHours(0, 0, 0, 0)
  if (text === 'now') return now
  if (text === 'today') return today
  if (text === 'yesterday') return new Date(today).setDate(new Date(today).getDate() - 1)
  const clock = text.match(/^(\d{2}):(\d{2})(?::(\d{2}))?$/)
  if (clock) return new Date(today).setHours(Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0))
  const [, date, hours = '00:00', more = '', zone = ''] = text.match(zoned) ?? []
  if (date === undefined) return undefined
  const time = Date.parse(`${date}T${hours}${more}${zone === 'UTC' ? 'Z' : zone}`)
  return Number.isNaN(time) ? undefined : time
}

const seconds = (text: string): number =>
  [...text.matchAll(new RegExp(`(\\d+) ?${unit}`, 'g'))].reduce(
    (sum, [, count, name = '']) => sum + Number(count) * (units[name.charAt(0)] ?? 0),
    0,
  )

function notATime(text: string): never {
  throw usage(`--since ${text} is not a time that is known here`, howTimes)
}
