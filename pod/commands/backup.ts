import { closeSync, fstatSync, fsyncSync, openSync, renameSync, rmSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { bodyDigest, reserveHead, sealArchive } from '@infra/shared/archive/seal'
import { ownKey, ownKeyPath } from '@infra/shared/cli/own-key'
import { stateFolder } from '@infra/shared/cli/paths'
import type { Session } from '@infra/shared/cli/session'
import { sh } from '@infra/shared/command/sh'
import { Failure } from '@infra/shared/engine/failure'
import { print } from '@infra/shared/report/print'
import { byLine } from '@infra/shared/targets/process'
import type { SshTarget } from '@infra/shared/targets/ssh/ssh'
import { archiveOf, noRecipient, payload, recipientsOf } from '../backup/backup.ts'
import { archivePath, recipientsIn } from './files.ts'
import { openHost, recorder, withPath } from './host.ts'
import { told, withLock } from './locked.ts'
import { size } from './status-text.ts'

/** `backup`: fetches all that would be lost with the host, encrypted there, into a file of this machine. */
export async function runBackup(session: Session): Promise<number> {
  const { workspaceOptions: own, processEnv } = session
  const { env, host } = openHost(session)
  const domain = env.VALENCE_DOMAIN
  const recipients = own.key === undefined ? recipientsOf(env) : recipientsIn(String(own.key), processEnv)
  if (recipients.length === 0) throw new Failure('error', noRecipient.message, { remedy: noRecipient.remedy })
  const path = archivePath(own.to as string | undefined, domain, new Date(), processEnv)
  const key = sealingKey(session)
  await withLock(session, host, () =>
    told(session, `backup of ${domain}`, (progress) => fetchTo(path, host, { domain, recipients, key, progress })),
  )
  print(path)
  return 0
}

/** This operator's key, by which a restore knows that an archive came this way. */
function sealingKey({ root, emit }: Session): string {
  const folder = stateFolder(root)
  const found = ownKey(folder, 'archive', false)
  if (found !== undefined) return found
  const text = `backups are sealed by a key of yours from now on: ${ownKeyPath(folder, 'archive')}. Keep a copy apart from this machine.`
  emit({ type: 'message', level: 'info', text })
  return ownKey(folder, 'archive', true) ?? ''
}

interface Desired {
  readonly domain: string
  readonly recipients: readonly string[]
  /** It seals what arrived. */
  readonly key: string
  progress(line: string): void
}

/** Fetches into a file beside `path` that only we can read; it gets its name when it is whole, else it goes away. */
async function fetchTo(path: string, host: SshTarget, desired: Desired): Promise<void> {
  const draft = `${path}.tmp`
  const drop = () => rmSync(draft, { force: true })
  drop() // of a run that was killed
  const file = create(draft)
  process.once('exit', drop)
  try {
    reserveHead(file)
    const made = new Date().toISOString().replace(/\..*/, 'Z')
    const sha256 = await download(file, draft, host, desired)
    if (sha256 !== (await bodyDigest(file))) {
      throw new Failure('error', 'what arrived is not what the host sent: the archive was thrown away', {
        remedy: 'Run again; if it stays, look at the disk of this machine.',
      })
    }
    sealArchive(file, { of: archiveOf(desired.domain), made, sha256 }, desired.key)
    fsyncSync(file)
    renameSync(draft, path)
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? full(dirname(draft)) : error
  } finally {
    closeSync(file)
    drop()
    process.off('exit', drop)
  }
}

/** Gives the host's checksum of what it sent. */
async function download(file: number, draft: string, host: SshTarget, desired: Desired): Promise<string> {
  let part = ''
  let sum = ''
  const lines = byLine((line) => {
    part = line.match(/^PART (\S+)/)?.[1] ?? part
    sum = line.match(/^SUM ([0-9a-f]{64})$/)?.[1] ?? sum
  })
  const errors = recorder(lines)
  const line = withPath(sh`export TETHER=1; exec bash -s -- ${desired.domain} ${desired.recipients}`.line)
  const running = await host.attach({ line, as: 'root', stdout: file, stderr: errors.take })
  // What follows it on the same stream is nothing: that it ends tells the host that we are gone.
  running.write(payload('backup.sh'))
  const clock = setInterval(() => desired.progress(`${part}, ${size(fstatSync(file).size)}`), 500)
  const code = await running.ended
  clearInterval(clock)
  running.end()
  if (code === 0 && sum !== '') return sum
  if (freeBytes(draft) < 65_536) throw full(dirname(draft))
  if (
    code === 255 ||
    (sum === '' &&
      errors
        .said()
        .trim()
        .split('\n')
        .every((said) => said.startsWith('PART ')))
  )
    throw host.broken(errors.said().replace(/^PART .*\n/gm, ''), 'making the backup; no archive was left')
  throw refused(errors.said())
}

function create(path: string): number {
  try {
    return openSync(path, 'wx+', 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOSPC') throw full(dirname(path))
    throw new Failure('error', `${path} cannot be written: ${code}`, { remedy: 'Give another --to.' })
  }
}

const freeBytes = (path: string) => {
  const { bavail, bsize } = statfsSync(dirname(path))
  return bavail * bsize
}

const full = (folder: string) =>
  new Failure('error', `the disk of ${folder} is full; no archive was left`, {
    remedy: 'Make room, or give another place: --to FOLDER',
  })

/** What the host's program means by what it said, first match. */
const reasons: readonly [RegExp, string, string][] = [
  [/age is not installed/, 'age is not installed on the host', 'npm run deploy -w pod -- --tags backup'],
  [
    /database "valence" does not exist/,
    'there is no database valence on the host',
    'Is it deployed? npm run plan -w pod',
  ],
  [
    /permission denied for/,
    'role valence may not read all of its database',
    'npm run deploy -w pod -- --tags postgresql lets it',
  ],
  [/No space left on device/, 'the host has no room in /run', 'npm run status -w pod; free some memory on the host.'],
  [
    /psql: error|does not answer|user \S+ does not exist/,
    'PostgreSQL does not answer on the host',
    'npm run verify -w pod',
  ],
  [/bash: (not found|command not found)/, 'there is no bash on the host', 'apt-get install bash'],
]

function refused(said: string): Failure {
  const [, message = 'the host could not make the backup', remedy = 'npm run verify -w pod'] =
    reasons.find(([pattern]) => pattern.test(said)) ?? []
  const detail = said
    .trim()
    .split('\n')
    .filter((line) => !/^PART /.test(line))
    .slice(-6)
  return new Failure('error', `${message}; no archive was left`, { remedy, detail })
}
