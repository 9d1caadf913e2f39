import { statSync } from 'node:fs'
import { type Secret, secret } from '../command/secret.ts'
import { readNamed } from './named-file.ts'
import { type Parsed, parsed, type Verdict } from './parsed.ts'
import { looksPrivate, type PublicKey, parsePublicKey } from './ssh-key.ts'

const largest = 65_536

/** An OpenSSH public key given in the variable itself. */
export const publicKey = (): Parsed<PublicKey> => parsed(parsePublicKey)

/** The path of a file of public keys (one or more lines, `#` comments allowed), read and taken apart. */
export function publicKeyFile(): Parsed<{ readonly path: string; readonly keys: readonly PublicKey[] }> {
  return parsed((path) => {
    if (looksPrivate(path) || /(ssh|ecdsa|sk)-\S+ AAAA/.test(path))
      return { wrong: 'holds a key itself, not the path of its file', remedy: 'give the path of the .pub file' }
    const file = readNamed(path, largest, 'too large for a key')
    if ('wrong' in file)
      return { ...file, remedy: `ssh-keygen -t ed25519 -f ${path.replace(/\.pub$/, '')} makes a new key` }
    if (looksPrivate(file.value))
      return { wrong: `names a private key (${path})`, remedy: `use the public half: ${path}.pub` }
    const keys: PublicKey[] = []
    for (const line of file.value.split(/\r?\n/)) {
      if (line.trim() === '' || line.trim().startsWith('#')) continue
      const key = parsePublicKey(line)
      if ('wrong' in key) return { ...key, wrong: `names ${path}, whose content ${key.wrong}` }
      keys.push(key.value)
    }
    return keys.length > 0 ? { value: { path, keys } } : { wrong: `names ${path}, which contains no key` }
  })
}

/** The path of a private key that ssh itself will read. Refused when ssh would refuse it. */
export function privateKeyPath(): Parsed<string> {
  return parsed((path) => {
    const file = readPrivate(path)
    return 'wrong' in file ? file : { value: path }
  })
}

/** The path of a private key and its content. */
export function privateKeyFile(): Parsed<{ readonly path: string; readonly content: Secret }> {
  return parsed((path) => {
    const file = readPrivate(path)
    // ssh refuses a key whose last line is not ended.
    return 'wrong' in file ? file : { value: { path, content: secret(`${file.value.trimEnd()}\n`) } }
  })
}

/** The private half beside a file of a public key (`key` beside `key.pub`), where ssh would take it; else undefined. */
export function privateKeyBeside(publicPath: string): string | undefined {
  if (!publicPath.endsWith('.pub')) return undefined
  const path = publicPath.slice(0, -'.pub'.length)
  return 'wrong' in readPrivate(path) ? undefined : path
}

function readPrivate(path: string): Verdict<string> {
  if (looksPrivate(path))
    return { wrong: 'holds a private key itself: it was not shown', remedy: 'give the path of its file' }
  const file = readNamed(path, largest, 'too large for a key')
  if ('wrong' in file) return file
  if ('value' in parsePublicKey(file.value))
    return { wrong: `names a public key (${path})`, remedy: `use the private half: ${path.replace(/\.pub$/, '')}` }
  if (file.value.includes('PuTTY-User-Key-File'))
    return { wrong: `names a PuTTY key (${path})`, remedy: 'puttygen KEY -O private-openssh -o NEW converts it' }
  if (!looksPrivate(file.value)) return { wrong: `names ${path}, which is not a private key` }
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    return { wrong: `names ${path}, which others can read: ssh refuses such a key`, remedy: `chmod 600 ${path}` }
  return file
}
