import { posix } from 'node:path'
import type { Output } from '../../command/command.ts'
import { type Secret, secret } from '../../command/secret.ts'
import { superuserScript } from '../../command/sql.ts'
import type { Question } from '../../engine/step.ts'

/** The settings that can be asked for: all facts of a server come with one query. */
const settings = ['listen_addresses', 'log_connections', 'password_encryption'] as const
export type SettingName = (typeof settings)[number]

export interface SettingState {
  /** What the server runs with. */
  readonly running: string
  /** What its files say now, or else its default. */
  readonly configured: string
  /** Whether it takes effect only at a restart. */
  readonly atStart: boolean
}

export interface RoleState {
  readonly login: boolean
  readonly superuser: boolean
  /** What is stored of its password. */
  readonly verifier: Secret | undefined
}

export interface DatabaseState {
  readonly owner: string
  readonly encoding: string
  readonly collate: string
  readonly ctype: string
  /** `libc`, `icu`, `builtin`; libc before PostgreSQL 15. */
  readonly provider: string
  /** Whether every role may connect to it. */
  readonly open: boolean
}

/** A line of pg_hba.conf as the server understands it (pg_hba_file_rules). */
export interface AccessRule {
  readonly file: string
  readonly line: number
  /** `local`, `host`, `hostssl` … */
  readonly type: string
  readonly databases: readonly string[]
  readonly users: readonly string[]
  readonly address: string | null
  readonly netmask: string | null
  readonly method: string
  /** `map=synapse` … */
  readonly options?: readonly string[]
}

/** A file of the cluster, as the server read it. */
export interface ServerFile {
  readonly file: string
  readonly content: string
  /** Whether the file was written after the server last read it. */
  readonly unread: boolean
}

export interface AccessState extends ServerFile {
  readonly rules: readonly AccessRule[]
  /** Lines the server does not understand, in its words. */
  readonly errors: readonly string[]
  /** pg_ident.conf: which account of the host is which role. */
  readonly ident: ServerFile
}

export interface ServerState {
  /** The major version. */
  readonly version: number
  /** Made at random with the cluster, the same for its life (pg_control_system). */
  readonly identifier: string
}

interface Raw extends ServerState {
  readonly settings: Readonly<Record<string, SettingState>>
  readonly roles: Readonly<Record<string, Omit<RoleState, 'verifier'> & { readonly verifier: string | null }>>
  readonly databases: Readonly<Record<string, DatabaseState>>
  readonly access: Omit<AccessState, 'rules' | 'errors'> & { rules: (AccessRule & { error: string | null })[] }
}

// Columns newer than PostgreSQL 13 (rule_number, file_name, datlocprovider) are read by way of the row as JSON.
const query = `select json_build_object(
'version', current_setting('server_version_num')::int / 10000,
'identifier', (select system_identifier::text from pg_control_system()),
'settings', (select json_object_agg(s.name, json_build_object('running', s.setting, 'atStart', s.context = 'postmaster',
  'configured', coalesce((select f.setting from pg_file_settings f where f.name = s.name order by f.seqno desc limit 1), s.boot_val)))
  from pg_settings s where s.name in (${settings.map((name) => `'${name}'`).join(', ')})),
'roles', (select json_object_agg(rolname, json_build_object('login', rolcanlogin, 'superuser', rolsuper, 'verifier', rolpassword))
  from pg_authid where rolname !~ '^pg_'),
'databases', (select json_object_agg(datname, json_build_object('owner', pg_get_userbyid(datdba),
  'encoding', pg_encoding_to_char(encoding), 'collate', datcollate, 'ctype', datctype,
  'open', has_database_privilege('public', oid, 'CONNECT'),
  'provider', case to_jsonb(d) ->> 'datlocprovider' when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end))
  from pg_database d),
'access', (select json_build_object('file', file, 'content', pg_read_file(file),
  'unread', (pg_stat_file(file)).modification > pg_conf_load_time(),
  'rules', (select coalesce(json_agg(json_build_object('file', coalesce(to_jsonb(r) ->> 'file_name', file), 'line', line_number,
    'type', type, 'databases', coalesce(database, '{}'), 'users', coalesce(user_name, '{}'), 'address', address,
    'netmask', netmask, 'method', auth_method, 'options', coalesce(options, '{}'), 'error', error) order by line_number), '[]')
    from pg_hba_file_rules r),
  'ident', (select json_build_object('file', file, 'content', pg_read_file(file),
    'unread', (pg_stat_file(file)).modification > pg_conf_load_time()) from current_setting('ident_file') file))
  from current_setting('hba_file') file));
`

