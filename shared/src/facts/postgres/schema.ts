import { askUser, isNoUser } from '../../command/as-user.ts'
import { jsonAnswer } from '../../command/json-answer.ts'
import { psqlClient } from '../../command/sql.ts'
import type { Question } from '../../engine/step.ts'
import { columnsQuery } from './tables.ts'

export interface SchemaPlace {
  readonly database: string
  /** The role that owns what the schema makes, and the user of the same name that reads its files. */
  readonly owner: string
  /** The folder of the files. */
  readonly folder: string
  /** The files below it, in the order in which they are applied. */
  readonly files: readonly string[]
}

export interface SchemaState {
  /** Why it cannot be applied yet: no files, no database; undefined when it can. */
  readonly lacks: string | undefined
  /** SHA-256 of all the files, in their order. */
  readonly digest: string
  /** That of the files applied last, by the record in the database. */
  readonly applied: string | undefined
  /** What was made then and is not there any more: `relation public.beliefs`. */
  readonly missing: readonly string[]
  /** What belongs to another role than the owner. */
  readonly strange: readonly string[]
  /** The files themselves; only where they are to be applied. */
  readonly contents: readonly string[]
  /** The columns of the tables that are there; only where files are to be applied. */
  readonly columns: Readonly<Record<string, readonly string[]>>
}

/** The record of what was applied: a table in a schema of this project, so that a dump carries it with the data it is about. */
export const recordTable = 'infra.applied'

/** Whether an object `o`, as {@link SchemaState} names it, is there. */
export const exists = `case split_part(o, ' ', 1)
  when 'relation' then to_regclass(substr(o, 10)) is not null
  when 'function' then exists (select from pg_proc p where p.pronamespace::regnamespace || '.' || p.proname = substr(o, 10))
  else exists (select from pg_constraint where conname = substr(o, 12)) end`

/**
 * Whether an object may be given to the role (SQL): it stands in a schema that is for the role, and no extension brought
 * it. The role can write the record itself, and must not be given what is PostgreSQL's.
 */
export const isGivable = (oid: string, namespace: string, role: string) =>
  `(${namespace}::regnamespace::text in ('public', 'infra') or exists (select from pg_namespace where oid = ${namespace} and nspowner = ${role}))
    and not exists (select from pg_depend where objid = ${oid} and deptype = 'e')`

/** Whom an object belongs to; null where it is not there, is not to be given, or goes with its table (an index, a constraint). */
const owner = `case split_part(o, ' ', 1)
  when 'relation' then (select pg_get_userbyid(relowner) from pg_class c where oid = to_regclass(substr(o, 10))
    and relkind not in ('i', 'I') and ${isGivable('c.oid', 'relnamespace', 'current_user::regrole')})
  when 'function' then (select min(pg_get_userbyid(proowner)) from pg_proc p
    where p.pronamespace::regnamespace || '.' || p.proname = substr(o, 10) and proowner <> current_user::regrole
    and ${isGivable('p.oid', 'pronamespace', 'current_user::regrole')}) end`

const query = `select to_regclass('${recordTable}') is not null as known \\gset
\\if :known
select json_build_object('applied', digest,
  'missing', (select coalesce(json_agg(o), '[]') from unnest(objects) o where not ${exists}),
  'strange', (select coalesce(json_agg(o), '[]') from unnest(objects) o where ${owner} <> current_user))
from ${recordTable} where name = :'name';
\\endif`

// As the user, who is the role too (peer): root reads nothing that the user could have put in the place of a file.
const script = `db=$1; name=$2; cd "$3" 2>/dev/null || { echo "lacks $3"; exit 0; }
shift 3
for f do [ -f "$f" ] && [ -r "$f" ] && [ "$(stat -Lc %s -- "$f")" -le 8388608 ] || { echo "lacks $PWD/$f"; exit 0; }; done
digest=$(cat -- "$@" | sha256sum) && digest=\${digest%% *}
echo "digest $digest"
record=$(${psqlClient.line} -v name="$name" -d "$db" <<'SQL'
${query}
SQL
) || exit
echo "record $record"
case $record in *"$digest"*'"missing" : []'*) exit 0 ;; esac
for f do echo "file $(base64 -w0 <"$f")"; done
echo "columns $(${psqlClient.line} -d "$db" <<'SQL'
${columnsQuery}
SQL
)"`

/** What a schema's files are, and what of them is in the database; asked as the owner, over the local socket. */
export function schemaState(name: string, { database, owner, folder, files }: SchemaPlace): Question<SchemaState> {
  return {
    command: askUser(owner, script, [database, name, folder, ...files]),
    parse(answer) {
      const { code, stdout, stderr } = answer
      const lines = stdout.split('\n').map((line) => line.split(/ (.*)/s))
      const all = (key: string) => lines.filter(([word]) => word === key).map(([, value = '']) => value)
      const absent =
        isNoUser(answer) || /psql: not found|must install at least one postgresql-client/.test(stderr)
          ? 'PostgreSQL'
          : stderr.match(/FATAL: +(?:(role|database) "\S+") does not exist/) && `database ${database}`
      const [lacks = absent || undefined] = all('lacks')
      if (code !== 0 && !absent) {
        const said = stderr.split('\n').find((line) => /^psql: error:|ERROR:|FATAL:/.test(line)) ?? `exit code ${code}`
        throw new Error(`PostgreSQL does not answer: ${said.replace(/^psql: error: /, '')}`)
      }
      const record = jsonAnswer<Partial<SchemaState>>(all('record')[0] || '{}', 'the record of the schema')
      return {
        lacks,
        digest: all('digest')[0] ?? '',
        applied: record.applied,
        missing: record.missing ?? [],
        strange: record.strange ?? [],
        contents: all('file').map((base64) => Buffer.from(base64, 'base64').toString()),
        columns: JSON.parse(all('columns')[0] || '{}') as SchemaState['columns'],
      }
    },
  }
}
