import { createHmac } from 'node:crypto'
import { reveal, type Secret } from '@infra/shared/command/secret'

/**
 * Tells that a secret changed, and nothing of what it is: keyed by one of them that cannot be guessed, so that not even a
 * weak one beside it can be found by trying. Whoever has the key reads the Secret anyway.
 */
export function secretsDigest(secrets: Readonly<Record<string, Secret>>, key: Secret): string {
  const digest = createHmac('sha256', reveal(key))
  for (const name of Object.keys(secrets).sort()) digest.update(`${name}\0${reveal(secrets[name] as Secret)}\0`)
  return digest.digest('hex').slice(0, 16)
}
