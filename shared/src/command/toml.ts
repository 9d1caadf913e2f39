import { describe, type Text } from './command.ts'
import { derive, isSecret, type Secret } from './secret.ts'

type TomlValue = string | number | boolean | Secret

/** Tables by their dotted names, each with its keys; a key that is undefined is left out, and so is an empty table. */
export type TomlTables = Readonly<Record<string, Readonly<Record<string, TomlValue | undefined>>>>

/** Renders TOML. Throws for a value that a basic string or number of TOML cannot hold. */
export function toml(tables: TomlTables): Text {
  const parts: (string | Secret)[] = []
  for (const [name, keys] of Object.entries(tables)) {
    const set = Object.entries(keys).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]))
    if (set.length === 0) continue
    parts.push(`${parts.length > 0 ? '\n' : ''}[${name}]\n`)
    for (const { key, value } of set) parts.push(`${key} = `, scalar(key, value), '\n')
  }
  return { parts }
}

function scalar(key: string, value: TomlValue): string | Secret {
  if (isSecret(value)) return derive((open) => basicString(key, open(value)))
  if (typeof value === 'string') return basicString(key, value)
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value)
  throw new TypeError(`toml: ${key} is ${describe(value)}`)
}

// JSON escapes what TOML wants escaped, but for DEL.
function basicString(key: string, value: string): string {
  if (value.includes('\x7f')) throw new TypeError(`toml: ${key} holds a control character`)
  return JSON.stringify(value)
}
