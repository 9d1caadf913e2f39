import { inTime } from './as-user.ts'
import { type Command, describe, holdsSecret, plainText, showText, type Text, text } from './command.ts'
import { derive, isSecret, type Secret } from './secret.ts'
import { type Shell, sh, withStdin } from './sh.ts'

/** The name of a role, database, extension or setting, quoted as such by {@link sql}. Made by {@link ident}. */
export interface Identifier {
  readonly identifier: string
}

/** A name for {@link sql}. */
export const ident = (name: string): Identifier => ({ identifier: name })

/**
 * Builds an SQL statement: a string, number or secret becomes a quoted literal, an {@link ident} a quoted name, another
 * statement is taken as it is. Rejects everything else. A statement that holds a secret goes by stdin: {@link superuserStatement}.
 */
export function sql(strings: TemplateStringsArray, ...holes: (string | number | Secret | Identifier | Text)[]): Text {
  const parts = holes.map((hole, index): string | Secret | Text => {
    if (isSecret(hole)) return derive((open) => literal(open(hole)))
    if (typeof hole === 'string') return literal(hole)
    if (typeof hole === 'number' && Number.isFinite(hole)) return String(hole)
    if (isIdentifier(hole)) return quoted(hole.identifier, '"')
    if (typeof hole === 'object' && hole !== null && 'parts' in hole) return hole
    throw new TypeError(`sql: hole ${index + 1} is ${describe(hole)}`)
  })
  return text(strings, ...parts)
}

/**
 * What each session of the superuser begins with. The owner of a database sets how sessions in it begin (ALTER DATABASE …
 * SET) and makes functions, operators and event triggers that a name could lead to; what is given at the start wins.
 */
const superuserOptions = [
  'search_path=pg_catalog',
  // Event triggers, also those of a login, and their functions may belong to anybody.
  'session_replication_role=replica',
  'standard_conforming_strings=on',
  'client_encoding=UTF8',
  'client_min_messages=warning',
  'default_transaction_read_only=off',
]

/** The same for a role's own sessions: what is asked is what PostgreSQL answers, unless the role makes it lie. */
const roleOptions = ['search_path=public', ...superuserOptions.slice(2)]

const started = (options: readonly string[]) => `PGOPTIONS=${options.map((option) => `-c ${option}`).join(' ')}`
const quiet = ['psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1']

/** psql, for a program that runs as the user of a role already; the database and the statements are still to be said. */
export const psqlClient: Shell = sh`env ${started(roleOptions)} ${quiet}`

/** Roles that are another account of the host than that of their name; `postgresAccess` has PostgreSQL take it for them. */
export const peers: Readonly<Record<string, string>> = { synapse: 'matrix-synapse' }

const accountOf = (role: string): string => peers[role] ?? role

/** A program as the user of a role, for who works there by hand: sessions begin as the database says. */
export const asRole = (role: string, ...words: readonly string[]): readonly string[] => [
  ...(role in peers ? ['env', `PGUSER=${role}`] : []),
  ...['runuser', '-u', accountOf(role), '--'],
  ...words,
]

/**
 * A client of PostgreSQL as a role: connected as it, by the account that it is (peer), so that nothing that the owner of a
 * database has put there runs with more rights than the owner has. (A superuser who only sets its role is one
 * RESET away.) Words of a command, to be run in `/`.
 */
export const roleClient = (role: string, ...words: readonly string[]): readonly string[] => [
  'env',
  started(roleOptions),
  ...asRole(role, ...words),
]

/** psql as a role in a database, which reads statements on stdin. */
export const rolePsql = (role: string, database: string): readonly string[] =>
  roleClient(role, ...quiet, '-d', database)

/** Asks by a script of psql (several statements, backslash commands) as a role: {@link roleClient}. */
export function askRole(role: string, database: string, script: string): Command {
  return withStdin(sh`cd / && { ${inTime(sh`${rolePsql(role, database)}`)}; }`, plainText(script))
}

const superuserClient = ['env', started(superuserOptions), 'runuser', '-u', 'postgres', '--', ...quiet, '-d']

/** psql as the superuser in a database, which reads statements on stdin: for a program, with the limits of {@link superuserStatement}. */
export const superuserPsql = (database: string): readonly string[] => [...superuserClient, database]
const superuser = (database: string): Shell => sh`cd / && ${superuserPsql(database)}`

/**
 * Runs one statement as the superuser `postgres`, over the local socket. One that holds a secret goes by stdin. Only for
 * what needs a superuser: never to read or write a table, view or function that is not PostgreSQL's own.
 */
export function superuserStatement(database: string, statement: Text): Command {
  if (holdsSecret(statement)) return withStdin(superuser(database), text`${statement};\n`)
  return sh`${superuser(database)} -c ${showText(statement)}`
}

/** Runs a script of psql as the superuser `postgres`, with the same limits as {@link superuserStatement}. */
export function superuserScript(database: string, script: string): Command {
  return withStdin(superuser(database), plainText(script))
}

/**
 * The same two for our programs of bash: `superuser DATABASE [OPTION...]` reads statements on stdin, `as_role ROLE
 * PROGRAM [WORD...]` runs a client as the role, `role_sql ROLE DATABASE [OPTION...]` reads statements on stdin.
 */
export const postgresFunctions = `superuser() { (cd / && exec ${sh`${superuserClient}`.line} "$@"); }
as_role() {
  (cd / && export PGUSER=$1 && account=$1 && shift && case $PGUSER in ${Object.entries(peers)
    .map(([role, account]) => `${role}) account=${account} ;;`)
    .join(' ')} esac && exec env ${sh`${started(roleOptions)}`.line} runuser -u "$account" -- "$@")
}
role_sql() { (role=$1 && shift && as_role "$role" ${sh`${quiet}`.line} -d "$@"); }
`

function isIdentifier(hole: unknown): hole is Identifier {
  return typeof hole === 'object' && hole !== null && typeof (hole as Identifier).identifier === 'string'
}

// A backslash has no meaning in it: standard_conforming_strings is on since PostgreSQL 9.1.
const literal = (value: string) => quoted(value, "'")

function quoted(value: string, mark: string): string {
  if (value.includes('\0')) throw new TypeError('sql: PostgreSQL cannot hold a NUL byte')
  return mark + value.replaceAll(mark, mark + mark) + mark
}
