import { createHash } from 'node:crypto'
import { type EnvOf, presence, type Schema, variablesOf } from './variable.ts'

/**
 * The environment of the offline first look, made of the schema's examples and samples; optional variables are left
 * at their default or out, those marked `show` are in. Needs no file and no network. Throws when the schema's own
 * samples do not pass its types: a fault of the schema.
 */
export function sampleEnv<T extends Schema>(schema: T): EnvOf<T> {
  const env: Record<string, unknown> = {}
  for (const { name, type, meta } of variablesOf(schema)) {
    const { optional, fallback } = presence(type)
    if (optional && fallback === undefined && meta.sample === undefined) continue
    const made = typeof meta.sample === 'function' ? meta.sample() : meta.sample
    const text = made ?? (optional ? undefined : meta.generate ? sampleSecret(name) : meta.example)
    const result = type.safeParse(text)
    if (!result.success) throw new TypeError(`schema: the sample of ${name} ${result.error.issues[0]?.message}`)
    env[name] = result.data
  }
  return env as EnvOf<T>
}

// Derived from the name, so that two looks at the same plan are equal. Nothing is ever deployed with it.
const sampleSecret = (name: string) => createHash('sha256').update(`sample ${name}`).digest('base64url')
