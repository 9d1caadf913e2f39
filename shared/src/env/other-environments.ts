import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Assignment, isSet, parseEnvText } from './env-text.ts'
import type { EnvFiles } from './files.ts'
import { readText } from './read-text.ts'
import { type Problem, type Schema, type VariableMeta, variablesOf, type Warning } from './variable.ts'

/** What a load has read, for a comparison with the files of the other environments. */
export interface Own {
  readonly schema: Schema
  readonly root: string
  readonly home: string
  readonly files: EnvFiles
  readonly processEnv: Readonly<Record<string, string | undefined>>
  /** `--env NAME`. */
  readonly name?: string | undefined
  /** What is deployed matters: another environment must not be there already. */
  readonly deploys: boolean
}

interface Other {
  readonly file: string
  readonly texts: ReadonlyMap<string, string>
}

/** What people call a copy of a file: it is not an environment. */
const copies = /^(bak|backup|copy|example|old|orig|save|saved|tmp)\d*$/i

/**
 * Compares what a load has read with the other environments of its workspace. An error: this shell has the secrets or
 * the place of another environment, since it sourced that file; or a named environment is deployed to the place of
 * another one with other secrets. A warning: the shell has other values of another environment.
 */
export function mixedUp(own: Own): { problems: Problem[]; warnings: Warning[] } {
  if (!own.files.read.some(({ name }) => name === own.files.main)) return { problems: [], warnings: [] }
  const others = otherEnvironments(own)
  const shell = others.map((other) => ofShell(own, other)).find((one) => one !== undefined)
  const shared = own.deploys && own.name !== undefined ? others.flatMap((other) => samePlace(own, other)) : []
  return {
    problems: [...(shell?.problem ? [shell.problem] : []), ...shared],
    warnings: shell?.warning ? [shell.warning] : [],
  }
}

/** The other environment files of the workspace; one that cannot be read is told where it is used itself. */
function otherEnvironments({ schema: { workspace }, root, home, files }: Own): Other[] {
  const start = `.env.${workspace}`
  return readdirSync(root)
    .filter((file) => file !== files.main && (file === start || file.startsWith(`${start}.`)))
    .filter((file) => /^(\.[A-Za-z0-9][\w-]*)?$/.test(file.slice(start.length)))
    .flatMap((file) => {
      try {
        return [{ file, texts: textsOf(parseEnvText(readText(join(root, file), { mark: true }), home).assignments) }]
      } catch {
        return []
      }
    })
}

/** The texts that a file sets, each by its last assignment. */
const textsOf = (assignments: readonly Assignment[]) =>
  new Map(assignments.filter(isSet).map(({ name, value }) => [name, value]))

/** The variables of the process that are as `other` has them, and not as the chosen files do. */
function ofShell(own: Own, other: Other): { problem?: Problem; warning?: Warning } | undefined {
  const { schema, processEnv, files } = own
  const taken = variablesOf(schema).flatMap(({ name, meta }) => {
    const key = keys(name, meta).find((one) => Boolean(processEnv[one]))
    if (key === undefined || meta.common) return []
    const isOthers = textIn(other.texts, name, meta) === processEnv[key]
    return isOthers && inFiles(files, name, meta) !== processEnv[key] ? [{ key, name, meta }] : []
  })
  const [first] = taken
  if (first === undefined) return undefined
  const serious = taken.find(({ name, meta }) => meta.secret || schema.places?.flat().includes(name))
  const names = taken.map(({ key }) => key)
  const more = names.length > 1 ? ` (${names.length - 1} more as well)` : ''
  const remedy = `this shell has sourced it: unset ${names.join(' ')}`
  const message = `has the value of ${other.file} in this shell, not that of ${files.main}${more}`
  return serious
    ? { problem: { variable: serious.key, message, remedy } }
    : { warning: { variable: first.key, message, remedy } }
}

/** The places of a named environment that are those of `other`, which has other secrets. */
function samePlace({ schema, files, processEnv }: Own, other: Other): Problem[] {
  if (copies.test(other.file.split('.').at(-1) ?? '')) return []
  const variables = variablesOf(schema)
  const isSame = ({ name, meta }: (typeof variables)[number]) =>
    (textIn(other.texts, name, meta) ?? '') === (inFiles(files, name, meta, files.main) ?? '')
  const hasOtherSecrets = variables.some((one) => one.meta.secret && !one.meta.common && !isSame(one))
  if (!hasOtherSecrets) return []
  return (schema.places ?? []).flatMap((place) => {
    const parts = variables.filter(({ name }) => place.includes(name))
    // What the process says may be another in the shell of the other environment.
    if (parts.some(({ name, meta }) => keys(name, meta).some((key) => processEnv[key])) || !parts.every(isSame))
      return []
    // A single variable that is not set is no place yet.
    if (place.length === 1 && parts.every(({ name, meta }) => inFiles(files, name, meta) === undefined)) return []
    const [variable = ''] = place
    const others = place.length > 1 ? ` (with ${place.slice(1).join(', ')})` : ''
    return [
      {
        variable,
        message: `is the same in ${other.file}, which has other secrets${others}: each would deploy over the other`,
        remedy: `give ${files.main} a place of its own (docs/environments.md)`,
        file: files.main,
      },
    ]
  })
}

const keys = (name: string, { aliases = [] }: VariableMeta) => [name, ...aliases]

function textIn(texts: ReadonlyMap<string, string>, name: string, meta: VariableMeta): string | undefined {
  for (const key of keys(name, meta)) if (texts.has(key)) return texts.get(key)
  return undefined
}

/** What the chosen files say, or one of them alone. */
function inFiles(files: EnvFiles, name: string, meta: VariableMeta, only?: string): string | undefined {
  for (const key of keys(name, meta))
    for (const file of files.read) {
      const entry = file.values.get(key)
      if ((only === undefined || file.name === only) && entry && isSet(entry)) return entry.value
    }
  return undefined
}
