import { fstatSync } from 'node:fs'
import { archivePath, recipientsIn } from '@infra/shared/cli/archive-files'
import { told, withLock } from '@infra/shared/cli/locked'
import type { Session } from '@infra/shared/cli/session'
import { sealingKey, writeArchive } from '@infra/shared/cli/write-archive'
import { sh } from '@infra/shared/command/sh'
import { Failure } from '@infra/shared/engine/failure'
import { size } from '@infra/shared/report/amounts'
import { print } from '@infra/shared/report/print'
import { byLine } from '@infra/shared/targets/process'
import type { SshTarget } from '@infra/shared/targets/ssh/ssh'
import { archiveOf, noRecipient, payload, recipientsOf } from '../backup/backup.ts'
import { unreadName } from '../backup/server-name.ts'
import { openHost, recorder, withPath } from './host.ts'

/** `backup`: fetches all that would be lost with the host, encrypted there, into a file of this machine. */
export async function runBackup(session: Session): Promise<number> {
  const { workspaceOptions: own, processEnv } = session
  const { env, host } = openHost(session, ['VALENCE_DOMAIN'])
  const domain = env.VALENCE_DOMAIN
  const recipients = own.key === undefined ? recipientsOf(env) : recipientsIn(String(own.key), processEnv)
  if (recipients.length === 0) throw new Failure('error', noRecipient.message, { remedy: noRecipient.remedy })
  const path = archivePath(own.to as string | undefined, domain, new Date(), processEnv)
  const key = sealingKey(session)
  await withLock(session, host, () =>
    told(session, `backup of ${domain}`, (progress) =>
      writeArchive(path, {
        of: archiveOf(domain),
        key,
        write: (file) => download(file, host, { domain, recipients, progress }),
      }),
    ),
  )
  print(path)
  return 0
}

interface Desired {
  readonly domain: string
  readonly recipients: readonly string[]
  progress(line: string): void
}

/** Gives the host's checksum of what it sent. */
async function download(file: number, host: SshTarget, desired: Desired): Promise<string> {
  let part = ''
  let sum = ''
  const lines = byLine((line) => {
    part = line.match(/^PART (\S+)/)?.[1] ?? part
    sum = line.match(/^SUM ([0-9a-f]{64})$/)?.[1] ?? sum
  })
  const errors = recorder(lines)
  const line = withPath(sh`export TETHER=1; exec bash --norc -s -- ${desired.domain} ${desired.recipients}`.line)
  const running = await host.attach({ line, as: 'root', stdout: file, stderr: errors.take })
  // What follows it on the same stream is nothing: that it ends tells the host that we are gone.
  running.write(payload('backup.sh'))
  const clock = setInterval(() => desired.progress(`${part}, ${size(fstatSync(file).size)}`), 500)
  const code = await running.ended
  clearInterval(clock)
  running.end()
  if (code === 0 && sum !== '') return sum
  if (
    code === 255 ||
    (sum === '' &&
      errors
        .said()
        .trim()
        .split('\n')
        .every((said) => said.startsWith('PART ')))
  )
    throw host.broken(errors.said().replace(/^PART .*\n/gm, ''), 'making the backup; no archive was written')
  throw unreadName(errors.said(), 'no archive was written') ?? refused(errors.said())
}

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
  return new Failure('error', `${message}; no archive was written`, { remedy, detail })
}
