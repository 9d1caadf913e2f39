import { Failure } from '../engine/failure.ts'

/**
 * The first bytes of an archive: a text that says what follows, sealed or signed, filled up with blanks. What follows is
 * a file of age: `tail -c +1025 ARCHIVE | age -d -i KEY` opens it anywhere.
 */
export const headBytes = 1024

/** What the head of an archive says of it. */
export interface About {
  /** The workspace and what of it: `pod pod.example.com`. */
  readonly of: string
  /** ISO 8601 in UTC, by the second. */
  readonly made: string
  /** Of what follows the head. */
  readonly bytes: number
  readonly sha256: string
}

/** `hmac-sha256`: by a key of who fetched it; `ed25519`: by a key of the host that made it. */
export interface Seal {
  readonly by: 'hmac-sha256' | 'ed25519'
  /** Which key: 16 hex digits. */
  readonly key: string
  /** Hex of an HMAC, base64 of a signature. */
  readonly value: string
}

export interface Head {
  readonly about: About
  /** What is sealed: the lines before the seal. */
  readonly statement: string
  readonly seal: Seal
}

/** The lines that are sealed. `shared/src/archive/sign.sh` writes the same on a host. */
export const statementOf = ({ of, made, bytes, sha256 }: About): string =>
  `infra-archive 1\nof: ${of}\nmade: ${made}\nbytes: ${bytes}\nsha256: ${sha256}\n`

/** The whole head. */
export const headOf = (statement: string, { by, key, value }: Seal): Buffer =>
  Buffer.from(`${`${statement}seal: ${by} ${key} ${value}\n`.padEnd(headBytes - 1)}\n`)

const form =
  /^(infra-archive 1\nof: ([a-z]+ [A-Za-z0-9.-]+)\nmade: (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\nbytes: (\d{1,15})\nsha256: ([0-9a-f]{64})\n)seal: (hmac-sha256|ed25519) ([0-9a-f]{16}) ([A-Za-z0-9+/=]{64,88})\n *\n$/

/**
 * Reads the first bytes of a file. Undefined for one without a head, as earlier versions made. Throws for a damaged head
 * and for one of a later version; `path` is what messages call the file.
 */
export function readHead(first: Buffer, path: string): Head | undefined {
  const text = first.toString('latin1')
  const version = text.match(/^infra-archive (\d+)\n/)?.[1]
  if (!text.startsWith('infra-archive ')) return undefined
  if (version !== undefined && version !== '1')
    throw new Failure('error', `${path} is an archive of format ${version}, which is not known here`, {
      remedy: 'Use the version that made it.',
    })
  const [, statement, of, made, bytes, sha256, by, key, value] = text.match(form) ?? []
  if (first.length !== headBytes || statement === undefined) throw damaged(path, 'its head is not whole')
  return {
    about: { of: String(of), made: String(made), bytes: Number(bytes), sha256: String(sha256) },
    statement,
    seal: { by: by as Seal['by'], key: String(key), value: String(value) },
  }
}

/** What cannot be what was made, by chance or on purpose. */
export const damaged = (path: string, why: string): Failure =>
  new Failure('error', `${path} is damaged or cut off: ${why}; nothing was changed`, {
    remedy: 'Take another backup, or copy this one again.',
  })
