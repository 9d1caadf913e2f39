import { askUser, isNoUser } from '../../command/as-user.ts'
import { jsonAnswer } from '../../command/json-answer.ts'
import { psqlClient } from '../../command/sql.ts'
import type { Question } from '../../engine/step.ts'

export interface TableState {
  /** The columns of each table of schema public, by its name. */
  readonly columns: Readonly<Record<string, readonly string[]>>
  /** Whether a row of the desired table could be read, as the role. */
  readonly readable: boolean
}

/** The columns of each table of schema public, as a JSON object by its name. */
export const columnsQuery = `select coalesce(json_object_agg(relname, names), '{}') from (
  select c.relname, json_agg(a.attname order by a.attnum) as names from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') group by c.relname) t;`

const query = `set statement_timeout = '10s';
${columnsQuery}
select 'read ' || count(*) from (select from :"table" limit 1) t;`

const script = `exec ${psqlClient.line} -v table="$2" -d "$1" <<'SQL'
${query}
SQL`

/** The tables of a database as a role of this name sees them, and whether it can read one of them. */
export function tableState(database: string, role: string, table: string): Question<TableState> {
  return {
    command: askUser(role, script, [database, table]),
    parse(answer) {
      if (isNoUser(answer)) return { columns: {}, readable: false }
      const [columns = '', read] = answer.stdout.trim().split('\n')
      if (!columns.startsWith('{')) throw new Error(answer.stderr.trim().split('\n')[0] || 'psql says nothing')
      return {
        columns: jsonAnswer<TableState['columns']>(columns, 'the columns of a table'),
        readable: /^read \d/.test(read ?? ''),
      }
    },
  }
}
