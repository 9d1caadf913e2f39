import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { asWeak, isSecret, ofVariable, reveal, type Secret, secret, weaknessOf } from '../command/secret.ts'
import { fileWarnings, readEnvFiles, sourced, unreadSetting } from './files.ts'
import { find } from './find.ts'
import { fileIn, judgeOf } from './judge.ts'
import { mixedUp } from './other-environments.ts'
import { brokenRules } from './rules.ts'
import { sampleEnv } from './sample.ts'
import { nearest } from './suggest.ts'
import {
  type EnvOf,
  metaOf,
  type Problem,
  type Purpose,
  presence,
  type Schema,
  type VariableMeta,
  variablesOf,
  type Warning,
} from './variable.ts'

export interface LoadOptions<T extends Schema> {
  readonly schema: T
  /** The folder of the environment files; relative paths in variables start there as well. */
  readonly root: string
  readonly processEnv: Readonly<Record<string, string | undefined>>
  /** `--env NAME`: another environment of the same workspace. */
  readonly name?: string | undefined
  /** What it is loaded for, `deploy` unless told: a plan may lack what a deployment cannot. */
  readonly purpose?: Purpose | undefined
  /** For `access`: the variables that this command needs besides. */
  readonly also?: readonly string[] | undefined
  /** The command that asks, for messages; the purpose is named without it. */
  readonly command?: string | undefined
  /** It connects to nothing: a plan for a blank host. */
  readonly offline?: boolean | undefined
  /** Take texts and secrets as they are although they are judged wrong; a warning says so. */
  readonly unjudged?: boolean | undefined
}

interface Report {
  /** Where each variable comes from: the file's name, `environment` or `default`. Unset ones are not listed. */
  readonly sources: Readonly<Record<string, string>>
  /** The files that were read, the strongest first. */
  readonly files: readonly string[]
  readonly warnings: readonly Warning[]
  /** The values as they were set (paths expanded, defaults left out); secrets wrapped. For `exportLines`. */
  readonly values: Readonly<Record<string, string | Secret>>
  /** The variables that are set, in whatever file or in the process. */
  readonly given: ReadonlySet<string>
  /** No environment file and no variable of the project's own: a newcomer's first look. */
  readonly unconfigured: boolean
  /** What is wrong with variables that the purpose has no use for, by their names: they are not in `env`. */
  readonly spared: ReadonlyMap<string, Problem>
}

/** A parsed environment, or every problem of it at once. */
export type Loaded<T extends Schema> = Report &
  (
    | { readonly env: EnvOf<T>; readonly problems?: undefined }
    | { readonly env?: undefined; readonly problems: readonly Problem[] }
  )

/**
 * Loads an environment: the process environment over `.env.<workspace>` over `.env`. An empty value counts as not
 * set, on every level, so that a blank variable of the process does not hide a file's (a warning says so).
 * Never throws for what users can get wrong: the answer holds `env` or `problems`.
 */
export function loadEnv<T extends Schema>(options: LoadOptions<T>): Loaded<T> {
  const { schema, processEnv, root } = options
  const home = processEnv.HOME || homedir()
  const files = readEnvFiles(schema.workspace, root, home, options.name)
  const problems: Problem[] = [...files.problems, ...files.read.flatMap(sourced)]
  const warnings: Warning[] = files.read.flatMap((file) => fileWarnings(file, schema))
  const sources: Record<string, string> = {}
  const values: Record<string, string | Secret> = {}
  const env: Record<string, unknown> = {}
  const given = new Set<string>()
  const { name, command, purpose = 'deploy' } = options
  const spared = new Map<string, Problem>()
  const inJob = Boolean(processEnv.CI)
  const judge = judgeOf({
    schema,
    files,
    purpose,
    inJob,
    ...(options.offline && { offline: true }),
    ...(name !== undefined && { name }),
    ...(command && { command }),
  })
  const reading: Reading = { options, files, judge, home, problems, warnings, sources, values, env, given, spared }
  for (const declared of variablesOf(schema)) readVariable(reading, declared)
  // Other rules are of what is deployed.
  const rules = purpose === 'access' ? schema.rules.filter(({ always }) => always) : schema.rules
  problems.push(...brokenRules({ ...schema, rules }, env, given, fileIn({ files, inJob })))
  const deploys = purpose !== 'access'
  const mixed = mixedUp({ schema, root, home, files, processEnv, name, deploys })
  problems.push(...mixed.problems)
  warnings.push(...mixed.warnings, ...strangers(schema, processEnv))
  const report: Report = {
    sources,
    files: files.read.map((file) => file.name),
    warnings,
    values,
    given,
    spared,
    unconfigured: files.read.length === 0 && files.problems.length === 0 && !schemaTouched(schema, processEnv, inJob),
  }
  // What a file that cannot be read may hold is not missing.
  if (files.problems.length > 0) return { ...report, problems: files.problems }
  return problems.length > 0 ? { ...report, problems } : { ...report, env: env as EnvOf<T> }
}

/** What a load has found so far, and what it reads from. */
interface Reading {
  readonly options: LoadOptions<Schema>
  readonly files: ReturnType<typeof readEnvFiles>
  readonly judge: ReturnType<typeof judgeOf>
  readonly home: string
  readonly problems: Problem[]
  readonly warnings: Warning[]
  readonly sources: Record<string, string>
  readonly values: Record<string, string | Secret>
  readonly env: Record<string, unknown>
  readonly given: Set<string>
  readonly spared: Map<string, Problem>
}

