import { createHash } from 'node:crypto'
import type { Command } from './command.ts'

/** The public half of a key that signs archives: ed25519, SubjectPublicKeyInfo (RFC 8410) in DER, base64. */
export type PublicKey = string

/** A public key that this machine believes, and since when: ISO 8601, or `by hand`. */
export interface Pin {
  readonly key: PublicKey
  readonly since: string
}

/** Whether a text is such a key: the head of one, then 32 bytes. */
export const isPublicKey = (text: string): boolean => /^MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=$/.test(text)

/** As ssh prints fingerprints. */
export const printOf = (key: PublicKey): string =>
  `SHA256:${createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')}`

/** Reads a file of pins: a key in each line, then since when. Throws for a line that is neither that nor a comment. */
export function parsePins(text: string): readonly Pin[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'))
  return lines.map((line) => {
    const [key = '', since = 'by hand'] = line.trim().split(/\s+/)
    if (!isPublicKey(key)) throw new Error(`one of its lines is not a public key: ${line.slice(0, 80)}`)
    return { key, since }
  })
}

/** A command for the target that keeps pins on this machine. */
interface PinsCommand extends Command {
  readonly request: PinsRequest
}

/** `key`: what is pinned, or the question whose answer that is. Without one the file is read. */
export interface PinsRequest {
  readonly kind: 'pins'
  readonly path: string
  readonly key?: PublicKey | Command
}

/** Answers the file of pins at `path` on this machine; nothing where there is none. No shell runs it. */
export const readPins = (path: string): PinsCommand => ({ line: `PINS ${path}`, request: { kind: 'pins', path } })

/** Adds a key to that file: this one, or the one that the target answers with by then. */
export const addPin = (path: string, key: PublicKey | Command): PinsCommand => ({
  line: `PIN ${path} ${typeof key === 'string' ? key : 'the key that was made'}`,
  request: { kind: 'pins', path, key },
})

/** What such a command asks for; undefined for any other. */
export const pinsOf = ({ request }: Command): PinsRequest | undefined =>
  request?.kind === 'pins' ? (request as PinsRequest) : undefined
