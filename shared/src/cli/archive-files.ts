import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readText } from '../env/read-text.ts'
import { parseRecipient } from '../env/recipient.ts'
import { usage } from './options.ts'
import { fromHere } from './paths.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** `pod.example.com-2026-11-24T153000Z.tar.age`: names sort by time. */
export const archiveName = (domain: string, now: Date): string =>
  `${domain}-${now.toISOString().replace(/\..*/, 'Z').replaceAll(':', '')}.tar.age`

/** The file that a backup shall be in. Throws a usage failure where there is one already, or no folder. */
export function archivePath(to: string | undefined, domain: string, now: Date, env: Environment): string {
  const desired = fromHere(to ?? '.', env)
  const isFolder = existsSync(desired) ? statSync(desired).isDirectory() : to?.endsWith('/')
  const path = isFolder ? join(desired, archiveName(domain, now)) : desired
  if (existsSync(path))
    throw usage(`${path} already exists, and a backup never overwrites a file`, 'Give another --to.')
  const folder = resolve(path, '..')
  if (!existsSync(folder)) throw usage(`there is no folder ${folder}`, `mkdir -p ${folder}`)
  return path
}

/** Whom `--key` names: a recipient or ssh public key itself, or a file with one on each line. */
export function recipientsIn(key: string, env: Environment): string[] {
  const direct = parseRecipient(key)
  if ('value' in direct) return [direct.value]
  const path = fromHere(key, env)
  if (!existsSync(path) || !statSync(path).isFile())
    throw usage(`--key ${direct.wrong}`, direct.remedy ?? 'It is not a file either.')
  const lines = readText(path)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  if (lines.length === 0) throw usage(`--key ${path} holds no key`, 'Write one recipient or ssh public key per line.')
  return lines.map((line) => {
    const verdict = parseRecipient(line)
    if ('value' in verdict) return verdict.value
    throw usage(`--key ${path}: one of its lines ${verdict.wrong}`, verdict.remedy ?? 'Give the public half of a key.')
  })
}

/** Whether a private key, of ssh or of age, is locked by a passphrase: age asks for it on the terminal. */
export function hasPassphrase(path: string): boolean {
  const text = readFileSync(path, 'latin1')
  if (/^age-encryption\.org\/|ENCRYPTED/m.test(text)) return true
  const inner = text.match(/BEGIN OPENSSH PRIVATE KEY-----([^-]*)/)?.[1]
  if (inner === undefined) return false
  // PROTOCOL.key of OpenSSH: a magic word, then the name of the cipher with its length before it.
  const blob = Buffer.from(inner, 'base64')
  const magic = 'openssh-key-v1\0'.length
  if (blob.length < magic + 4) return false
  return blob.toString('latin1', magic + 4, magic + 4 + blob.readUInt32BE(magic)) !== 'none'
}