/** Whether a command that only wants to get in may do without a variable. Where it uses it all the same, it is told then. */
function isSpare({ purpose, also = [] }: LoadOptions<Schema>, { name, meta }: Declared): boolean {
  return purpose === 'access' && !meta.neededFor?.includes('access') && !also.includes(name)
}

function readVariable(reading: Reading, declared: Declared): void {
  const { options, files, judge, home, problems, warnings, sources, values, env, given, spared } = reading
  const { name, type, meta } = declared
  const found = find(name, meta, options.processEnv, files, warnings)
  if (found) given.add(name)
  const read = found ? judge.misread(name, meta, found) : judge.missing(name, type, meta)
  // What the process says holds, whatever stands in a file.
  const wrong = (found && !found.entry ? undefined : unreadSetting(files, name, meta)) ?? read
  if (wrong && isSpare(options, declared)) {
    spared.set(name, wrong)
    return
  }
  if (wrong) problems.push(wrong)
  if (wrong || (!found && presence(type).fallback === undefined)) return
  const text = found && expand(found.text, meta, home, options.root)
  const value = parsedValue(declared, text)
  if (!('issue' in value)) {
    env[name] = value.parsed
    sources[name] = found?.source ?? 'default'
    if (text !== undefined) values[name] = meta.secret ? secret(text) : text
    if (isSecret(value.parsed)) tellWeak(reading, declared, value.parsed)
    return
  }
  const invalid = judge.invalid(name, type, meta, found, value.issue)
  if (isSpare(options, declared)) {
    spared.set(name, invalid)
    return
  }
  if (!options.unjudged || text === undefined || !isTextual(options.schema, name, meta)) {
    problems.push(invalid)
    return
  }
  warnings.push({ variable: name, message: `${invalid.message}; taken as it is` })
  env[name] = meta.secret ? ofVariable(secret(text), name) : text
}

/** Warns of a weak secret. With `--skip-validation` it is not one to anybody. */
function tellWeak({ options, files, warnings, env }: Reading, { name, meta }: Declared, value: Secret): void {
  const weak = weaknessOf(value)
  if (weak === undefined) return
  const { purpose = 'deploy' } = options
  const environment = options.name === undefined ? '' : ` --env ${options.name}`
  const generate = `npm run validate -w ${options.schema.workspace} --${environment} --generate`
  const emptied = `empty it in ${files.main}, ${meta.generate ? `then: ${generate}` : 'write another'}`
  asWeak(value, weak, emptied)
  // It is of interest where it may come into force; of what is deployed, each such run tells.
  if (purpose !== 'verify' && purpose !== 'access')
    warnings.push({
      variable: name,
      message: `is weak: it ${weak}${purpose === 'validate' ? '; plan refuses it where it is not deployed yet' : ''}`,
      remedy: `to rotate it, ${emptied}; and deploy`,
    })
  if (options.unjudged) env[name] = ofVariable(secret(reveal(value)), name)
}

/** A variable's value as its type reads it, a secret with its name; or what the type says against it. */
function parsedValue({ name, type }: Declared, text: string | undefined): { parsed: unknown } | { issue: Issue } {
  const result = type.safeParse(text)
  if (!result.success) return { issue: result.error.issues[0] }
  return { parsed: isSecret(result.data) ? ofVariable(result.data, name) : result.data }
}

type Declared = ReturnType<typeof variablesOf>[number]
type Issue = Parameters<ReturnType<typeof judgeOf>['invalid']>[4]

/** Whether a variable is set that only this project has. A job's empty one is a secret that it lost. */
function schemaTouched(schema: Schema, processEnv: LoadOptions<Schema>['processEnv'], inJob: boolean): boolean {
  const isThere = (name: string) => (inJob ? processEnv[name] !== undefined : Boolean(processEnv[name]))
  return variablesOf(schema).some(({ name, meta }) => !meta.common && isThere(name))
}

/** Whether the variable is a secret or a text, and not something that was made of one: by what its sample is. */
function isTextual(schema: Schema, name: string, meta: VariableMeta): boolean {
  return meta.secret === true || typeof (sampleEnv(schema) as Record<string, unknown>)[name] === 'string'
}

function expand(text: string, { path, paths }: VariableMeta, home: string, root: string): string {
  const parts = paths ? text.split(':').filter((part) => part !== '') : [text]
  return path || paths ? parts.map((part) => expandPath(part, home, root)).join(':') : text
}

/** `~`, `$HOME` and `${HOME}` at the start of a path; a relative path starts at the root. */
function expandPath(text: string, home: string, root: string): string {
  return resolve(
    root,
    text.replace(/^(~|\$HOME|\$\{HOME\})(?=\/|$)/, () => home),
  )
}

/** Variables of the process that look like one of our variables, mistyped. */
function strangers(schema: Schema, processEnv: LoadOptions<Schema>['processEnv']): Warning[] {
  const names = variablesOf(schema).flatMap(({ name, meta }) => [name, ...(meta.aliases ?? [])])
  const own = names.filter((name) => !schema.variables[name] || !metaOf(schema.variables[name]).common)
  return Object.keys(processEnv).flatMap((name) => {
    const meant = names.includes(name) || name.length < 8 ? undefined : nearest(name, own, 2)
    return meant ? [{ variable: name, message: 'is not a known variable', remedy: `did you mean ${meant}?` }] : []
  })
}
