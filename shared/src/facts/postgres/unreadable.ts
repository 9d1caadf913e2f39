import { showText } from '../../command/command.ts'
import { sql, superuserScript } from '../../command/sql.ts'
import type { Question } from '../../engine/step.ts'
import { parseAnswer } from './postgres.ts'

/** Something in a database that a role may not read: a table, a sequence, or a schema, which has no name within it. */
export interface Unreadable {
  readonly kind: 'TABLE' | 'SEQUENCE' | 'SCHEMA'
  readonly schema: string
  readonly name: string | null
}

/**
 * What a role may not read in a database, by PostgreSQL's catalogs; nothing while there is no such role or database, or no
 * PostgreSQL. What an extension brought is not meant: a dump does not hold it.
 */
export function unreadable(database: string, role: string): Question<readonly Unreadable[]> {
  const script = sql`select exists (select from pg_database where datname = ${database}) and exists (select from pg_roles where rolname = ${role}) as found \\gset
\\if :found
\\connect ${database}
select coalesce(json_agg(json_build_object('kind', kind, 'schema', nspname, 'name', name) order by kind, nspname, name), '[]') from (
select 'SCHEMA' as kind, nspname, null::name as name from pg_namespace n
  where not has_schema_privilege(${role}, n.oid, 'USAGE') and not exists (select from pg_depend where objid = n.oid and deptype = 'e')
union all select case relkind when 'S' then 'SEQUENCE' else 'TABLE' end, nspname, relname
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where relkind in ('r', 'p', 'S') and not has_table_privilege(${role}, c.oid, 'SELECT')
  and not exists (select from pg_depend where objid = c.oid and deptype = 'e')) found
where nspname !~ '^pg_' and nspname <> 'information_schema';
\\endif
`
  return {
    command: superuserScript('postgres', showText(script)),
    parse: (answer) => (parseAnswer(answer) ?? []) as readonly Unreadable[],
  }
}
