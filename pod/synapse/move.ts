import { inTime } from '@infra/shared/command/as-user'
import { type Output, plainText, type Text } from '@infra/shared/command/command'
import { jsonAnswer } from '@infra/shared/command/json-answer'
import { type Shell, sh, withStdin } from '@infra/shared/command/sh'
import { roleClient, rolePsql, superuserPsql } from '@infra/shared/command/sql'
import {
  changes,
  converged,
  type Decision,
  type Dependency,
  idOf,
  noting,
  type Question,
  refuse,
  remove,
  type Step,
  step,
  update,
} from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import { configFiles, synapseConfig } from '@infra/shared/facts/synapse/config'
import { keepsDataIn } from '@infra/shared/steps/synapse/synapse'
import { payload } from '../backup/backup.ts'
import {
  sharedPlace,
  synapseDatabaseName,
  synapseReads,
  synapseRole,
  synapseUnit,
  synapseUser,
  synapseVenv,
} from './synapse.ts'

/** Where the copy of what was moved is kept, for root alone. */
const moveFolder = '/var/lib/infra/synapse-move'

/** What is there of Synapse in the database that it shared with Valence: see pod/files/move-synapse.py. */
export interface Leftover {
  /** Synapse's tables there; none where its own record of its schema is not among them. */
  readonly tables: number
  /** Where there is less than twice the room that they take, for a copy and a dump: what is needed and free, in bytes. */
  readonly short: { readonly needed: number; readonly free: number } | null
  /** What ties them to what stays, or is not as Synapse makes it. */
  readonly ties: readonly string[]
  /** The database of its own. */
  readonly target: 'absent' | 'empty' | 'filled'
  /** Whether a move that is not at its end filled it. */
  readonly recorded: boolean
  /** The dump that is kept. */
  readonly copy: string | null
}

const { database: shared, role } = sharedPlace
const own = synapseDatabaseName

const allOrNothing = ['--no-owner', '--no-acl', '--single-transaction', '--exit-on-error']

const input = plainText(
  JSON.stringify({
    ...{ shared, own, role, folder: moveFolder, unit: synapseUnit, venv: synapseVenv },
    superuser: Object.fromEntries(['postgres', shared, own].map((name) => [name, superuserPsql(name)])),
    psql: { [shared]: rolePsql(role, shared), [own]: rolePsql(synapseRole, own) },
    dump: roleClient(role, 'pg_dump', '--format=custom', '--lock-wait-timeout=600000', `--dbname=${shared}`),
    restore: roleClient(synapseRole, 'pg_restore', ...allOrNothing, `--dbname=${own}`),
  }),
)

const program = (word: 'look' | 'move' | 'drop'): Shell => sh`python3 -I -B -c ${payload('move-synapse.py')} ${word}`

/** What is left there. Nothing where there is no PostgreSQL yet. */
export const leftover: Question<Leftover> = {
  command: withStdin(sh`cd / && { ${inTime(program('look'))}; }`, input),
  parse({ code, stdout, stderr }) {
    if (code === 127 || /user postgres does not exist|must install at least one postgresql-client/.test(stderr))
      return { tables: 0, short: null, ties: [], target: 'absent', recorded: false, copy: null }
    if (code !== 0) throw new Error(`the tables of Synapse in database ${shared}: ${stderr.trim().split('\n').at(-1)}`)
    return jsonAnswer<Leftover>(stdout, `the tables of Synapse in database ${shared}`)
  },
}

interface MoveOptions {
  /** What homeserver.yaml will be: Synapse reads it before it is stopped for the move. */
  readonly content: Text
  readonly dependsOn: readonly Dependency[]
}

/**
 * Synapse's tables leave the database that it shared with Valence for its own. A copy of them is made while Synapse is
 * stopped, and counted; the old ones stay until {@link sharedTablesGone}. Killed at any point it is begun anew, for until
 * homeserver.yaml names the new database the old one counts.
 */
