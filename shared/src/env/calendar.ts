import { type Parsed, parsed } from './parsed.ts'
import { isTimezone } from './text.ts'

const words =
  /^(minutely|hourly|daily|weekly|monthly|yearly|annually|quarterly|semi-?annually|biannually|bi-annually)$/i
const names = /^(monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|wed|thu|fri|sat|sun)$/i
// A number, a range or anything, each with a step: several of them with commas between.
const part = '(\\*|\\d+(\\.\\.\\d+)?)(\\/\\d+)?'
const parts = `${part}(,${part})*`
const date = new RegExp(`^((${parts})-)?(${parts})[-~](${parts})$`)
const time = new RegExp(`^(${parts}):(${parts})(:${parts.replaceAll('\\d+', '\\d+(\\.\\d+)?')})?$`)

/** A time of systemd's `OnCalendar`, by its grammar (systemd.time(7), Calendar Events). What a day or month has is not judged. */
export function calendar(): Parsed<string> {
  return parsed((text) => {
    const left = text.split(' ').filter((word) => word !== '')
    const zoned = left.length > 1 && /^[A-Z]/.test(left.at(-1) ?? '') && isTimezone(left.at(-1) ?? '')
    if (zoned) left.pop()
    const takes = (isOne: boolean) => isOne && left.shift() !== undefined
    if (left.length === 1 && words.test(left[0] ?? '')) return { value: text }
    const known = takes(isDays(left[0] ?? ''))
    const dated = takes(date.test(left[0] ?? ''))
    const timed = takes(time.test(left[0] ?? ''))
    return left.length === 0 && (known || dated || timed)
      ? { value: text }
      : {
          wrong: 'is not an OnCalendar time of systemd',
          remedy: 'such as daily, or Mon..Fri 03:30; systemd-analyze calendar judges one',
        }
  })
}

/** Days with commas, dots or dashes between, and one comma behind them or none. */
const isDays = (word: string): boolean =>
  word
    .replace(/,$/, '')
    .split(/\.\.|,|-/)
    .every((one) => names.test(one))
