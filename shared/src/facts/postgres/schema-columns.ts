import { statements } from '../../command/sql-statements.ts'

/** The columns of each table of schema public, by its name. */
export type Columns = Readonly<Record<string, readonly string[]>>

const table = /^CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:public\.)?("[^"]+"|\w+)\s*\(/i
const added = /\bADD\s+COLUMN\s+(?:IF\s+NOT\s+EXISTS\s+)?("[^"]+"|\w+)/gi

// What must be passed over as a whole within the parentheses of a table.
const piece = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_]\w*|[\s\S]/g

/** What begins a line of a table that is no column (PostgreSQL's CREATE TABLE). */
const notColumn = /^(CONSTRAINT|CHECK|UNIQUE|PRIMARY|EXCLUDE|FOREIGN|LIKE)$/i

const plain = (word: string) => (word.startsWith('"') ? word.slice(1, -1) : word.toLowerCase())

/** The columns that a script's tables have where it makes them. */
export function columnsOf(script: string): Columns {
  const found: Record<string, string[]> = {}
  for (const { text } of statements(script)) {
    const [head, name] = text.match(table) ?? []
    if (head !== undefined && name !== undefined)
      found[plain(name)] = [...(found[plain(name)] ?? []), ...firstWords(text.slice(head.length))]
  }
  return found
}

/** The first word of each line of a table, by commas outside of parentheses, where it names a column. */
function firstWords(body: string): string[] {
  const words: string[] = []
  let depth = 0
  let isFirst = true
  for (const [part] of body.matchAll(piece)) {
    if (part === '(') depth += 1
    else if (part === ')') depth -= 1
    if (depth < 0) break
    if (part === ',' && depth === 0) isFirst = true
    else if (isFirst && /^["A-Za-z_]/.test(part)) {
      isFirst = false
      if (!notColumn.test(part)) words.push(plain(part))
    }
  }
  return words
}

/**
 * The columns that tables which are there lack of a schema's scripts, as `beliefs.holder_id`. `CREATE TABLE IF NOT EXISTS`
 * leaves such a table as it is, so that what comes later fails in the middle. Not those that the scripts add themselves.
 */
export function lackingColumns(scripts: readonly string[], there: Columns): string[] {
  const adds = new Set(scripts.flatMap((script) => [...script.matchAll(added)].map(([, name = '']) => plain(name))))
  const wanted = scripts.flatMap((script) => Object.entries(columnsOf(script)))
  const lacking = wanted.flatMap(([name, columns]) => {
    const own = there[name]
    return own
      ? columns.filter((column) => !own.includes(column) && !adds.has(column)).map((column) => `${name}.${column}`)
      : []
  })
  return [...new Set(lacking)]
}