const command = superuserScript('postgres', query)

const notUnderstood = 'PostgreSQL gave an answer that is not understood'

/** A fact of the running server; null where PostgreSQL is not installed. Equal questions: one query answers them all. */
function asked<T>(pick: (raw: Raw) => T): Question<T | null> {
  return {
    command,
    parse(answer) {
      const raw = parseAnswer(answer) as Raw | null
      try {
        return raw && pick(raw)
      } catch (error) {
        // A part of it is missing, or is another thing than what was asked for.
        throw error instanceof TypeError ? new Error(notUnderstood) : error
      }
    },
  }
}

/** The server itself; null where PostgreSQL is not installed. Throws while it does not answer, as all here do. */
export const serverState: Question<ServerState | null> = asked(({ version, identifier }) => ({ version, identifier }))

/** A setting as it runs and as it is configured. */
export const settingState = (name: SettingName): Question<SettingState | null> =>
  asked(({ settings }) => settings[name] ?? null)

/** A role; null when there is none of this name. */
export const roleState = (name: string): Question<RoleState | null> =>
  asked(({ roles }) => {
    const role = Object.hasOwn(roles, name) ? roles[name] : undefined
    return role ? { ...role, verifier: role.verifier === null ? undefined : secret(role.verifier) } : null
  })

/** A database; null when there is none of this name. */
export const databaseState = (name: string): Question<DatabaseState | null> =>
  asked(({ databases }) => (Object.hasOwn(databases, name) ? (databases[name] ?? null) : null))

/**
 * Who may log in how: pg_hba.conf and what the server makes of it. Throws where the server tells of a file that is not in
 * a folder of its cluster: the path comes out of an answer, and root is going to write there.
 */
export const accessState: Question<AccessState | null> = asked(({ access, version }) => ({
  ...access,
  file: ofCluster('hba_file', access.file, version),
  ident: { ...access.ident, file: ofCluster('ident_file', access.ident.file, version) },
  rules: access.rules.filter(({ error }) => error === null).map(({ error: _, ...rule }) => rule),
  errors: access.rules.flatMap(({ file, line, error }) => (error === null ? [] : [`${file}:${line}: ${error}`])),
}))

/** A path as the server tells it; throws where it is not in plain words one of a file below a folder of the cluster `main`. */
function ofCluster(setting: string, path: string, version: number): string {
  const folders = [`/etc/postgresql/${version}/main/`, `/var/lib/postgresql/${version}/main/`]
  const inside =
    folders.some((folder) => path.startsWith(folder)) && posix.normalize(path) === path && !path.endsWith('/')
  if (inside && /^[\w./-]+$/.test(path)) return path
  throw new Error(
    `PostgreSQL says that its ${setting} is ${JSON.stringify(path)}, which is outside ${folders.join(' and ')}: set ${setting} to a path there`,
  )
}

/** The extensions of a database, version by name; none when there is no such database or no PostgreSQL. */
export function extensions(database: string): Question<Readonly<Record<string, string>>> {
  const name = `'${database.replaceAll("'", "''")}'`
  // The database may not be there yet: that must not look like a server that is down.
  const script = `select exists (select from pg_database where datname = ${name}) as found \\gset
\\if :found
\\connect ${name}
select coalesce(json_object_agg(extname, extversion), '{}') from pg_extension;
\\endif
`
  return {
    command: superuserScript('postgres', script),
    parse: (answer) => (parseAnswer(answer) ?? {}) as Readonly<Record<string, string>>,
  }
}

/** Null where PostgreSQL is not installed, and for an empty answer. Says nothing of what was answered: it holds verifiers. */
export function parseAnswer({ code, stdout, stderr }: Output): unknown {
  if (code === 127 || /user postgres does not exist|You must install at least one postgresql-client/.test(stderr)) {
    return null
  }
  if (code !== 0) {
    const said = stderr.split('\n').find((line) => /^psql: error:|ERROR:|FATAL:/.test(line)) ?? `exit code ${code}`
    throw new Error(`PostgreSQL does not answer: ${said.replace(/^psql: error: /, '')}`)
  }
  try {
    return stdout.trim() === '' ? null : JSON.parse(stdout)
  } catch {
    throw new Error(notUnderstood)
  }
}
