import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { renderExample } from './docs.ts'
import { readEnvFiles } from './files.ts'
import { find } from './find.ts'
import { replaceFile, unreadPlace, withValues } from './generate.ts'
import { inTerraformState, isPlaceholder } from './placeholder.ts'
import { nearest } from './suggest.ts'
import { parseTfvars, type TfvarProblem } from './tfvars.ts'
import { type Schema, variablesOf } from './variable.ts'

/** What was taken, by file, and what was not and why. Names and lines, never values. */
export interface Imported {
  readonly written: readonly { readonly file: string; readonly names: readonly string[]; readonly created: boolean }[]
  readonly notes: readonly string[]
  readonly problems: readonly TfvarProblem[]
}

interface ImportOptions {
  /** The variables of each go to the file of its workspace. */
  readonly schemas: readonly Schema[]
  readonly root: string
  /** The content of a `terraform.tfvars`. */
  readonly text: string
  /** `--env NAME`: the files of another environment. */
  readonly name?: string | undefined
  readonly home?: string
}

/**
 * Takes Terraform's variables over into the environment files, under the names of ours (`tfvar` of a schema). What a
 * file sets already stays. With anything that cannot be read nothing is written at all. Each file is replaced in one
 * step, readable by its owner only.
 */
export function importTfvars({ schemas, root, text, name, home = homedir() }: ImportOptions): Imported {
  const parsed = parseTfvars(text)
  const problems = [...parsed.problems]
  const notes: string[] = []
  const known = schemas.flatMap((schema) =>
    variablesOf(schema).flatMap(({ name: variable, meta }) =>
      meta.tfvar === undefined ? [] : [{ schema, variable, meta, tfvar: meta.tfvar }],
    ),
  )
  const made = new Map<Schema, Map<string, string>>()
  for (const { name: tfvar, line, value } of parsed.values) {
    const target = known.find((one) => one.tfvar === tfvar)
    if (!target) {
      const near = nearest(
        tfvar,
        known.map((one) => one.tfvar),
      )
      notes.push(`line ${line}: ${tfvar} is not a variable of ours${near ? `; did you mean ${near}?` : ''}`)
      continue
    }
    const { schema, variable, meta } = target
    const files = readEnvFiles(schema.workspace, root, home, name)
    const set = find(variable, meta, {}, files)
    if (value === '') notes.push(`line ${line}: ${tfvar} is empty and was left out`)
    else if (isPlaceholder(value, meta))
      notes.push(`line ${line}: ${tfvar} still holds the example's placeholder and was left out`)
    else if (set && !isPlaceholder(set.text, meta)) {
      const same = set.text === value ? 'the same' : 'another value, which stays'
      notes.push(`line ${line}: ${tfvar}: ${variable} is set in ${set.source} already (${same})`)
    } else if (unreadPlace(files, variable, meta)) {
      const place = unreadPlace(files, variable, meta)
      problems.push({ line, message: `${tfvar}: ${variable} may be set in ${place}, which cannot be read` })
    } else if (!isPlain(value)) {
      problems.push({ line, message: `${tfvar} holds a line end, or quotes of both kinds: set ${variable} by hand` })
    } else made.set(schema, (made.get(schema) ?? new Map()).set(variable, value))
  }
  // What Terraform made by itself its variables do not say.
  const named = new Set(parsed.values.flatMap(({ name }) => known.find(({ tfvar }) => tfvar === name)?.schema ?? []))
  for (const schema of named) {
    const files = readEnvFiles(schema.workspace, root, home, name)
    for (const { name: variable, meta } of variablesOf(schema)) {
      if (meta.tfstate === undefined || made.get(schema)?.has(variable) || find(variable, meta, {}, files)) continue
      made.set(schema, (made.get(schema) ?? new Map()).set(variable, inTerraformState))
      notes.push(
        `${variable} is in Terraform's state only (${meta.tfstate}): take it over from there, a new one would not fit`,
      )
    }
  }
  if (problems.length > 0) return { written: [], notes: [], problems: problems.sort((a, b) => a.line - b.line) }
  const written = [...made].map(([schema, values]) => {
    const file = readEnvFiles(schema.workspace, root, home, name).main
    const path = join(root, file)
    const created = !existsSync(path)
    const before = created ? renderExample([schema], { blank: true }) : readFileSync(path, 'utf8')
    replaceFile(path, withValues(before, values, home))
    return { file, names: [...values.keys()], created }
  })
  return { written, notes, problems }
}

/** Whether a value can stand in an environment file so that a shell and we read the same. */
const isPlain = (value: string): boolean => !/[\r\n\0]/.test(value) && !(value.includes("'") && /["$`\\]/.test(value))
