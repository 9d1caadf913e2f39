/**
 * How hard a secret is to guess, in bits: the cheapest way to put it together of what people put passwords together of
 * (words, names, years, runs, keyboard walks, repetitions) and of single characters. As zxcvbn does it (Wheeler, 2016), but
 * without its dictionaries: what can be spoken counts as a word, whether or not it is one. Ends at {@link enough}.
 */
export function strengthOf(text: string): number {
  const head = text.slice(0, longestJudged)
  const costs = [0]
  for (let end = 1; end <= head.length; end += 1) {
    let best = Number.POSITIVE_INFINITY
    for (let start = Math.max(0, end - longestPiece); start < end; start += 1)
      best = Math.min(best, (costs[start] ?? 0) + pieceCost(head, start, end))
    costs.push(best)
    if (costs.length > longestPiece && Math.min(...costs.slice(-longestPiece)) >= enough) return enough
  }
  return costs.at(-1) ?? 0
}

/** Bits beyond which nobody counts. */
const enough = 60
/** What is judged of a long one: by then it is strong, or repeats itself. */
const longestJudged = 80
const longestPiece = 16

function pieceCost(text: string, start: number, end: number): number {
  const piece = text.slice(start, end)
  if (piece.length === 1) return charCost(text, start)
  if (piece.length === 2) return Number.POSITIVE_INFINITY
  if (start >= piece.length && text.slice(0, start).toLowerCase().includes(piece.toLowerCase())) return 4
  if (isRun(piece) || isWalk(piece.toLowerCase())) return 5 + piece.length / 2
  if (piece.length === 4 && /^(19|20)\d\d$/.test(piece)) return 7
  if (piece.length >= 8 && /^\d{4}-?\d\d-?\d\d$|^\d\d[.-]?\d\d[.-]?(19|20)\d\d$/.test(piece)) return 16
  return wordCost(piece)
}

function charCost(text: string, at: number): number {
  const char = text.charAt(at)
  if (/[0-9]/.test(char)) return 3.3
  if (/[a-zA-Z]/.test(char)) return 4.7
  // The same mark between all words is chosen once.
  return text.slice(0, at).includes(char) ? 1 : 5
}

/** What everybody tries first, and the names of what is deployed here. */
const common =
  /^(password|passwort|secret|admin|letmein|welcome|qwertz?|valence|synapse|matrix|stoat|revolt|discord|rabbit|minio|postgres(ql)?|redis|default|example|sample|test|root|user|token|change|this|your|here|replace|love|iloveyou|princess|dragon|monkey|master|sunshine|spring|summer|autumn|winter|hunter)$/

/** A word of the first 2,000 costs 11 bits, and more the longer it is; capitals and look-alikes for letters a bit each. */
function wordCost(piece: string): number {
  const plain = plainLetters(piece)
  if (plain === undefined) return Number.POSITIVE_INFINITY
  const marks = (/[A-Z]/.test(piece) ? 1 : 0) + (plain === piece.toLowerCase() ? 0 : 2)
  if (common.test(plain)) return 4 + marks
  return plain.length >= 4 && isSpeakable(plain) ? 11 + (plain.length - 4) * 1.2 + marks : Number.POSITIVE_INFINITY
}

const lookalikes: Readonly<Record<string, string>> = {
  ...{ '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b', '9': 'g' },
  ...{ '@': 'a', $: 's', '!': 'i', '|': 'l', '+': 't' },
}

/** The letters meant, where it is one word: all small, all capital or with a capital first, and letters at both ends. */
function plainLetters(piece: string): string | undefined {
  if (!/[a-zA-Z]/.test(piece) || !/^([a-z\W\d]+|[A-Z\W\d]+|[A-Z@$][a-z\W\d]+)$/.test(piece)) return undefined
  const plain = [...piece.toLowerCase()].map((char) => lookalikes[char] ?? char).join('')
  const replaced = [...piece].filter((char) => !/[a-z]/i.test(char)).length
  return /^[a-z]+$/.test(plain) && replaced <= piece.length / 2 ? plain : undefined
}

// Which letters follow a, b, c … in 97.5 % of what is written in English words and names, and a few of German.
const followers =
  'bcdefghiklmnprstuvwyz abeilorsuy acehiklortuyz adegilorsuy abcdefghilmnoprstuvwxyz aefilortu aeghilnorsu aeilmortuy abcdefgklmnoprstvz aeou aeilnorsy abcdefiklmostuvy abceimopsuy acdefgiklnostuvy abcdefghiklmnoprstuvwy aefhiloprstu u abcdefgiklmnoprstuvy acehiklmnopstuwyz acehilorstuyz abcdefgilmnprst aeio aehinos ip aeilnos aeiouw'.split(
    ' ',
  )

function isSpeakable(letters: string): boolean {
  if (!/[aeiouy]/.test(letters)) return false
  return [...letters].every((letter, at) => {
    const next = letters[at + 1]
    return next === undefined || followers[letter.charCodeAt(0) - 97]?.includes(next)
  })
}

/** `1234`, `cba`, `aaa`, `2468`. */
function isRun(piece: string): boolean {
  const pace = piece.charCodeAt(1) - piece.charCodeAt(0)
  if (Math.abs(pace) > 2) return false
  return [...piece].every((_, at) => at === 0 || piece.charCodeAt(at) - piece.charCodeAt(at - 1) === pace)
}

const rows = [
  ['1234567890-=', 0],
  ['qwertyuiop[]', 0.5],
  ["asdfghjkl;'", 0.75],
  ['zxcvbnm,./', 1.25],
] as const

const places = new Map(
  rows.flatMap(([keys, shift], y) => [...keys].map((key, x): [string, [number, number]] => [key, [x + shift, y]])),
)

/** Each key beside the one before: `qwerty`, `1q2w3e`, `zaqwsx`. */
function isWalk(piece: string): boolean {
  return [...piece].every((key, at, keys) => {
    const here = places.get(key)
    const before = places.get(keys[at - 1] ?? key)
    return (
      here !== undefined &&
      before !== undefined &&
      Math.abs(here[0] - before[0]) <= 1 &&
      Math.abs(here[1] - before[1]) <= 1
    )
  })
}
