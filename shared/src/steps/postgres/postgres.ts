import { createHash } from 'node:crypto'
import type { Output, Text } from '../../command/command.ts'
import { isScram, scramVerifier, verifies } from '../../command/scram.ts'
import type { Secret } from '../../command/secret.ts'
import { sh } from '../../command/sh.ts'
import { ident, sql, superuserStatement } from '../../command/sql.ts'
import { type Change, changes, create, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import {
  type DatabaseState,
  databaseState,
  extensions,
  roleState,
  type SettingName,
  serverState,
  settingState,
} from '../../facts/postgres/postgres.ts'
import { refuseWeak } from '../new-secret.ts'

interface Options {
  readonly dependsOn?: readonly Dependency[]
}

const run = (statement: Text, database = 'postgres') => superuserStatement(database, statement)

/** Has the server read its files again. */
export const reload = run(sql`SELECT pg_reload_conf()`)

/**
 * A setting of the server, by ALTER SYSTEM: the server checks the value, and it wins over every file. A restart where the
 * setting needs one follows from what the server runs with, so one that was missed is made up for.
 */
export function postgresSetting(on: Target, name: SettingName, value: string, { dependsOn = [] }: Options = {}): Step {
  return step({
    id: `postgres.setting ${name}`,
    on,
    dependsOn,
    ask: { now: settingState(name), server: serverState },
    plan({ now, server }) {
      const set = [run(sql`ALTER SYSTEM SET ${ident(name)} = ${value}`), reload]
      if (!now || !server) return changes([create(`setting ${name} = ${value}`, set)], '')
      const list: Change[] = []
      if (now.configured !== value) list.push(update(`setting ${name} ${now.configured} → ${value}`, set))
      if (now.running !== value) {
        const unit = `postgresql@${server.version}-main`
        if (now.atStart) list.push(update(`${unit} restarted`, sh`systemctl restart ${unit}`, { risk: 'restart' }))
        else if (list.length === 0) list.push(update('PostgreSQL reloaded', reload))
      }
      return changes(list, value)
    },
  })
}

/**
 * A role that may log in with this password, and is not a superuser. The password itself never reaches the server. Without
 * one nobody logs in as it but the account that it is, over the local socket.
 */
export function postgresRole(
  on: Target,
  name: string,
  { password, dependsOn = [] }: Options & { password?: Secret },
): Step {
  return step({
    id: `postgres.role ${name}`,
    on,
    dependsOn,
    ask: { now: roleState(name), server: serverState },
    plan({ now, server }) {
      // The same for every plan of this cluster, so that plans can be compared; not to be guessed from the password.
      const salt = createHash('sha256').update(`${server?.identifier} ${name}`).digest().subarray(0, 16)
      const stored = () => (password ? sql`PASSWORD ${scramVerifier(password, salt)}` : sql`PASSWORD NULL`)
      const role = ident(name)
      // What another method than SCRAM keeps may well be this password.
      const isNew = password && (!now?.verifier || (isScram(now.verifier) && !verifies(now.verifier, password)))
      const weak = isNew ? refuseWeak([password]) : undefined
      if (weak) return weak
      if (!now)
        return changes([create(`role ${name}`, run(sql`CREATE ROLE ${role} LOGIN ${stored()}`), { explain })], '')
      const list: Change[] = []
      if (!now.login) list.push(update(`role ${name} may log in`, run(sql`ALTER ROLE ${role} LOGIN`)))
      if (now.superuser) list.push(update(`role ${name} is not a superuser`, run(sql`ALTER ROLE ${role} NOSUPERUSER`)))
      if (password ? !now.verifier || !verifies(now.verifier, password) : now.verifier) {
        const say = password ? `password of role ${name}` : `role ${name} without a password`
        list.push(update(say, run(sql`ALTER ROLE ${role} ${stored()}`), password ? {} : { risk: 'rights' }))
      }
      return changes(list, password ? 'logs in with its password (SCRAM-SHA-256)' : 'logs in by its account (peer)')
    },
  })
}

export interface DatabaseOptions extends Options {
  readonly owner: string
  readonly encoding: string
  /** Both lc_collate and lc_ctype, of libc. */
  readonly collate: string
  /** Whether its owner alone may connect to it: other roles need a grant of their own. */
  readonly closed?: boolean
}

/** Of what kind a database is, which can never change; for a desired: both locales are of libc. */
export function kindOf({ encoding, collate, ctype = collate, provider = 'libc' }: DatabaseKind): string {
  return `${encoding}, ${provider}, collate ${collate}, ctype ${ctype}`
}

interface DatabaseKind {
  readonly encoding: string
  readonly collate: string
  readonly ctype?: string
  readonly provider?: string
}

/** A deploy of all would fill the new database before the dump is read in, which then meets the tables. */
export const databaseRemedy =
  'Dump it, rename it, deploy with --tags postgresql alone, read the dump in, deploy. docs/runbook.md has each command under "Database".'

/**
 * A database of this encoding and collation, which can never change: one that differs is refused, never replaced. Its
 * owner is set; the objects inside keep theirs.
 */
export function postgresDatabase(on: Target, name: string, options: DatabaseOptions): Step {
  const { owner, encoding, collate, closed = false, dependsOn = [] } = options
  return step({
    id: `postgres.database ${name}`,
    on,
    dependsOn,
    ask: { now: databaseState(name), server: serverState },
    plan({ now, server }) {
      if (!now) {
        const provider = (server?.version ?? 15) >= 15 ? sql` LOCALE_PROVIDER libc` : sql``
        const locale = sql`ENCODING ${encoding} LC_COLLATE ${collate} LC_CTYPE ${collate}${provider}`
        const make = sql`CREATE DATABASE ${ident(name)} OWNER ${ident(owner)} TEMPLATE template0 ${locale}`
        return changes([create(`database ${name}`, [run(make), ...(closed ? [close(name)] : [])], { explain })], '')
      }
      const [is, shall] = [kindOf(now), kindOf(options)]
      if (is !== shall) {
        return refuse(`database ${name} is ${is}, not ${shall}, and that cannot be changed in place`, databaseRemedy)
      }
      const alter = run(sql`ALTER DATABASE ${ident(name)} OWNER TO ${ident(owner)}`)
      const list = [
        ...(now.owner === owner
          ? []
          : [update(`owner of database ${name} ${now.owner} → ${owner}`, alter, { explain })]),
        ...(closed ? closing(name, now) : []),
      ]
      return changes(list, `${is}, owner ${owner}`)
    },
  })
}

/** A database of PostgreSQL's own that only superusers connect to, and whom they grant it. */
export function postgresClosed(on: Target, name: string, { dependsOn = [] }: Options = {}): Step {
  return step({
    id: `postgres.closed ${name}`,
    on,
    dependsOn,
    ask: { now: databaseState(name) },
    plan: ({ now }) => changes(closing(name, now ?? { open: true }), 'not open to every role'),
  })
}

const close = (name: string) => run(sql`REVOKE CONNECT, TEMPORARY ON DATABASE ${ident(name)} FROM PUBLIC`)

const closing = (name: string, { open }: Pick<DatabaseState, 'open'>): Change[] =>
  open ? [update(`database ${name} is not open to every role`, close(name), { risk: 'rights', explain })] : []

/** An extension in a database, at whatever version the server carries. */
export function postgresExtension(on: Target, database: string, name: string, { dependsOn = [] }: Options = {}): Step {
  return step({
    id: `postgres.extension ${database}/${name}`,
    on,
    dependsOn,
    ask: { installed: extensions(database) },
    plan({ installed }) {
      const version = installed[name]
      if (version !== undefined) return changes([], `installed ${version}`)
      return changes(
        [create(`extension ${name}`, run(sql`CREATE EXTENSION ${ident(name)} SCHEMA public`, database), { explain })],
        '',
      )
    },
  })
}

/** What PostgreSQL means, in a line. */
export function explain({ stderr }: Output): string | undefined {
  const missing = stderr.match(/extension "(.+?)" is not available|control file ".*\/(.+?)\.control"/)
  if (missing) return `the package of extension ${missing[1] ?? missing[2]} is not installed for this PostgreSQL`
  if (/connection to server .* failed/.test(stderr)) return 'PostgreSQL does not answer'
  return stderr.match(/^(?:psql:\S+ )?ERROR: {2}(.*)$/m)?.[1]
}
