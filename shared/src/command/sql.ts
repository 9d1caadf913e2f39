import { describe, holdsSecret, plainText, showText, type Text, text } from './command.ts'
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
 * statement is taken as it is. Rejects everything else. A statement that holds a secret goes by stdin: {@link psql}.
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

const client = (database: string): Shell =>
  sh`cd / && runuser -u postgres -- psql -X -q -A -t -v ON_ERROR_STOP=1 -d ${database}`

/** Runs one statement as the superuser `postgres`, over the local socket. One that holds a secret goes by stdin. */
export function psql(database: string, statement: Text) {
  if (holdsSecret(statement)) return withStdin(client(database), text`${statement};\n`)
  return sh`${client(database)} -c ${showText(statement)}`
}

/** Runs a script of psql (several statements, backslash commands) as the superuser `postgres`. */
export function psqlScript(database: string, script: string) {
  return withStdin(client(database), plainText(script))
}

function isIdentifier(hole: unknown): hole is Identifier {
  return typeof hole === 'object' && hole !== null && typeof (hole as Identifier).identifier === 'string'
}

// A backslash has no meaning in it: standard_conforming_strings is on since PostgreSQL 9.1.
const literal = (value: string) => quoted(value, "'")

function quoted(value: string, mark: string): string {
  if (value.includes('\0')) throw new TypeError('sql: PostgreSQL cannot hold a NUL byte')
  return mark + value.replaceAll(mark, mark + mark) + mark
}
