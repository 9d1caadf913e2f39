import { type Output, plainText, showText, type Text } from '../../command/command.ts'
import { sh, withStdin } from '../../command/sh.ts'
import { roleClient, sql, superuserScript } from '../../command/sql.ts'
import { changes, create, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import {
  exists,
  isGivable,
  recordTable,
  type SchemaPlace,
  type SchemaState,
  schemaState,
} from '../../facts/postgres/schema.ts'
import { lackingColumns } from '../../facts/postgres/schema-columns.ts'
import { sayUnfitting } from './schema-fits.ts'
import { objectsOf, reapplicable, transactionIn } from './schema-script.ts'

export interface SchemaOptions extends SchemaPlace {
  /** What brings the files and the database, for the error. */
  readonly comesFrom: string
  readonly dependsOn?: readonly Dependency[]
}

/**
 * The tables and functions of SQL files in a database, applied again when the files differ from what the database's own
 * record says was applied, or when something that they make is missing: a database that was restored or damaged. All in
 * one transaction, as the owner; safe on a database with data as far as the files are (IF NOT EXISTS, OR REPLACE).
 */
export function postgresSchema(on: Target, name: string, options: SchemaOptions): Step {
  const { database, owner, folder, files, comesFrom, dependsOn = [] } = options
  const what = `schema ${name} of database ${database}`
  return step({
    id: `postgres.schema ${database}/${name}`,
    on,
    dependsOn,
    unknownWhilePending: true,
    ask: { now: schemaState(name, options) },
    plan({ now }, { earlierChanges }) {
      if (now.lacks && !earlierChanges && now.lacks.startsWith('/'))
        return refuse(`${now.lacks} is not there`, `${comesFrom}; or choose a ref of the repository that has it.`)
      const missing = sh`echo ${`there is no ${now.lacks ?? 'database'}: ${comesFrom}`} >&2; exit 1`
      if (now.lacks) return changes([create(what, missing, { explain: ({ stderr }) => stderr.trim() })], '')
      const own = superuserScript(database, handOver(now.strange, owner))
      if (now.applied === now.digest && now.missing.length === 0) {
        const say = `${few(now.strange)} of ${what} → ${owner}`
        return changes(now.strange.length > 0 ? [update(say, own)] : [], `${now.digest.slice(0, 7)}, all there`)
      }
      const ends = now.contents.map(transactionIn).find((statement) => statement !== undefined)
      if (ends) return refuse(`${what}: its files begin or end a transaction (${ends})`, `Take that out of ${folder}.`)
      const lacking = lackingColumns(now.contents, now.columns)
      if (lacking.length > 0)
        return refuse(
          sayUnfitting({ database, lacking, of: `the files in ${folder}` }),
          'Choose the ref of the repository that the tables are of; or make a backup and add the columns as the files have them.',
        )
      const objects = now.contents.flatMap(objectsOf)
      const strict = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '--single-transaction', '-d', database, '-f', '-']
      const client = sh`cd / && ${roleClient(owner, 'psql', ...strict)}`
      const apply = withStdin(client, applyScript(name, now, objects))
      const commands = [superuserScript(database, handOver(objects, owner)), apply]
      const explain = (output: Output) => explainSchema(output, files, now.contents)
      return changes([(now.applied ? update : create)(`${what}${why(now)}`, commands, { explain })], '')
    },
  })
}

function why({ applied, digest, missing }: SchemaState): string {
  if (missing.length > 0) return `: ${few(missing)} missing`
  return applied ? ` ${applied.slice(0, 7)} → ${digest.slice(0, 7)}` : ''
}

const few = (objects: readonly string[]) =>
  objects.length > 3 ? `${objects.slice(0, 3).join(', ')} and ${objects.length - 3} more` : objects.join(', ')

// One line, so that a line of the first file is told from its number alone.
const head = "SET client_min_messages = warning; SET LOCAL lock_timeout = '30s'; SET LOCAL search_path = public;"

/** The record holds what is there when all is applied: no more is ever missed than was made. */
function applyScript(name: string, { contents, digest }: SchemaState, objects: readonly string[]): Text {
  const files = contents.map((content) => `${reapplicable(content).replace(/\n$/, '')}\n`).join('')
  const record = sql`CREATE SCHEMA IF NOT EXISTS infra;
CREATE TABLE IF NOT EXISTS infra.applied (name text PRIMARY KEY, digest text NOT NULL, objects text[] NOT NULL, applied_at timestamptz NOT NULL);
INSERT INTO infra.applied SELECT ${name}, ${digest}, array(SELECT o FROM json_array_elements_text(${JSON.stringify(objects)}) t (o) WHERE ${plainText(exists)}), now()
ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, objects = excluded.objects, applied_at = excluded.applied_at;
`
  return { parts: [`${head}\n${files}`, ...record.parts] }
}

/** Makes the owner the owner of those of the objects that are there, belong to another and may be given, as the superuser. */
function handOver(objects: readonly string[], owner: string): string {
  const role = sql`${owner}::regrole`
  const givable = (oid: string, namespace: string) => plainText(isGivable(oid, namespace, showText(role)))
  const statement = sql`SELECT format('ALTER %s %s OWNER TO %I', kind, object, ${owner}) FROM (
SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text, relowner
FROM json_array_elements_text(${JSON.stringify(objects)}) t (o) JOIN pg_class c ON c.oid = to_regclass(substr(o, 10)) WHERE o LIKE 'relation %' AND relkind IN ('r', 'p', 'v', 'm', 'S')
AND ${givable('c.oid', 'c.relnamespace')}
UNION ALL SELECT 'ROUTINE', p.oid::regprocedure::text, proowner
FROM json_array_elements_text(${JSON.stringify(objects)}) t (o) JOIN pg_proc p ON o = 'function ' || p.pronamespace::regnamespace || '.' || p.proname
WHERE ${givable('p.oid', 'p.pronamespace')}
UNION ALL SELECT 'TABLE', ${recordTable}, relowner FROM pg_class WHERE oid = to_regclass(${recordTable})
UNION ALL SELECT 'SCHEMA', 'infra', nspowner FROM pg_namespace WHERE nspname = 'infra'
) AS found (kind, object, holder) WHERE holder <> ${role}`
  return `${showText(statement)} \\gexec\n`
}

/** PostgreSQL's complaint, with the line of the file that it is about. */
export function explainSchema({ stderr }: Output, files: readonly string[], contents: readonly string[]) {
  const [, number, said] = stderr.match(/^psql:<stdin>:(\d+): +(?:ERROR|FATAL): +(.*)$/m) ?? []
  if (!said) return stderr.match(/(?:ERROR|FATAL): +(.*)/)?.[1]
  let line = Number(number) - 1
  for (const [index, content] of contents.entries()) {
    const lines = content.replace(/\n$/, '').split('\n').length
    if (line <= lines) return `${files[index]}:${line}: ${said}; nothing of it was applied`
    line -= lines
  }
  return `${said}; nothing of it was applied`
}
