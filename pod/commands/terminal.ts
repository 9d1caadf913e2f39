import type { Session } from '@infra/shared/cli/session'
import { sh } from '@infra/shared/command/sh'
import { asRole } from '@infra/shared/command/sql'
import { exitCodes } from '@infra/shared/engine/failure'
import { vkbSchema } from '../valence/vkb.ts'
import { handOver, onTerminal, openHost, withPath } from './host.ts'

/** `ssh [COMMAND...]`: the user's own terminal on the host, or one command there; its exit code is ours. */
export async function runSsh(session: Session): Promise<number> {
  const { host } = openHost(session)
  const line = session.args.length === 0 ? undefined : session.args.join(' ')
  return handOver(session, host, { line, as: 'login' })
}

/**
 * `psql [SQL...]`: the database of the pod, as its owner: statements that are given or piped in, or a terminal. Not as
 * the superuser, who would run what the owner has put into the database.
 */
export async function runPsql(session: Session): Promise<number> {
  const { host } = openHost(session)
  const words = session.args.join(' ').trim()
  // By stdin: a statement may hold a secret, which must not be in an argument list.
  const given = words === '' || words.startsWith('\\') ? words : words.replace(/;?$/, ';')
  const strict = given !== '' || !onTerminal() ? ['-v', 'ON_ERROR_STOP=1'] : []
  const { database, owner } = vkbSchema
  const line = withPath(sh`cd / && exec ${asRole(owner, 'psql', ...strict, '-d', database)}`.line)
  // Its own codes (3 for a statement that failed) mean something else here.
  return (await handOver(session, host, { line, as: 'root' }, given === '' ? '' : `${given}\n`)) === 0
    ? 0
    : exitCodes.error
}
