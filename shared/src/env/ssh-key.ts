import { createPublicKey } from 'node:crypto'
import type { Parser } from './parsed.ts'

/** An OpenSSH public key, taken apart. `line` is what an authorized_keys file holds. */
export interface PublicKey {
  readonly type: string
  readonly base64: string
  readonly comment: string
  readonly line: string
}

// What OpenSSH 9 on Ubuntu 24.04 and Debian 12/13 accepts for a login (sshd_config(5), PubkeyAcceptedAlgorithms).
const types = new Map<string, number>([
  ['ssh-ed25519', 2],
  ['ecdsa-sha2-nistp256', 3],
  ['ecdsa-sha2-nistp384', 3],
  ['ecdsa-sha2-nistp521', 3],
  ['ssh-rsa', 3],
  ['sk-ssh-ed25519@openssh.com', 3],
  ['sk-ecdsa-sha2-nistp256@openssh.com', 4],
])

const pasted = 'is a private key: it was not shown or kept; do not paste it anywhere'
const usePublic = 'use the public half, the file that ends in .pub (ssh-keygen -y -f KEY prints it)'

/** Whether a text is, or holds, a private key (PEM, OpenSSH or PuTTY). */
export function looksPrivate(text: string): boolean {
  // The base64 form "b3BlbnNzaC1rZXktdjE" is "openssh-key-v1": a private key pasted without its frame.
  return /PRIVATE KEY|PuTTY-User-Key-File|b3BlbnNzaC1rZXktdjE/.test(text)
}

/** Judges one line of OpenSSH public key: `type base64 [comment]` (RFC 4253 section 6.6, sshd(8)). */
export const parsePublicKey: Parser<PublicKey> = (text) => {
  if (looksPrivate(text)) return { wrong: pasted, remedy: usePublic }
  const line = text.trim()
  if (/[\r\n]/.test(line)) return { wrong: 'holds more than one line', remedy: 'give one key, in one line' }
  if (line.startsWith('---- BEGIN SSH2'))
    return { wrong: 'is in the SSH2 (RFC 4716) form', remedy: 'ssh-keygen -i -f FILE prints the OpenSSH form' }
  const [type = '', base64 = '', ...rest] = line.split(/[ \t]+/)
  const fields = types.get(type)
  if (fields === undefined) return { wrong: unknownType(type, line) }
  if (base64 === '') return { wrong: `has nothing after ${type}` }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0)
    return { wrong: 'is cut or garbled: its second word is not base64' }
  const parts = takeApart(Buffer.from(base64, 'base64'))
  const inner = String(parts?.[0] ?? type)
  if (inner !== type) return { wrong: `says ${type}, but its data is of type ${printable(inner)}` }
  if (parts === undefined || parts.length !== fields)
    return { wrong: 'is cut or garbled: its data ends too early or too late' }
  const weak = weakness(type, parts)
  if (weak !== undefined) return { wrong: weak, remedy: 'ssh-keygen -t ed25519 makes a good one' }
  const comment = rest.join(' ')
  // It is shown, and stands in a file of the host's.
  if (/[\p{Cc}\p{Cf}]/u.test(comment))
    return { wrong: 'has a control character in its comment', remedy: 'write another comment' }
  return { value: { type, base64, comment, line: comment ? `${type} ${base64} ${comment}` : `${type} ${base64}` } }
}

function unknownType(type: string, line: string): string {
  if (type === 'ssh-dss') return 'is a DSA key, which OpenSSH no longer accepts'
  if (/-cert-v01@openssh\.com$/.test(type)) return 'is a certificate, not a public key'
  if (/^SHA256:|^\d+ SHA256:/.test(line)) return 'is a fingerprint, not the key'
  if ([...types.keys()].some((known) => line.includes(`${known} `)))
    return 'has something before the key (options are not taken here)'
  return 'is not an OpenSSH public key: it does not begin with ssh-ed25519, ssh-rsa, ecdsa-sha2-… or sk-…'
}

const printable = (text: string) => (/^[\w@.-]{1,64}$/.test(text) ? text : 'another kind')

/** The length-prefixed fields of an SSH wire blob; undefined when the lengths do not add up. */
function takeApart(blob: Buffer): Buffer[] | undefined {
  const parts: Buffer[] = []
  let at = 0
  while (at < blob.length) {
    if (at + 4 > blob.length) return undefined
    const size = blob.readUInt32BE(at)
    at += 4
    if (at + size > blob.length) return undefined
    parts.push(blob.subarray(at, at + size))
    at += size
  }
  return parts
}

/** Whether an uncompressed point, a mark and two coordinates (RFC 5656, section 3.1), is one of the curve. */
function isOnCurve(point: Buffer, curve: string): boolean {
  const crv = curve.replace(/^nistp/, 'P-')
  const size = (point.length - 1) / 2
  if (point[0] !== 4 || !Number.isInteger(size)) return false
  const [x, y] = [point.toString('base64url', 1, 1 + size), point.toString('base64url', 1 + size)]
  try {
    createPublicKey({ key: { kty: 'EC', crv, x, y }, format: 'jwk' })
    return true
  } catch {
    return false
  }
}

function weakness(type: string, parts: readonly Buffer[]): string | undefined {
  if (type === 'ssh-ed25519' || type.startsWith('sk-ssh-ed25519'))
    return parts[1]?.length === 32 ? undefined : 'is cut or garbled: an ed25519 key has 32 bytes'
  if (type.includes('ecdsa')) {
    const curve = String(parts[1])
    const point = parts[2]
    return type.includes(curve) && point !== undefined && isOnCurve(point, curve)
      ? undefined
      : 'is garbled: its curve does not fit its type'
  }
  const modulus = parts[2] ?? Buffer.alloc(0)
  const first = modulus.findIndex((byte) => byte !== 0)
  const bits = first < 0 ? 0 : (modulus.length - first) * 8 - Math.clz32(modulus[first] ?? 0) + 24
  // sshd(8): RequiredRSASize is 1024 by default; distributions and the NIST ask for 2048.
  // More, OpenSSH does not read (sshbuf.h, SSHBUF_MAX_BIGNUM).
  if (bits > 16384) return `is an RSA key of ${bits} bits; the maximum is 16384`
  return bits < 2048 ? `is an RSA key of ${bits} bits; the minimum is 2048` : undefined
}
