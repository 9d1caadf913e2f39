import { shellWord } from './shell-word.ts'

/** Where the right side of an assignment stands in a text. */
export interface Place {
  readonly name: string
  readonly start: number
  readonly end: number
}

export interface ShellLine {
  readonly assignments: readonly Place[]
  /** The end of its last line. */
  readonly end: number
  /** Whether it is more than `NAME=value` or `export NAME=value`, which dotenv reads as well. */
  readonly special: boolean
}

const keyword = /(?:export|readonly|(?:declare|typeset)((?:[ \t]+-[A-Za-z]+)*))(?=[ \t])/y
// Exported, readonly, global: others change the value (-i, -l, -u), or make no variable (-a, -f, -n).
const harmless = /^(?:[ \t]+-[xrg]+)*$/
const assigned = /([A-Za-z_]\w*)=/y
const bare = /[A-Za-z_]\w*(?=[\s;]|$)/y
const blank = /(?:[ \t]|\r(?=\n|$)|\\\n)*/y

/**
 * Reads a line as bash does that does nothing but assign: `declare -x A="…"`, `export A=1 B=2`, `A=1 B=2`,
 * `A=1; export A`, continued over several lines by backslashes and quotes. Undefined for any other.
 */
export function shellLine(text: string, from: number): ShellLine | undefined {
  const scan: Scan = { text, at: from, special: false, assignments: [] }
  while (!isOver(scan)) {
    const words = statement(scan)
    if (!words) return undefined
    if (text[scan.at] !== ';') break
    scan.special = true
    scan.at += 1
  }
  const { assignments, special } = scan
  const end = text.indexOf('\n', scan.at)
  return { assignments, end: end < 0 ? text.length : end, special: special || assignments.length > 1 }
}

/** How far a line was read, and what was found in it. */
interface Scan {
  readonly text: string
  readonly assignments: Place[]
  at: number
  special: boolean
}

function take(scan: Scan, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = scan.at
  const match = pattern.exec(scan.text)
  if (match) scan.at = pattern.lastIndex
  return match
}

/** Passes over blanks; whether the line ends after them. */
function isOver(scan: Scan): boolean {
  if (take(scan, blank)?.[0].includes('\n')) scan.special = true
  const { text, at } = scan
  return at >= text.length || text[at] === '\n' || text[at] === '#'
}

/** Reads up to the next semicolon. How many words there are; undefined where it does more than assign. */
function statement(scan: Scan): number | undefined {
  const word = take(scan, keyword)
  if (word && !harmless.test(word[1] ?? '')) return undefined
  if (word && word[0] !== 'export') scan.special = true
  for (let words = 0; ; words += 1) {
    if (isOver(scan) || scan.text[scan.at] === ';') return words
    if (assignment(scan)) continue
    if (!word || !take(scan, bare)) return undefined
    scan.special = true
  }
}

/** Reads one assignment, if there is one that can be read. */
function assignment(scan: Scan): boolean {
  const start = scan.at
  const name = take(scan, assigned)?.[1]
  const end = name === undefined ? undefined : wordEnd(scan.text, scan.at)
  if (name === undefined || end === undefined || isTroubled(scan.text.slice(scan.at, end))) {
    // What begins as an assignment is not a bare name either.
    scan.at = name === undefined ? start : scan.text.length
    return false
  }
  scan.assignments.push({ name, start: scan.at, end })
  scan.at = end
  return true
}

function isTroubled(raw: string): boolean {
  const word = shellWord(raw, '')
  return 'trouble' in word && /words|operator|quote/.test(word.trouble)
}

/** Where a word of shell ends; undefined where a quote or bracket is not closed, or an operator stands in it. */
function wordEnd(text: string, from: number): number | undefined {
  let at: number | undefined = from
  while (at !== undefined && at < text.length) {
    const char = text.charAt(at)
    if (/[\s;]/.test(char)) return at
    if (/[&|<>()]/.test(char)) return undefined
    at = char === '"' ? quoteEnd(text, at + 1) : pieceEnd(text, at)
  }
  return at
}

/** The place after the closing double quote. */
function quoteEnd(text: string, from: number): number | undefined {
  let at: number | undefined = from
  while (at !== undefined && at < text.length) {
    if (text.charAt(at) === '"') return at + 1
    at = text.charAt(at) === "'" || text.startsWith("$'", at) ? at + 1 : pieceEnd(text, at)
  }
  return undefined
}

/** The place after one character, or after what begins there: a quote, an escape, a substitution. */
function pieceEnd(text: string, at: number): number | undefined {
  const rest = text.slice(at, at + 2)
  if (rest.startsWith('\\')) return at + 2
  if (rest.startsWith("'")) return after(text, "'", at + 1)
  if (rest.startsWith('`')) return afterEscaped(text, '`', at + 1)
  if (rest === "$'") return afterEscaped(text, "'", at + 2)
  if (rest === '$(') return bracketEnd(text, at + 2, ')')
  if (rest === '${') return bracketEnd(text, at + 2, '}')
  return at + 1
}

function bracketEnd(text: string, from: number, close: string): number | undefined {
  let at: number | undefined = from
  while (at !== undefined && at < text.length) {
    const char = text.charAt(at)
    if (char === close) return at + 1
    if (char === '"') at = quoteEnd(text, at + 1)
    else at = char === '(' ? bracketEnd(text, at + 1, ')') : pieceEnd(text, at)
  }
  return undefined
}

function after(text: string, mark: string, from: number): number | undefined {
  const found = text.indexOf(mark, from)
  return found < 0 ? undefined : found + 1
}

function afterEscaped(text: string, mark: string, from: number): number | undefined {
  for (let at = from; at < text.length; at += text.charAt(at) === '\\' ? 2 : 1)
    if (text.charAt(at) === mark) return at + 1
  return undefined
}
