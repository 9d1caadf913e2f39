import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Assignment, type EnvText, isSet, namingLines, parseEnvText, sourcingLines } from './env-text.ts'
import { otherWriters } from './other-writers.ts'
import { readText } from './read-text.ts'
import { nearest } from './suggest.ts'
import { type Problem, type Schema, type VariableMeta, variablesOf, type Warning } from './variable.ts'

/** An environment file that is there. `name` is relative to the root, as messages show it. */
export interface EnvFile {
  readonly name: string
  readonly path: string
  /** As it was read. */
  readonly content: string
  readonly text: EnvText
  readonly values: ReadonlyMap<string, Assignment>
}

/** The files of a workspace, the strongest first, and what is wrong with them. */
export interface EnvFiles {
  /** The file that `--generate` writes and messages name: `.env.pod`, or `.env.pod.NAME`. */
  readonly main: string
  readonly read: readonly EnvFile[]
  readonly problems: readonly Problem[]
}

/**
 * Reads `.env.<workspace>` and `.env` below `root`; with a name, `.env.<workspace>.<name>` in place of the first,
 * which then must exist.
 */
export function readEnvFiles(workspace: string, root: string, home: string, name?: string): EnvFiles {
  const main = `.env.${workspace}${name === undefined ? '' : `.${name}`}`
  if (name !== undefined && !/^[A-Za-z0-9][\w-]*$/.test(name)) {
    const message = 'is not an environment name: letters, digits, - and _ only'
    return { main: `.env.${workspace}`, read: [], problems: [{ variable: '--env', message, example: 'staging' }] }
  }
  const problems: Problem[] = []
  const read: EnvFile[] = []
  if (name !== undefined && !existsSync(join(root, main))) {
    const remedy = `npm run validate -w ${workspace} -- --env ${name} --generate creates it`
    problems.push({
      variable: '--env',
      message: `${name}: there is no file ${main}`,
      remedy,
      file: main,
    })
  }
  for (const file of [main, '.env']) {
    const path = join(root, file)
    if (!existsSync(path)) continue
    const writers = otherWriters(path)
    if (writers !== undefined) {
      const message = `can be written by ${writers}, who could set what is deployed, and where to`
      problems.push({ variable: file, message, remedy: `See that it is as you left it, then: chmod 600 ${file}`, file })
      continue
    }
    try {
      read.push(readEnvFile(root, file, home))
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
      const isOwn = statSync(path).uid === process.getuid?.()
      problems.push({
        variable: file,
        message: `cannot be read (${code})`,
        remedy: unreadable(code, file, isOwn),
        file,
      })
    }
  }
  return { main, read, problems }
}

/** Reads one environment file. Throws what reading it throws. */
export function readEnvFile(root: string, name: string, home: string): EnvFile {
  const path = join(root, name)
  const content = readText(path, { mark: true })
  const text = parseEnvText(content, home)
  return { name, path, content, text, values: lastOf(text.assignments) }
}

/** What to do about a file that cannot be read, by the code of the error. Another owner's mode is not ours to change. */
export function unreadable(code: string, file: string, isOwn: boolean): string {
  if (code === 'EISDIR') return 'It is a folder: move it away.'
  if (code.includes('UTF-8')) return 'Save it as UTF-8.'
  return isOwn ? `Let yourself read it: chmod u+r ${file}` : `It is another user's: sudo chown "$(id -un)" ${file}`
}

/** What another file sets is not known here: it may be any variable. */
export const sourced = ({ name, text }: EnvFile): Problem[] =>
  sourcingLines(text).map((line) => ({
    variable: name,
    message: `makes a shell read another file (line ${line}), which this tool does not do`,
    remedy: 'copy the settings of that file into this one, or remove the line',
    file: name,
  }))

/** A line that names this variable and cannot be read: what it says is neither missing nor to be passed over. */
export function unreadSetting(files: EnvFiles, variable: string, meta: VariableMeta): Problem | undefined {
  for (const { name: file, text } of files.read) {
    const [line] = namingLines(text, [variable, ...(meta.aliases ?? [])])
    if (line === undefined) continue
    const why = text.broken.find((one) => one.line === line)?.why ?? 'more than one assignment, or a command'
    const message = `is named in line ${line}, which cannot be read: ${why}`
    return { variable, message, remedy: `write it as export ${variable}='…', or remove it`, file }
  }
  return undefined
}

/** The assignment of each name that holds: the last one; an empty one does not hide a value before it. */
function lastOf(assignments: readonly Assignment[]): Map<string, Assignment> {
  const values = new Map<string, Assignment>()
  for (const entry of assignments) if (isSet(entry) || !values.has(entry.name)) values.set(entry.name, entry)
  return values
}

/** What to say about a file that was read: its mode, broken lines, duplicates, likely typing errors, shell trouble. */
export function fileWarnings(file: EnvFile, schema: Schema): Warning[] {
  const warnings: Warning[] = []
  const warn = (message: string, more: Partial<Warning> = {}) => warnings.push({ message, file: file.name, ...more })
  const variables = variablesOf(schema)
  const names = variables.flatMap(({ name, meta }) => [name, ...(meta.aliases ?? [])])

  const holdsSecret = variables.some(({ name, meta }) => meta.secret && file.values.get(name)?.value)
  if (holdsSecret && process.platform !== 'win32' && (statSync(file.path).mode & 0o077) !== 0)
    warn('holds secrets and can be read by other users', { remedy: `chmod 600 ${file.name}` })
  // What may set a variable of this workspace is an error, told elsewhere.
  const serious = [...sourcingLines(file.text), ...namingLines(file.text, names)]
  for (const { line, why } of file.text.broken) if (!serious.includes(line)) warn(`line ${line} is ignored: ${why}`)
  for (const line of file.text.spaced)
    warn(`line ${line} has spaces around its =, which a shell does not accept`, { remedy: 'leave them out' })
  if (file.text.windows)
    warn('has Windows line ends, which a shell reads as part of the values', { remedy: `dos2unix ${file.name}` })

  const lines = new Map<string, number[]>()
  for (const { name, line } of file.text.assignments) lines.set(name, [...(lines.get(name) ?? []), line])
  for (const [name, at] of lines) {
    if (at.length > 1) warn(`is set ${at.length} times (lines ${at.join(', ')}); the last one wins`, { variable: name })
    if (names.includes(name)) continue
    const meant = nearest(name, names)
    if (meant !== undefined) warn('is not a known variable', { variable: name, remedy: `did you mean ${meant}?` })
  }
  for (const { name, shell } of file.values.values())
    if (names.includes(name) && 'trouble' in shell && shell.trouble === 'several words')
      warn('has spaces but no quotes: `source` would not read it', {
        variable: name,
        remedy: 'put the value in single quotes',
      })
  return warnings
}
