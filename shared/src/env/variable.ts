import type { z } from 'zod'

/**
 * What an environment is loaded for: a plan may lack what a deployment cannot; to get in, `access`, needs only what leads
 * there and lets in.
 */
export type Purpose = 'validate' | 'plan' | 'deploy' | 'verify' | 'access'

/** Looks up another variable of the same environment, as text: what is set, or what was just generated. */
export type Given = (name: string) => string | undefined

/** What a schema says of one variable besides its type. */
export interface VariableMeta {
  /** The heading it stands under in `.env.example`. */
  readonly group: string
  readonly description: string
  /** A value of the right shape, shown in messages. It is the sample as well, unless `sample` or `generate` is there. */
  readonly example: string
  /** What `.env.example` holds instead of the example; refused by name when it was left as it is. */
  readonly placeholder?: string
  /** The value of the offline first look, where the example will not do. */
  readonly sample?: string | (() => string)
  readonly secret?: boolean
  /** A path: `~`, `$HOME` and `${HOME}` at its start are expanded, a relative one starts at the project's root. */
  readonly path?: boolean
  /** Several paths with colons between them, each read as {@link path} is. */
  readonly paths?: boolean
  /** Makes a missing value, or undefined when it cannot be made from what is given. */
  readonly generate?: (given: Given) => string | undefined
  /** Purposes for which an optional variable must be set all the same. */
  readonly neededFor?: readonly Purpose[]
  /** Former names, still read, with a note. */
  readonly aliases?: readonly string[]
  /** What Terraform called it: `--from-tfvars` reads it under this name. */
  readonly tfvar?: string
  /** How to find the value that is deployed: a clause, to go on with where an environment file does not have it. */
  readonly deployed?: string
  /** The command that reads it from what another tool deployed: `--generate` makes none in a file that was taken over. */
  readonly adoptedBy?: string
  /** What it means when it is not set, for the documentation. */
  readonly unset?: string
  /** What to do when it is missing, where there is more to say than to set it. */
  readonly remedy?: string
  /** A name that other programs use too: that it is set does not mean that this project was configured. */
  readonly common?: boolean
  /** Shown, not commented out, in `.env.example` although it is optional. */
  readonly show?: boolean
}

/** One thing that is wrong with an environment. `variable` is its name (or `--env`). Never holds a secret's value. */
export interface Problem {
  readonly variable: string
  readonly message: string
  readonly example?: string
  readonly remedy?: string
  readonly file?: string
}

/** Something to tell that does not stop a run. */
export interface Warning {
  readonly message: string
  readonly variable?: string
  readonly remedy?: string
  readonly file?: string
}

/** What to do about a broken rule; told by the file that the variables go to, where there is one. */
export type RuleRemedy = string | ((file: string | undefined) => string)

/** A rule over several variables, as data. `needs`: the first goes only with the others. */
export type Rule =
  | {
      readonly kind: 'exactly one' | 'at most one' | 'all or none' | 'needs'
      readonly of: readonly string[]
      readonly remedy?: RuleRemedy
      /** It is judged for `access` too: other rules are of what is deployed. */
      readonly always?: boolean
    }
  | {
      readonly kind: 'check'
      readonly of: readonly string[]
      /** Gets the parsed values, only when all of them are set and valid; answers what is wrong, if anything. */
      readonly check: (values: readonly unknown[]) => string | undefined
      readonly remedy?: RuleRemedy
      readonly always?: boolean
    }

export type Shape = Readonly<Record<string, z.ZodType>>

/** The environment of one workspace: the single source for reading, checking, generating and documenting it. */
export interface Schema<S extends Shape = Shape> {
  readonly workspace: string
  readonly title: string
  readonly variables: S
  readonly rules: readonly Rule[]
  /** The variables that together say where it is deployed: two environments must not agree in all of one list. */
  readonly places?: readonly (readonly string[])[]
}

/** The parsed environment of a schema: `env.VALENCE_DB_PASSWORD`. */
export type EnvOf<T extends Schema> = T extends Schema<infer S> ? z.output<z.ZodObject<S>> : never

/** A zod type with what there is to say about the variable; goes last, after `.optional()` and the like. */
export function variable<T extends z.ZodType>(type: T, meta: VariableMeta): T {
  return type.meta({ ...meta }) as T
}

/** A schema; throws when a variable was declared without {@link variable}. */
export function schema<const S extends Shape>(
  workspace: string,
  title: string,
  variables: S,
  rules: readonly Rule[] = [],
  places: readonly (readonly (keyof S & string)[])[] = [],
): Schema<S> {
  for (const [name, type] of Object.entries(variables)) metaOf(type, name)
  return { workspace, title, variables, rules, places }
}

/** What the schema says of a variable. Throws when it says nothing. */
export function metaOf(type: z.ZodType, name = 'variable'): VariableMeta {
  const meta = type.meta()
  if (meta?.group === undefined) throw new TypeError(`schema: ${name} is declared without variable(type, meta)`)
  return meta as unknown as VariableMeta
}

/** Every variable of a schema with its type and meta, in the order of declaration. */
export function variablesOf(schema: Schema): { name: string; type: z.ZodType; meta: VariableMeta }[] {
  return Object.entries(schema.variables).map(([name, type]) => ({ name, type, meta: metaOf(type, name) }))
}

/** Whether a value may be missing, and the text of its default. */
export function presence(type: z.ZodType): { optional: boolean; fallback?: string } {
  const { def } = type as z.ZodType & { def: { type: string; defaultValue?: unknown } }
  if (def.type === 'prefault') return { optional: true, fallback: String(def.defaultValue) }
  return { optional: def.type === 'optional' }
}
