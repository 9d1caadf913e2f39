import { readdirSync } from 'node:fs'
import { type EnvFile, type EnvFiles, readEnvFile } from './files.ts'
import { find } from './find.ts'
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
function otherEnvironments({ schema: { workspace }, root, home, files }: Own): EnvFile[] {
  const start = `.env.${workspace}`
  return readdirSync(root)
    .filter((file) => file !== files.main && (file === start || file.startsWith(`${start}.`)))
    .filter((file) => /^(\.[A-Za-z0-9][\w-]*)?$/.test(file.slice(start.length)))
    .flatMap((file) => {
      try {
        return [readEnvFile(root, file, home)]
      } catch {
        return []
      }
    })
}

/** The variables of the process that are as `other` has them, and not as the chosen files do. */
function ofShell(own: Own, other: EnvFile): { problem?: Problem; warning?: Warning } | undefined {
  const { schema, processEnv, files } = own
  const taken = variablesOf(schema).flatMap(({ name, meta }) => {
    const key = keys(name, meta).find((one) => Boolean(processEnv[one]))
    if (key === undefined || meta.common) return []
    const isOthers = textIn([other], name, meta) === processEnv[key]
    return isOthers && textIn(files.read, name, meta) !== processEnv[key] ? [{ key, name, meta }] : []
  })
  const [first] = taken
  if (first === undefined) return undefined
  const serious = taken.find(({ name, meta }) => meta.secret || schema.places?.flat().includes(name))
  const names = taken.map(({ key }) => key)
  const more = names.length > 1 ? ` (${names.length - 1} more as well)` : ''
  const remedy = `this shell has sourced it: unset ${names.join(' ')}`
  const message = `has the value of ${other.name} in this shell, not that of ${files.main}${more}`
  return serious
    ? { problem: { variable: serious.key, message, remedy } }
    : { warning: { variable: first.key, message, remedy } }
}

/** The places of a named environment that are those of `other`, which has other secrets. */
function samePlace({ schema, files, processEnv }: Own, other: EnvFile): Problem[] {
  if (copies.test(other.name.split('.').at(-1) ?? '')) return []
  const variables = variablesOf(schema)
  const main = files.read.filter(({ name }) => name === files.main)
  const isSame = ({ name, meta }: (typeof variables)[number]) =>
    (textIn([other], name, meta) ?? '') === (textIn(main, name, meta) ?? '')
  const hasOtherSecrets = variables.some((one) => one.meta.secret && !one.meta.common && !isSame(one))
  if (!hasOtherSecrets) return []
  return (schema.places ?? []).flatMap((place) => {
    const parts = variables.filter(({ name }) => place.includes(name))
    // What the process says may be another in the shell of the other environment.
    if (parts.some(({ name, meta }) => keys(name, meta).some((key) => processEnv[key])) || !parts.every(isSame))
      return []
    // A single variable that is not set is no place yet.
    if (place.length === 1 && parts.every(({ name, meta }) => textIn(files.read, name, meta) === undefined)) return []
    const [variable = ''] = place
    const others = place.length > 1 ? ` (with ${place.slice(1).join(', ')})` : ''
    return [
      {
        variable,
        message: `is the same in ${other.name}, which has other secrets${others}: each would deploy over the other`,
        remedy: `give ${files.main} a place of its own (docs/environments.md)`,
        file: files.main,
      },
    ]
  })
}

const keys = (name: string, { aliases = [] }: VariableMeta) => [name, ...aliases]

/** What these files say. */
const textIn = (read: EnvFiles['read'], name: string, meta: VariableMeta): string | undefined =>
  find(name, meta, {}, { read })?.text
