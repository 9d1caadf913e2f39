import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type EnvFiles, readEnvFiles } from './files.ts'
import { find } from './find.ts'
import { contentOf, notReplaced, replaceFile, unreadPlace, withValues } from './generate.ts'
import { isPlaceholder } from './placeholder.ts'
import { nearest } from './suggest.ts'
import { adoptedOf, takenOverAt, takenOverLine } from './taken-over.ts'
import { parseTfvars, type TfvarProblem } from './tfvars.ts'
import { type Schema, type VariableMeta, variablesOf } from './variable.ts'

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
 * Takes Terraform's variables over into the environment files, under our names (`tfvar` of a schema). What a
 * file sets already stays. With anything that cannot be read nothing is written at all. Each file is replaced in one
 * step, readable by its owner only.
 */
export function importTfvars({ schemas, root, text, name, home = homedir() }: ImportOptions): Imported {
  const parsed = parseTfvars(text)
  const known = schemas.flatMap((schema) =>
    variablesOf(schema).flatMap(({ name: variable, meta }) =>
      tfvarNames(variable, meta).map((tfvar) => ({ schema, variable, meta, tfvar })),
    ),
  )
  const read = new Map(schemas.map((schema) => [schema, readEnvFiles(schema.workspace, root, home, name)]))
  const filesOf = (schema: Schema) => read.get(schema) as EnvFiles
  const taking: Taking = { problems: [...parsed.problems], notes: [], made: new Map() }
  const unknown: Named[] = []
  for (const assignment of parsed.values) {
    const target = known.find(({ tfvar }) => tfvar === assignment.name)
    if (target) takeValue(taking, assignment, target, filesOf(target.schema))
    else unknown.push(assignment)
  }
  for (const { name: tfvar, line, kind } of parsed.compounds) {
    if (!known.some((one) => one.tfvar === tfvar)) unknown.push({ name: tfvar, line })
    else taking.problems.push({ line, message: `${tfvar} is ${kind}, which no variable takes` })
  }
  taking.notes.push(...sayUnknown(unknown, known, schemas))
  const named = new Set(parsed.values.flatMap(({ name }) => known.find(({ tfvar }) => tfvar === name)?.schema ?? []))
  for (const schema of named) tellAdopted(taking, schema, filesOf(schema))
  const { problems, notes, made } = taking
  for (const schema of made.keys()) problems.push(...unwritable(filesOf(schema), root))
  if (problems.length > 0)
    return { written: [], notes: [], problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) }
  const written = [...made].map(([schema, values]) => {
    const files = filesOf(schema)
    const file = files.main
    const path = join(root, file)
    const created = !existsSync(path)
    replaceFile(path, withTakenOver(withValues(contentOf(files, schema), values, home), schema))
    return { file, names: [...values.keys()], created }
  })
  return { written, notes: notes.sort((a, b) => lineOf(a) - lineOf(b)), problems }
}

/** The names that a variable is read under: Terraform's, and its own in small letters, which would be left out unseen. */
const tfvarNames = (variable: string, { tfvar }: VariableMeta): readonly string[] => [
  ...new Set([...(tfvar === undefined ? [] : [tfvar]), variable.toLowerCase()]),
]

/** What stands in the way of a workspace's own file; that one is new does not. */
const unwritable = ({ main, problems }: EnvFiles, root: string): TfvarProblem[] =>
  [...problems, ...notReplaced(main, root)].flatMap(({ variable, message }) =>
    variable === '--env' ? [] : [{ message: `${variable} ${message}` }],
  )

/** The line that a note is about; those about the whole file come last. */
const lineOf = (note: string): number => Number(note.match(/^line (\d+)/)?.[1] ?? Number.MAX_SAFE_INTEGER)

/** What an import has found so far. */
interface Taking {
  readonly problems: Imported['problems'][number][]
  readonly notes: string[]
  readonly made: Map<Schema, Map<string, string>>
}

