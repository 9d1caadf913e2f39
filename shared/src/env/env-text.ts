import { parse } from 'dotenv'
import { type ShellWord, shellWord } from './shell-word.ts'

/** One `NAME=value` of a file. Offsets tell where the value stands, quotes included, for those who change it. */
export interface Assignment {
  readonly name: string
  readonly line: number
  readonly value: string
  readonly shell: ShellWord
  /** A substitution that makes another value each time, such as the seed's `$(openssl rand -base64 32)`. */
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
  readonly spaced: readonly number[]
  readonly windows: boolean
}

const head = /^\s*(?:export[ \t]+)?([A-Za-z_]\w*)([ \t]*)=([ \t]*(?=[^\s#]))?/
const nothing = /^\s*(#[^\n]*)?$/

/**
 * Takes a `.env` text apart, line by line. dotenv gives the values, with `$HOME`, `${HOME}` and a bare `~` expanded
 * where a shell does; this adds what dotenv does not tell: places, lines it skips, and how a shell reads the same line.
 */
export function parseEnvText(text: string, home: string): EnvText {
  const assignments: Assignment[] = []
  const broken: { line: number; why: string }[] = []
  const spaced: number[] = []
  let at = text.startsWith('\uFEFF') ? 1 : 0
  let line = 1
  while (at < text.length) {
    const lineEnd = endOfLine(text, at)
    const row = text.slice(at, lineEnd)
    let end = lineEnd
    const match = head.exec(row)
    if (match) {
      const start = at + match[0].length
      const span = valueSpan(text, start, lineEnd)
      if (span === undefined) broken.push({ line, why: 'a quote that is not closed, or something after it' })
      else {
        end = endOfLine(text, span)
        const [, name = '', before, after] = match
        if (before || after) spaced.push(line)
        assignments.push(assignment(text.slice(at, end), name, line, text.slice(start, span), start, home))
      }
    } else if (!nothing.test(row)) broken.push({ line, why: 'not NAME=value' })
    line += text.slice(at, end).split('\n').length
    at = end + 1
  }
  return { assignments, broken, spaced, windows: text.includes('\r\n') }
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
  const comment = row.search(/\s#/)
  return start + (comment < 0 ? row : row.slice(0, comment)).trimEnd().length
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
