import { parse } from 'dotenv'
import { shellLine } from './shell-line.ts'
import { type ShellWord, shellWord } from './shell-word.ts'

/** One `NAME=value` of a file. Offsets tell where the value stands, quotes included, for those who change it. */
export interface Assignment {
  readonly name: string
  readonly line: number
  readonly value: string
  readonly shell: ShellWord
  /** A substitution that makes another value each time, such as the original's `$(openssl rand -base64 32)`. */
  readonly random: boolean
  readonly start: number
  readonly end: number
}

/** Whether an assignment gives a value, to us or to a shell (`A=#x` is empty for dotenv alone). */
export function isSet({ value, shell }: Assignment): boolean {
  return value !== '' || ('value' in shell && shell.value !== '')
}

/** What a file holds, and the numbers of the lines that are neither an assignment, a comment nor blank. */
export interface EnvText {
  readonly assignments: readonly Assignment[]
  readonly broken: readonly { readonly line: number; readonly why: string }[]
  /** Text that is not a plain assignment, or not only: a variable that is named in it may well be set by it. */
  readonly unread: readonly { readonly line: number; readonly text: string }[]
  readonly spaced: readonly number[]
  readonly windows: boolean
}

const head = /^\s*(?:export[ \t]+)?([A-Za-z_]\w*)([ \t]*)=([ \t]*(?=[^\s#]))?/
const nothing = /^\s*(#[^\n]*)?$/

/**
 * Takes a `.env` text apart, line by line. dotenv gives the values, with `$HOME`, `${HOME}` and a bare `~` expanded
 * where a shell does; this adds what dotenv does not tell: places, lines it skips, and how a shell reads the same line. What
 * only a shell can read (`declare -x`, several assignments in a line) is read as bash does.
 */
export function parseEnvText(text: string, home: string): EnvText {
  const assignments: Assignment[] = []
  const broken: { line: number; why: string }[] = []
  const unread: { line: number; text: string }[] = []
  const spaced: number[] = []
  let at = text.startsWith('\uFEFF') ? 1 : 0
  let line = 1
  while (at < text.length) {
    const lineEnd = endOfLine(text, at)
    const row = text.slice(at, lineEnd)
    let end = lineEnd
    const match = head.exec(row)
    const shell = shellLine(text, at)
    if (shell?.special) {
      end = shell.end
      for (const place of shell.assignments) {
        const before = text.slice(at, place.start).split('\n').length - 1
        assignments.push(assignedByShell(text.slice(place.start, place.end), place, line + before, home))
      }
    } else if (match) {
      const start = at + match[0].length
      const span = valueSpan(text, start, lineEnd)
      if (span === undefined) broken.push({ line, why: 'a quote is not closed, or text follows it' })
      else {
        end = endOfLine(text, span)
        const [, name = '', before, after] = match
        if (before || after) spaced.push(line)
        const plain = assignment(text.slice(at, end), name, line, text.slice(start, span), start, home)
        const entry = withGlued(plain, text.slice(start, span), text.slice(span, end), home)
        assignments.push(entry)
        if (mayHoldMore(entry, text.slice(start, span))) unread.push({ line, text: text.slice(start, span) })
      }
    } else if (!nothing.test(row)) broken.push({ line, why: 'not NAME=value' })
    if (broken.at(-1)?.line === line) unread.push({ line, text: row })
    line += text.slice(at, end).split('\n').length
    at = end + 1
  }
  return { assignments, broken, unread, spaced, windows: text.includes('\r\n') }
}

function endOfLine(text: string, from: number): number {
  const found = text.indexOf('\n', from)
  return found < 0 ? text.length : found
}

/** Where a value ends: after its closing quote, or before the comment or the end of the line. */
function valueSpan(text: string, start: number, lineEnd: number): number | undefined {
  const quote = text.charAt(start)
  if (quote === "'" || quote === '"' || quote === '`') {
    // Like dotenv: the first closing quote after which only a comment may stand, on this line or a later one.
    let from = start + 1
    for (;;) {
      const close = text.indexOf(quote, from)
      if (close < 0) return undefined
      if (text.charAt(close - 1) !== '\\' || quote === "'") {
        const rest = text.slice(close + 1, endOfLine(text, close))
        if (nothing.test(rest)) return close + 1
        if (close > lineEnd) return undefined
      }
      from = close + 1
    }
  }
  const row = text.slice(start, lineEnd)
  // Blanks of a shell: a no-break space is a part of the value to it.
  const comment = row.search(/[ \t]#/)
  return start + (comment < 0 ? row : row.slice(0, comment)).replace(/[ \t\r]+$/, '').length
}

function assignment(
  statement: string,
  name: string,
  line: number,
  raw: string,
  start: number,
  home: string,
): Assignment {
  const parsed = parse(statement)[name] ?? ''
  const value = raw.startsWith("'")
    ? parsed
    : parsed
        .replace(/\$(HOME(?!\w)|\{HOME\})/g, () => home)
        .replace(/^~(?=\/|$)/, (tilde) => (raw.startsWith('~') ? home : tilde))
  const shell = shellWord(raw, home)
  const random = 'trouble' in shell && shell.trouble === 'substitution' && /rand|uuid|pwgen|apg|date/i.test(raw)
  return { name, line, value, shell, random, start, end: start + raw.length }
}

/** To a shell a # begins a comment only behind a blank: "x"#y is one word. `rest`: what follows on the line. */
const withGlued = (entry: Assignment, raw: string, rest: string, home: string): Assignment =>
  rest.startsWith('#') ? { ...entry, shell: shellWord(raw + rest, home) } : entry

/** An assignment that only a shell reads: its value is what a shell makes of it. */
function assignedByShell(raw: string, { name, start }: { name: string; start: number }, line: number, home: string) {
  const entry = assignment(`${name}=${raw}`, name, line, raw, start, home)
  return 'value' in entry.shell ? { ...entry, value: entry.shell.value } : entry
}

/** Whether a shell finds more than a value there: other words, another command, `${NAME:=…}`. */
const mayHoldMore = ({ shell }: Assignment, raw: string): boolean =>
  'trouble' in shell && (!/substitution|variable/.test(shell.trouble) || /\$\{\w+:?=/.test(raw))

/** The line of a text that names this variable without being read, or another file to read; undefined when there is none. */
export function unreadLine(text: EnvText, names: readonly string[]): number | undefined {
  return namingLines(text, names)[0] ?? sourcingLines(text)[0]
}

/** The lines of a text that name one of these variables without being read. */
export function namingLines({ unread }: EnvText, names: readonly string[]): number[] {
  const named = new RegExp(`(?<!\\w)(${names.join('|')})(?!\\w)`)
  return unread.filter(({ text }) => named.test(text)).map(({ line }) => line)
}

/** The lines that have a shell read another file, which may set any variable. */
export const sourcingLines = ({ unread }: EnvText): number[] =>
  unread.filter(({ text }) => sourcing.test(text)).map(({ line }) => line)

// What another file sets is not known here.
const sourcing = /^\s*(\.|source)\s+\S/
