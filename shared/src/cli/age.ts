import { existsSync } from 'node:fs'
import { Failure } from '../engine/failure.ts'
import { runLocal } from '../targets/process.ts'
import { hasPassphrase } from './archive-files.ts'
import { canAsk } from './confirm.ts'
import { usage } from './options.ts'
import { fromHere } from './paths.ts'
import type { Session } from './session.ts'

/** The private key that opens archives. */
export interface Identity {
  readonly path: string
  /** age asks for a passphrase, on our own terminal. */
  readonly asks: boolean
}

/**
 * The private key that `--identity` or the environment names, and age, which takes it, on this machine. Throws where one of
 * them is not there, or where a passphrase would be asked for and nobody can answer.
 */
export async function findIdentity(session: Session, fallback: string | undefined, example: string): Promise<Identity> {
  const { workspaceOptions: own, options, processEnv, command } = session
  const given = own.identity as string | undefined
  const path = given === undefined ? fallback : fromHere(given, processEnv)
  if (path === undefined)
    throw usage(`${command} needs the private key that opens the archive`, `--identity ${example}`)
  if (!existsSync(path)) throw usage(`there is no key ${path}`, 'Give it: --identity KEYFILE')
  const asks = hasPassphrase(path)
  if (asks && !canAsk(options.json === true, processEnv))
    throw usage(
      `the key ${path} has a passphrase, and there is no terminal to ask for it; nothing was changed`,
      'Run it on a terminal, or give a key without one: --identity KEYFILE',
    )
  await assertAge('it decrypts the archive here')
  return { path, asks }
}

/** Throws where age is not installed on this machine. `why` it is needed, for the message. */
export async function assertAge(why: string): Promise<void> {
  if ((await runLocal('command -v age', '')).code === 0) return
  throw new Failure('error', `age is not installed on this machine: ${why}`, {
    remedy: 'apt-get install age, brew install age, or https://age-encryption.org',
  })
}

/** What age says when it cannot open an archive; undefined when it said nothing. */
export function decryptionFailure(said: string, path: string, identity: string): Failure | undefined {
  const error = said.match(/^age: error: (.*)$/m)?.[1]
  if (error === undefined) return undefined
  const wrongKey = /no identity matched/.test(error)
  if (/passphrase|decryption password/.test(error))
    return new Failure('error', `the passphrase of ${identity} is missing or wrong; nothing was changed`, {
      remedy: 'Run again. Without the passphrase, or an unencrypted copy of the key, nobody can decrypt the archive.',
      detail: [error],
    })
  const cut = /unexpected EOF|failed to (decrypt and )?authenticate|read header|parse|intro|truncated|chunk/i.test(
    error,
  )
  const message = wrongKey
    ? `${identity} cannot decrypt ${path}; nothing was changed`
    : cut
      ? `${path} is damaged or cut off; nothing was changed`
      : `age cannot open ${path}: ${error}`
  const remedy = wrongKey
    ? 'Give the private half of the key that it was encrypted to: --identity KEYFILE'
    : 'Take another backup, or copy this one again.'
  return new Failure('error', message, { remedy, detail: [error] })
}
