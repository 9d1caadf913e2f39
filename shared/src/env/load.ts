import { homedir } from 'node:os'
import { resolve } from 'node:path'
import type { z } from 'zod'
import { type Secret, secret } from '../command/secret.ts'
import type { Assignment } from './env-text.ts'
import { type EnvFiles, fileWarnings, readEnvFiles } from './files.ts'
import { isPlaceholder } from './placeholder.ts'
import { brokenRules } from './rules.ts'
import { nearest } from './suggest.ts'
import {
  type EnvOf,
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
  readonly name?: string
  /** What it is loaded for, `deploy` unless told: a plan may lack what a deployment cannot. */
  readonly purpose?: Purpose
}

interface Report {
  /** Where each variable comes from: the file's name, `environment` or `default`. Unset ones are not listed. */
  readonly sources: Readonly<Record<string, string>>
  /** The files that were read, the strongest first. */
  readonly files: readonly string[]
  readonly warnings: readonly Warning[]
  /** The values as they were set (paths expanded, defaults left out); secrets wrapped. For `exportLines`. */
  readonly values: Readonly<Record<string, string | Secret>>
  /** No environment file and no variable of the project's own: a newcomer's first look. */
  readonly unconfigured: boolean
}

/** A parsed environment, or every problem of it at once. */
export type Loaded<T extends Schema> = Report &
  (
    | { readonly env: EnvOf<T>; readonly problems?: undefined }
    | { readonly env?: undefined; readonly problems: readonly Problem[] }
  )

/** Where a variable's text was found. */
interface Found {
  readonly text: string
  readonly source: string
  readonly entry?: Assignment
}

/**
 * Loads an environment: the process environment over `.env.<workspace>` over `.env`. An empty value counts as not
 * set, on every level, so that a blank variable of the process does not hide a file's (a warning says so).
 * Never throws for what users can get wrong: the answer holds `env` or `problems`.
 */
export function loadEnv<T extends Schema>(options: LoadOptions<T>): Loaded<T> {
  const { schema, processEnv, root } = options
  const home = processEnv.HOME || homedir()
  const files = readEnvFiles(schema.workspace, root, home, options.name)
  const problems: Problem[] = [...files.problems]
  const warnings: Warning[] = files.read.flatMap((file) => fileWarnings(file, schema))
  const sources: Record<string, string> = {}
  const values: Record<string, string | Secret> = {}
  const env: Record<string, unknown> = {}

  for (const { name, type, meta } of variablesOf(schema)) {
    const found = find(name, meta, processEnv, files, warnings)
    const wrong =
      found === undefined ? missing(name, type, meta, files.main, options) : misread(name, meta, found, files, options)
    if (wrong) problems.push(wrong)
    if (wrong || (found === undefined && presence(type).fallback === undefined)) continue
    const text = found && meta.path ? expandPath(found.text, home, root) : found?.text
    const result = type.safeParse(text)
    if (!result.success) {
      problems.push(problem(name, meta, found, result.error.issues[0]))
      continue
    }
    env[name] = result.data
    sources[name] = found?.source ?? 'default'
    if (text !== undefined) values[name] = meta.secret ? secret(text) : text
  }
  problems.push(...brokenRules(schema, env, (name) => find(name, undefined, processEnv, files) !== undefined, problems))
  warnings.push(...strangers(schema, processEnv))
  const report: Report = {
    sources,
    files: files.read.map((file) => file.name),
    warnings,
    values,
    unconfigured: files.read.length === 0 && files.problems.length === 0 && !schemaTouched(schema, processEnv),
  }
  return problems.length > 0 ? { ...report, problems } : { ...report, env: env as EnvOf<T> }
}

/** Whether there is nothing at all to load: no environment file, no variable that only this project has. */
export function isUnconfigured({ schema, root, processEnv, name }: LoadOptions<Schema>): boolean {
  const files = readEnvFiles(schema.workspace, root, '', name)
  return files.read.length === 0 && files.problems.length === 0 && !schemaTouched(schema, processEnv)
}

function schemaTouched(schema: Schema, processEnv: LoadOptions<Schema>['processEnv']): boolean {
  return variablesOf(schema).some(({ name, meta }) => !meta.common && Boolean(processEnv[name]))
}

/** The strongest non-empty value under the variable's name, else under a former one. */
function find(
  name: string,
  meta: VariableMeta | undefined,
  processEnv: LoadOptions<Schema>['processEnv'],
  files: EnvFiles,
  warnings: Warning[] = [],
): Found | undefined {
  for (const key of [name, ...(meta?.aliases ?? [])]) {
    const own = processEnv[key]
    const entry = files.read
      .map((file) => ({ file: file.name, entry: file.values.get(key) }))
      .find((at) => isSet(at.entry))
    if (!own && !entry?.entry) continue
    if (key !== name)
      warnings.push({ variable: key, message: 'is a former name, still read', remedy: `call it ${name}` })
    if (own) return { text: own, source: 'environment' }
    if (own === '')
      warnings.push({ variable: key, message: `is empty in the environment; the value of ${entry?.file} is taken` })
    if (entry?.entry) return { text: entry.entry.value, source: entry.file, entry: entry.entry }
  }
  return undefined
}

/** Whether an assignment gives a value; a substitution does, although it is refused later. */
const isSet = (entry: Assignment | undefined) => entry !== undefined && (entry.value !== '' || 'trouble' in entry.shell)
