import { randomBytes } from 'node:crypto'

/** A password of 32 random bytes, in letters, digits, `-` and `_` only: it needs no quoting in shells, URLs or YAML. */
export function password(): string {
  // One that begins with a dash would be taken for a flag by some programs.
  for (;;) {
    const made = randomBytes(32).toString('base64url')
    if (/^[A-Za-z0-9]/.test(made)) return made
  }
}

/** 32 random bytes in standard, padded base64: the form of Stoat's `files.encryption_key`. */
export function key32(): string {
  return randomBytes(32).toString('base64')
}
