import { createHash, createPublicKey, verify } from 'node:crypto'
import { closeSync, createReadStream, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { keyed, sameSeal } from '../command/keyed.ts'
import type { Pin } from '../command/pins.ts'
import { Failure } from '../engine/failure.ts'
import { type About, damaged, type Head, headBytes, headOf, readHead, statementOf } from './head.ts'

/** Room for the head of an archive that is being written: what follows is written after it. */
export const reserveHead = (file: number): number => writeSync(file, Buffer.alloc(headBytes, ' '))

/** SHA-256 of what follows the head. `progress` hears how many bytes were read. */
export async function bodyDigest(file: number, progress: (bytes: number) => void = () => {}): Promise<string> {
  const hash = createHash('sha256')
  let bytes = 0
  const stream = createReadStream('', { fd: file, start: headBytes, autoClose: false, highWaterMark: 1 << 20 })
  for await (const chunk of stream) {
    hash.update(chunk)
    bytes += chunk.length
    progress(bytes)
  }
  return hash.digest('hex')
}

/**
 * Seals an archive whose body has this digest: writes its head. `key` is this operator's, in hex. Gives the size of the
 * whole, in bytes.
 */
export function sealArchive(file: number, { of, made, sha256 }: Omit<About, 'bytes'>, key: string): number {
  const { size } = fstatSync(file)
  const statement = statementOf({ of, made, sha256, bytes: size - headBytes })
  const seal = { by: 'hmac-sha256', key: nameOfKey(key), value: keyed(key, statement) } as const
  writeSync(file, headOf(statement, seal), 0, headBytes, 0)
  return size
}

/** Tells one key from another, and nothing of it. */
const nameOfKey = (key: string): string => keyed(key, 'the name of this key').slice(0, 16)

const nameOfPublic = ({ key }: Pin): string =>
  createHash('sha256').update(Buffer.from(key, 'base64')).digest('hex').slice(0, 16)

/** Who vouches for an archive. */
export type Verdict =
  | { readonly kind: 'sealed'; readonly made: string }
  | { readonly kind: 'signed'; readonly made: string; readonly pinned: string }
  | { readonly kind: 'unknown'; readonly why: string }

export interface Judged {
  readonly verdict: Verdict
  /** Where the file of age begins. */
  readonly bodyAt: number
  /** Throws when the file is not the one that was judged any more: it is read again to be sent. */
  assertSame(): void
}

export interface Trust {
  /** What the archive must be of: `pod pod.example.com`. */
  readonly of: string
  /** This operator's key, where there is one. */
  readonly key: string | undefined
  readonly pins: readonly Pin[]
  progress?(bytes: number): void
}

/**
 * Says who vouches for an archive, from its file alone and a piece at a time. Throws for one that is cut off, damaged, of
 * something else, or sealed in the name of a key that is known here and did not seal it.
 */
export async function judgeArchive(path: string, trust: Trust): Promise<Judged> {
  const file = openSync(path, 'r')
  try {
    const before = fstatSync(file)
    const first = Buffer.alloc(headBytes)
    const head = readHead(first.subarray(0, readSync(file, first, 0, headBytes, 0)), path)
    const bodyAt = head ? headBytes : 0
    assertAge(file, bodyAt, path)
    if (head) await assertWhole(file, head, trust, path)
    return {
      bodyAt,
      verdict: head ? vouched(head, trust, path) : { kind: 'unknown', why: 'it was made by an earlier version' },
      assertSame() {
        const now = statSync(path)
        if ((['dev', 'ino', 'size', 'mtimeMs', 'ctimeMs'] as const).every((of) => now[of] === before[of])) return
        throw new Failure('error', `${path} was changed while it was read; nothing was changed on the host`, {
          remedy: 'Run again when nobody writes to it.',
        })
      },
    }
  } finally {
    closeSync(file)
  }
}

function assertAge(file: number, at: number, path: string): void {
  const magic = Buffer.alloc(21)
  readSync(file, magic, 0, magic.length, at)
  if (magic.toString() === 'age-encryption.org/v1') return
  throw new Failure('error', `${path} is not an archive of backup: it is not encrypted by age`, {
    remedy: 'Give the file that backup made.',
  })
}

async function assertWhole(file: number, { about }: Head, { of, progress }: Trust, path: string): Promise<void> {
  if (about.of !== of) throw ofAnother(about.of, of, path)
  const bytes = fstatSync(file).size - headBytes
  if (bytes !== about.bytes)
    throw damaged(path, `it has ${bytes} bytes after its head, and was made with ${about.bytes}`)
  if ((await bodyDigest(file, progress)) !== about.sha256)
    throw damaged(path, 'its content is not what its head says, or was changed since')
}

function ofAnother(of: string, desired: string, path: string): Failure {
  const [workspace, name] = of.split(' ')
  const [here, own] = desired.split(' ')
  if (workspace !== here)
    return new Failure('error', `${path} is an archive of ${workspace}, not of ${here}; nothing was changed`, {
      remedy: `npm run restore -w ${workspace} -- ${path}`,
    })
  return new Failure(
    'error',
    `the archive is of ${name}, this ${here} is ${own}: the name is in every address that it holds; nothing was changed`,
    { remedy: `Deploy one of that name for it, with its own environment (--env NAME).` },
  )
}

function vouched({ about: { made }, statement, seal }: Head, { key, pins }: Trust, path: string): Verdict {
  if (seal.by === 'hmac-sha256') {
    if (key === undefined) return { kind: 'unknown', why: 'it was sealed by an operator’s key, and there is none here' }
    if (seal.key !== nameOfKey(key)) return { kind: 'unknown', why: 'it was sealed by the key of another operator' }
    if (!sameSeal(seal.value, keyed(key, statement))) throw forged(path)
    return { kind: 'sealed', made }
  }
  const pin = pins.find((one) => nameOfPublic(one) === seal.key)
  if (pin === undefined) return { kind: 'unknown', why: 'it was signed by a key that is not pinned here' }
  const der = { key: Buffer.from(pin.key, 'base64'), format: 'der', type: 'spki' } as const
  const isGenuine = verify(null, Buffer.from(statement), createPublicKey(der), Buffer.from(seal.value, 'base64'))
  if (!isGenuine) throw forged(path)
  return { kind: 'signed', made, pinned: pin.since }
}

const forged = (path: string): Failure =>
  new Failure(
    'error',
    `${path} was changed after it was sealed, or never was: its seal is forged; nothing was changed`,
    {
      remedy: 'Take another backup, and find out who could write to this one.',
    },
  )
