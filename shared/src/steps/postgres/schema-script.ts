import { type Statement, statements } from '../../command/sql-statements.ts'

const name = String.raw`((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?)`
const flags = 'i'
const made = new RegExp(
  String.raw`^CREATE\s+(?:OR\s+REPLACE\s+)?(?:UNIQUE\s+|UNLOGGED\s+|MATERIALIZED\s+|RECURSIVE\s+)*(TABLE|VIEW|SEQUENCE|FUNCTION|PROCEDURE)\s+(?:IF\s+NOT\s+EXISTS\s+)?${name}`,
  flags,
)
const index = new RegExp(String.raw`^CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:IF\s+NOT\s+EXISTS\s+)?${name}\s+ON\s`, flags)
const constraint = new RegExp(
  String.raw`^ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?${name}\s+ADD\s+CONSTRAINT\s+("[^"]+"|\w+)\s`,
  flags,
)
const transaction = /^(BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK|ABORT|VACUUM)\b/i

/**
 * A schema's file as it can be applied again to a database that has it already: `ADD CONSTRAINT`, for which PostgreSQL
 * has no IF NOT EXISTS, passes over a constraint of that name that is there. Nothing else is tolerated, and no line moves.
 */
export function reapplicable(script: string): string {
  const all = statements(script).map(({ before, text }) => before + guarded(text))
  const [, open = ''] = all.at(-1)?.match(/^([\s\S]*?)\s*$/) ?? []
  // The last one needs no semicolon where it is the end of a file: here another may follow.
  return statements(open).at(-1)?.text ? `${[...all.slice(0, -1), open].join(';')};\n` : all.join(';')
}

function guarded(text: string): string {
  // One that does several things would lose those behind the first.
  const several = (text.match(/\b(ADD|DROP|ALTER)\s+(CONSTRAINT|COLUMN)\b/gi)?.length ?? 0) > 1
  if (!constraint.test(text) || several) return text
  return `DO $infra$ BEGIN ${text}; EXCEPTION WHEN duplicate_object OR duplicate_table THEN NULL; END $infra$`
}

/** What a script leaves behind, as facts/postgres-schema names it: `relation public.beliefs`, `constraint fk_session`. */
export function objectsOf(script: string): string[] {
  const found = statements(script).flatMap(({ text }) => {
    const [, kind = '', what] = text.match(made) ?? []
    if (what) return [`${/FUNCTION|PROCEDURE/i.test(kind) ? 'function' : 'relation'} ${qualified(what)}`]
    const [, on] = text.match(index) ?? []
    if (on) return [`relation ${qualified(on)}`]
    const [, , added] = text.match(constraint) ?? []
    return added ? [`constraint ${plain(added)}`] : []
  })
  return [...new Set(found)]
}

/** A statement that would begin or end a transaction, so that not all or nothing would be applied; undefined: none. */
export function transactionIn(script: string): string | undefined {
  return statements(script).find(({ text }: Statement) => transaction.test(text))?.text
}

const plain = (word: string) => (word.startsWith('"') ? word.slice(1, -1) : word.toLowerCase())
const lower = (word: string) => (word.startsWith('"') ? word : word.toLowerCase())
const qualified = (what: string) => {
  const parts = what.match(/"[^"]+"|\w+/g) ?? []
  return [...(parts.length > 1 ? [] : ['public']), ...parts.map(lower)].join('.')
}
