import { type Assignment, isSet } from './env-text.ts'
import type { EnvFiles } from './files.ts'
import type { VariableMeta, Warning } from './variable.ts'

/** A variable's text, and where it was found: the file's name with its assignment, or `environment`. */
export interface Found {
  readonly text: string
  readonly source: string
  readonly entry?: Assignment
}

/**
 * The strongest value that is not empty, under the variable's name or else a former one. What there is to tell
 * (a former name, an empty variable of the process that does not hide a file's value, one that other programs use as
 * well and that hides another value of a file) is added to `warnings`.
 */
export function find(
  name: string,
  meta: VariableMeta,
  processEnv: Readonly<Record<string, string | undefined>>,
  files: Pick<EnvFiles, 'read'>,
  warnings: Warning[] = [],
): Found | undefined {
  for (const key of [name, ...(meta.aliases ?? [])]) {
    const found = strongest(key, processEnv[key], files)
    if (found === undefined) continue
    if (key !== name)
      warnings.push({ variable: key, message: 'is a former name, still read', remedy: `call it ${name}` })
    if (processEnv[key] === '')
      warnings.push({ variable: key, message: `is empty in the environment: the value in ${found.source} is used` })
    const hidden = meta.common && found.source === 'environment' && strongest(key, undefined, files)
    if (hidden && hidden.text !== found.text)
      warnings.push({
        variable: key,
        message: `comes from the environment, which overrides ${hidden.source}`,
        remedy: `unset ${key} to use the value of the file`,
      })
    return found
  }
  return undefined
}

function strongest(key: string, own: string | undefined, files: Pick<EnvFiles, 'read'>): Found | undefined {
  if (own) return { text: own, source: 'environment' }
  for (const file of files.read) {
    const entry = file.values.get(key)
    if (entry && isSet(entry)) return { text: entry.value, source: file.name, entry }
  }
  return undefined
}
