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
  const assignments: Place[] = []
  let special = false
  let at = from
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match) at = pattern.lastIndex
    return match
  }
  const ends = () => at >= text.length || text[at] === '\n' || text[at] === '#'
  for (;;) {
    if (take(blank)?.[0].includes('\n')) special = true
    if (ends()) break
    const word = take(keyword)
    if (word && !harmless.test(word[1] ?? '')) return undefined
    if (word && word[0] !== 'export') special = true
    let words = 0
    for (;;) {
      if (take(blank)?.[0].includes('\n')) special = true
      if (ends() || text[at] === ';') break
      const match = take(assigned)
      if (match?.[1]) {
        const end = wordEnd(text, at)
        if (end === undefined || isTroubled(text.slice(at, end))) return undefined
        assignments.push({ name: match[1], start: at, end })
        at = end
      } else if (word && take(bare)) special = true
      else return undefined
      words += 1
    }
    if (words === 0) return undefined
    if (text[at] !== ';') break
    special = true
    at += 1
  }
  const end = text.indexOf('\n', at)
  return { assignments, end: end < 0 ? text.length : end, special: special || assignments.length > 1 }
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
