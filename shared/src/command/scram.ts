import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { derive, reveal, type Secret } from './secret.ts'

/** PostgreSQL's own number of rounds (scram_iterations). */
const rounds = 4096

/**
 * What PostgreSQL stores of a password (RFC 5803): `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`. Given to it in place
 * of the password, it keeps the password itself out of the server's log. Still a secret: it allows guessing offline.
 */
export function scramVerifier(password: Secret, salt: Buffer): Secret {
  return derive((open) => render(open(password), salt, rounds))
}

/** Whether this is such a verifier, and not one of the older kind (md5). */
export const isScram = (verifier: Secret): boolean => reveal(verifier).startsWith('SCRAM-SHA-256$')

/** Whether this is the verifier of this password. False for anything that is not a SCRAM-SHA-256 verifier (md5). */
export function verifies(verifier: Secret, password: Secret): boolean {
  const stored = reveal(verifier)
  const found = stored.match(/^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$/)
  if (!found) return false
  const desired = render(reveal(password), Buffer.from(found[2] ?? '', 'base64'), Number(found[1]))
  return desired.length === stored.length && timingSafeEqual(Buffer.from(desired), Buffer.from(stored))
}

// RFC 5802, 3. A password of printable ASCII is its own SASLprep form.
function render(password: string, salt: Buffer, iterations: number): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const hmac = (label: string) => createHmac('sha256', salted).update(label).digest()
  const stored = createHash('sha256').update(hmac('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${hmac('Server Key').toString('base64')}`
}
