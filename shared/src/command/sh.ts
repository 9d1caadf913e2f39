import { type Command, describe, isText, type Text } from './command.ts'
import { assertHoles } from './holes.ts'
import { isSecret } from './secret.ts'

/** Shell text that is already quoted; {@link sh} takes it as it is. Made by `sh`, {@link raw} and {@link words}. */
export interface Shell extends Command {
  readonly quoted: true
}

type Hole = string | number | Shell | readonly (string | number)[]

const plain = /^[A-Za-z0-9_@%+:,./-]+$/

/** One word of POSIX shell, in single quotes unless it needs none. Throws on a NUL byte, which no argument can hold. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new TypeError('sh: an argument cannot hold a NUL byte')
  return plain.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/**
 * Builds a command: every hole becomes one quoted word (an array: one word each), so quoting cannot be forgotten.
 * Rejects undefined, promises, objects, secrets (those travel by stdin: {@link withStdin}), and a hole inside quotes.
 * Works in every POSIX shell: dash has no `$'…'`.
 */
export function sh(strings: TemplateStringsArray, ...holes: Hole[]): Shell {
  assertHoles(strings)
  let line = strings[0] ?? ''
  holes.forEach((hole, index) => {
    line += fill(hole, index) + (strings[index + 1] ?? '')
  })
  return shell(line)
}

function fill(hole: unknown, index: number): string {
  if (isSecret(hole) || isText(hole)) {
    throw new TypeError(`sh: hole ${index + 1} is a secret; a secret goes by stdin, never on a command line`)
  }
  if (isShell(hole)) {
    if (hole.stdin) throw new TypeError(`sh: hole ${index + 1} is a command with its own stdin`)
    return hole.line
  }
  if (typeof hole === 'string') return quote(hole)
  if (typeof hole === 'number' && Number.isFinite(hole)) return String(hole)
  if (Array.isArray(hole)) return hole.map((word) => fill(word, index)).join(' ')
  throw new TypeError(`sh: hole ${index + 1} is ${describe(hole)}`)
}

/** Shell text of our own, taken as it is. Never for a value from outside. */
export function raw(line: string): Shell {
  return shell(line)
}

/** Commands in a row; the first that fails ends them. */
export function all(...commands: readonly Shell[]): Shell {
  return shell(commands.map((command) => command.line).join(' && '))
}

/** The same command, reading `stdin`. */
export function withStdin(command: Command, stdin: Text): Command {
  return { line: command.line, stdin }
}

function shell(line: string): Shell {
  return { line, quoted: true }
}

function isShell(value: unknown): value is Shell {
  return typeof value === 'object' && value !== null && (value as Shell).quoted === true
}