export function synapseMoved(on: Target, { content, dependsOn }: MoveOptions): Step {
  return step({
    id: `synapse.database ${own}`,
    on,
    dependsOn,
    ask: { files: configFiles, now: leftover },
    plan({ files, now }, { pending }) {
      if (now.tables === 0) return converged(`not in database ${shared}`)
      if (keepsDataIn(files, sharedPlace) === false) return converged(`it keeps its data in database ${own}`)
      const refused = refusal(now, pending.includes(`postgres.database ${own}`))
      if (refused) return refused
      const say = `Synapse's ${now.tables} tables from database ${shared} into database ${own}, with a copy in ${moveFolder}`
      const check = withStdin(readsCandidate, content)
      const move = withStdin(program('move'), input)
      return noting(changes([update(say, [check, move], { risk: 'downtime', explain })], ''), [readable])
    },
  })
}

const readable = `role ${role} could read Synapse's access tokens, and the move takes none back: docs/runbook.md, "Synapse's own database", tells how to end all sessions`

function refusal({ ties, short, target, recorded }: Leftover, isPending: boolean): Decision | undefined {
  const see = 'docs/runbook.md has more under "Synapse\'s own database".'
  if (ties.length > 0)
    return refuse(
      `Synapse's tables cannot leave database ${shared}: ${few(ties)}`,
      `Remove what ties them, or give them to role ${role}. ${see}`,
    )
  if (target === 'absent' && !isPending)
    return refuse(
      `there is no database ${own} for Synapse yet`,
      'npm run deploy -w pod, or npm run deploy -w pod -- --tags postgresql,synapse',
    )
  if (target === 'filled' && !recorded)
    return refuse(
      `${synapseConfig} names database ${shared}, but database ${own} holds tables too: which of them are Synapse's is not clear`,
      `Rename the one that is not used: ALTER DATABASE ${own} RENAME TO ${own}_other. ${see}`,
    )
  if (short)
    return refuse(
      `Synapse's tables in database ${shared} have ${mb(short.needed)} MB, and to copy them there must be twice as much room: ${mb(short.free)} MB are free`,
      'Make room on the host: npm run status -w pod',
    )
  return undefined
}

const mb = (bytes: number) => Math.ceil(bytes / 1_048_576)

const few = (ties: readonly string[]) =>
  ties.length > 3 ? `${ties.slice(0, 3).join('; ')}; and ${ties.length - 3} more` : ties.join('; ')

/** Synapse reads the new homeserver.yaml: after the move there shall be nothing in it that it does not take. */
const readsCandidate = sh`t=$(mktemp ${`${synapseConfig}.XXXXXX`}) && trap 'rm -f "$t"' EXIT && cat >"$t" && \
chown ${`root:${synapseUser}`} "$t" && chmod 640 "$t" && ${synapseReads(sh`"$t"`)}`

/**
 * The tables that Synapse left behind are removed, in the same run, once it answers from its own database: they hold
 * access tokens and password hashes, which role valence could read as long as they are there. The dump stays.
 */
export function sharedTablesGone(on: Target, { dependsOn }: { dependsOn: readonly Dependency[] }): Step {
  return step({
    id: `synapse.left ${shared}`,
    on,
    dependsOn,
    ask: { files: configFiles, now: leftover },
    plan({ files, now }, { pending }) {
      const { tables, recorded, copy } = now
      const kept = `${copy}, for root alone, is what Synapse had in database ${shared}: remove it when you are sure`
      if (tables === 0) return noting(converged(`none in database ${shared}`), copy ? [kept] : [])
      const moves = keepsDataIn(files, sharedPlace) !== false
      if (moves && !dependsOn.map(idOf).some((id) => pending.includes(id))) return converged('Synapse uses them')
      if (!moves && !recorded)
        return noting(converged('not copied from there'), [
          `database ${shared} holds ${tables} tables of Synapse that no deploy has copied, and role ${role} reads them: docs/runbook.md, "Synapse's own database"`,
        ])
      const say = `Synapse's ${tables} tables in database ${shared}, which were copied into database ${own}`
      return changes([remove(say, withStdin(program('drop'), input), { risk: 'data', explain })], '')
    },
  })
}

const explain = ({ stderr }: Output) => stderr.trim().split('\n').at(-1)?.slice(0, 300)