type Assignment = ReturnType<typeof parseTfvars>['values'][number]
type Named = Pick<Assignment, 'name' | 'line'>

interface Known {
  readonly schema: Schema
  readonly variable: string
  readonly meta: VariableMeta
  readonly tfvar: string
}

/** A likely typing error each; the others in one line, since one file was for several workspaces. */
function sayUnknown(unknown: readonly Named[], known: readonly Known[], schemas: readonly Schema[]): string[] {
  const names = known.map(({ tfvar }) => tfvar)
  const said = unknown.map(({ name, line }) => ({ name, line, near: nearest(name, names) }))
  const typos = said.flatMap(({ name, line, near }) =>
    near ? [`line ${line}: ${name} is not a known variable; did you mean ${near}?`] : [],
  )
  const others = said.filter(({ near }) => !near).map(({ name }) => name)
  if (others.length === 0) return typos
  const whose = schemas.map(({ workspace }) => workspace).join(', ')
  const none = schemas.length > 1 ? 'have' : 'has'
  return [...typos, `left out, since ${whose} ${none} no variable for it: ${others.join(', ')}`]
}

/** Takes one value over, or notes why it is left out. What a file sets already stays. */
function takeValue(
  taking: Taking,
  { line, value }: Assignment,
  { schema, variable, meta, tfvar }: Known,
  files: EnvFiles,
) {
  const { problems, notes } = taking
  const set = find(variable, meta, {}, files)
  const unread = unreadPlace(files, variable, meta)
  if (value === '') notes.push(`line ${line}: ${tfvar} is empty and was left out`)
  else if (isPlaceholder(value, meta))
    notes.push(`line ${line}: ${tfvar} still holds the example's placeholder and was left out`)
  else if (set && !isPlaceholder(set.text, meta)) {
    const same = set.text === value ? 'the same' : 'another value, which stays'
    notes.push(`line ${line}: ${tfvar}: ${variable} is set in ${set.source} already (${same})`)
  } else if (unread)
    problems.push({ line, message: `${tfvar}: ${variable} may be set in ${unread}, which cannot be read` })
  else if (!isPlain(value))
    problems.push({ line, message: `${tfvar} holds a line end, or quotes of both kinds: set ${variable} by hand` })
  else if ((taking.made.get(schema)?.get(variable) ?? value) !== value)
    problems.push({ line, message: `${tfvar}: ${variable} has another value in another line` })
  else put(taking, schema, variable, value)
}

/** What is left to be read from what Terraform deployed: a key made here would not fit it. */
function tellAdopted(taking: Taking, schema: Schema, files: EnvFiles): void {
  const adopted = adoptedOf(schema)
  const isSet = (variable: string) =>
    taking.made.get(schema)?.has(variable) ||
    find(variable, schema.variables[variable]?.meta() as unknown as VariableMeta, {}, files)
  const left = adopted?.names.filter((variable) => !isSet(variable)) ?? []
  if (adopted && left.length > 0)
    taking.notes.push(
      `left empty: ${left.join(', ')}; ${adopted.command} reads them from what is deployed, and the first deploy makes them where nothing is`,
    )
}

/** The text with the comment that keeps `--generate` from making what the adoption reads. */
function withTakenOver(text: string, schema: Schema): string {
  const adopted = adoptedOf(schema)
  if (!adopted || takenOverAt(text) !== undefined) return text
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  return `${text}${text === '' || text.endsWith('\n') ? '' : eol}${takenOverLine(adopted.command)}${eol}`
}

const put = ({ made }: Taking, schema: Schema, variable: string, value: string) =>
  made.set(schema, (made.get(schema) ?? new Map()).set(variable, value))

/** Whether a value can stand in an environment file so that a shell and we read the same. */
const isPlain = (value: string): boolean => !/[\r\n\0]/.test(value) && !(value.includes("'") && /["$`\\]/.test(value))
