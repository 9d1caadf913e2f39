import { createHash } from 'node:crypto'
import { isSecret, reveal, type Secret } from './secret.ts'

/** Text that may hold secrets: what a file shall contain, what a program reads on its stdin. */
export interface Text {
  readonly parts: readonly (string | Secret)[]
}

/**
 * A command as data: a line of POSIX shell, free of secrets and safe to print and paste, and what it reads on
 * stdin, the only way for a secret to travel. A target decides what runs the line.
 */
export interface Command {
  readonly line: string
  readonly stdin?: Text
  /** What of the line a plan shows: what does the work, without what only waits or tries again. */
  readonly essence?: string
  /** Of a question: the seconds after which it is ended. On a host 30 without; of a cluster most end by themselves. */
  readonly timeoutSeconds?: number
  /** The same as data, where no shell carries it out: what a target of its own kind does. */
  readonly request?: Request
}

/** Something that a target does itself; `kind` says which. */
export interface Request {
  readonly kind: string
}

/** What a command answered. `code` is its exit code; 127 stands for a program that is not there. */
export interface Output {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** Why the target ended it before it was whole: what is there tells nothing. */
  readonly unanswered?: string
}

/** The answer of a host on which nothing was deployed, or that does not exist yet: as if no program were there. */
export const nothing: Output = { code: 127, stdout: '', stderr: '' }

/** Builds a {@link Text}: `` text`password=${env.password}\n` ``. Holes take strings, numbers, secrets and texts. */
export function text(strings: TemplateStringsArray, ...holes: (string | number | Secret | Text)[]): Text {
  const parts: (string | Secret)[] = [strings[0] ?? '']
  holes.forEach((hole, index) => {
    if (isText(hole)) parts.push(...hole.parts)
    else if (isSecret(hole) || typeof hole === 'string') parts.push(hole)
    else if (typeof hole === 'number' && Number.isFinite(hole)) parts.push(String(hole))
    else throw new TypeError(`text: hole ${index + 1} is ${describe(hole)}`)
    parts.push(strings[index + 1] ?? '')
  })
  return { parts }
}

/** A {@link Text} of a plain string. */
export function plainText(value: string): Text {
  return { parts: [value] }
}

export function isText(value: unknown): value is Text {
  return typeof value === 'object' && value !== null && Array.isArray((value as Text).parts)
}

export function holdsSecret(value: Text): boolean {
  return value.parts.some(isSecret)
}

/** The whole text with its secrets open. Only for targets and for files the user asked for. */
export function revealText(value: Text): string {
  return value.parts.map((part) => (typeof part === 'string' ? part : reveal(part))).join('')
}

/** The text as it may be shown. */
export function showText(value: Text): string {
  return value.parts.map(String).join('')
}

/** SHA-256 of the whole text, in hex: what `sha256sum` says of a file that holds it. */
export function digestText(value: Text): string {
  return createHash('sha256').update(revealText(value)).digest('hex')
}

export function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (value instanceof Promise) return 'a promise (await it first)'
  return Array.isArray(value) ? 'an array' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`
}
