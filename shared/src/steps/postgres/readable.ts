import { ident, sql, superuserStatement } from '../../command/sql.ts'
import { changes, type Dependency, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type Unreadable, unreadable } from '../../facts/postgres/unreadable.ts'
import { explain } from './postgres.ts'

/**
 * All tables and sequences of a database can be read by a role, whoever made them: it is this role that makes the backup,
 * since a superuser who reads a table may run what the owner of the database made of it.
 */
export function postgresReadable(
  on: Target,
  database: string,
  role: string,
  { dependsOn = [] }: { dependsOn?: readonly Dependency[] } = {},
): Step {
  return step({
    id: `postgres.readable ${database}`,
    on,
    dependsOn,
    ask: { closed: unreadable(database, role) },
    plan({ closed }) {
      const grants = closed.map((object) => superuserStatement(database, grant(object, role)))
      const say = `role ${role} may read ${few(closed.map(nameOf))} of database ${database}`
      return changes(grants.length > 0 ? [update(say, grants, { explain })] : [], `role ${role} may read all`)
    },
  })
}

function grant({ kind, schema, name }: Unreadable, role: string) {
  if (kind === 'SCHEMA') return sql`GRANT USAGE ON SCHEMA ${ident(schema)} TO ${ident(role)}`
  return sql`GRANT SELECT ON ${ident(schema)}.${ident(name ?? '')} TO ${ident(role)}`
}

const nameOf = ({ kind, schema, name }: Unreadable) =>
  `${kind.toLowerCase()} ${schema}${name === null ? '' : `.${name}`}`

const few = (names: readonly string[]) =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
