import { chownSync, existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { renderExample } from './docs.ts'
import { parseEnvText, unreadLine } from './env-text.ts'
import { type EnvFiles, readEnvFiles } from './files.ts'
import { find } from './find.ts'
import type { LoadOptions } from './load.ts'
import { isPlaceholder } from './placeholder.ts'
import { password } from './random.ts'
import { adoptedOf, takenOverAt } from './taken-over.ts'
import { type Problem, type Schema, type VariableMeta, variablesOf } from './variable.ts'

export interface Generated {
  /** The file that holds them, relative to the root. */
  readonly file: string
  /** The names that were written, never the values. */
  readonly written: readonly string[]
  /** Whether the file is new. */
  readonly created: boolean
  /** What it left unmade, since the file was taken over and what is deployed has it. */
  readonly adopted?: { readonly names: readonly string[]; readonly command: string; readonly line: number } | undefined
  readonly problems: readonly Problem[]
}

/**
 * Writes the secrets that are set nowhere into `.env.<workspace>` (or `.env.<workspace>.<name>`), which is made from
 * the example when it is not there. A blank assignment and a placeholder are filled in place; the rest of the file stays byte
 * for byte. What is set in the process, in this file or in `.env` is kept, even the original's `$(openssl rand …)`: what is
 * deployed is what it gave when the file was sourced. Of a file that was taken over, what its adoption reads is not made.
 * The file is replaced in one step and readable by its owner only. Where a line that cannot be read names one of them,
 * nothing is written: it may be set there. Throws when the folder cannot be written.
 */
export function generateMissing(options: LoadOptions<Schema>): Generated {
  const { schema, root, processEnv, name } = options
  const home = processEnv.HOME || homedir()
  const files = readEnvFiles(schema.workspace, root, home, name)
  const path = join(root, files.main)
  const created = !existsSync(path)
  const problems = files.problems.filter((problem) => !(created && problem.file === files.main))
  if (problems.length > 0) return { file: files.main, written: [], created: false, problems }

  const made = new Map<string, string>()
  const given = (variable: string) => {
    const type = schema.variables[variable]
    return made.get(variable) ?? (type && existing(variable, type.meta() as unknown as VariableMeta)?.text)
  }
  const existing = (variable: string, meta: VariableMeta) => {
    const found = find(variable, meta, processEnv, files)
    return found && isPlaceholder(found.text, meta) ? undefined : found
  }
  const line = takenOverAt(files.read.find((file) => file.name === files.main)?.content ?? '')
  const adopted: string[] = []
  for (const { name: variable, meta } of variablesOf(schema)) {
    if (meta.generate === undefined || existing(variable, meta)) continue
    if (meta.adoptedBy !== undefined && line !== undefined) {
      adopted.push(variable)
      continue
    }
    const value = meta.generate(given)
    if (value === undefined) problems.push(stuck(variable, meta, files.main))
    else made.set(variable, value)
  }
  const doubtful = [...made.keys()].flatMap((variable) => {
    const place = unreadPlace(files, variable, schema.variables[variable]?.meta() as VariableMeta | undefined)
    return place === undefined ? [] : [mayBeSet(variable, place)]
  })
  const blocked = made.size > 0 ? [...notReplaced(files.main, root), ...doubtful] : []
  if (blocked.length > 0) return { file: files.main, written: [], created: false, problems: blocked }
  if (made.size > 0 || created) replaceFile(path, withValues(contentOf(files, schema), made, home))
  const command = adoptedOf(schema)?.command
  const left = command && line && adopted.length > 0 ? { names: adopted, command, line } : undefined
  return { file: files.main, written: [...made.keys()], created, problems, adopted: left }
}

/** What a workspace's own file holds as it was read, once: of a pipe there is no second time. A new one begins as the example. */
export function contentOf(files: EnvFiles, schema: Schema): string {
  const own = files.read.find(({ name }) => name === files.main)
  const environment = files.main.split('.')[3]
  return own?.content ?? renderExample([schema], { blank: true, environment })
}

/** Whether a rename over it loses nothing but its text: a pipe or a device is somebody's, who writes into it. */
const isReplaceable = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? true

/** What stands against writing into a file of the root: it is no regular one. */
export function notReplaced(file: string, root: string): readonly Problem[] {
  if (isReplaceable(join(root, file))) return []
  const message = 'is not a regular file, and is not replaced; nothing was written'
  return [{ variable: file, message, remedy: 'Set the values where it gets its text from.', file }]
}

function stuck(variable: string, meta: VariableMeta, file: string): Problem {
  const message = 'cannot be generated: it belongs to a value that is set already'
  return { variable, message, example: meta.example, remedy: 'set it, or empty the other one as well', file }
}

/** `FILE:LINE` of what cannot be read and may set this variable, under its name or a former one; undefined without. */
export function unreadPlace(files: EnvFiles, variable: string, meta: VariableMeta | undefined): string | undefined {
  for (const { name, text } of files.read) {
    const line = unreadLine(text, [variable, ...(meta?.aliases ?? [])])
    if (line !== undefined) return `${name}:${line}`
  }
  return undefined
}

function mayBeSet(variable: string, place: string): Problem {
  return {
    variable,
    message: `may be set in ${place}, which cannot be read: a second value could lose data; nothing was written`,
    remedy: `write that line as export ${variable}='…', or remove it`,
    file: place.slice(0, place.lastIndexOf(':')),
  }
}

/** The text with values put into their assignments; those that have none come at the end. */
export function withValues(text: string, made: ReadonlyMap<string, string>, home: string): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  // The last assignment of a name is the one that holds.
  const places = new Map(parseEnvText(text, home).assignments.map((entry) => [entry.name, entry]))
  let result = text
  for (const { name, start, end } of [...places.values()].sort((a, b) => b.start - a.start)) {
    const value = made.get(name)
    if (value !== undefined) result = `${result.slice(0, start)}${quoted(value)}${result.slice(end)}`
  }
  const rest = [...made].filter(([name]) => !places.has(name))
  if (rest.length === 0) return result
  if (result !== '' && !result.endsWith('\n')) result += eol
  return result + rest.map(([name, value]) => `export ${name}=${quoted(value)}${eol}`).join('')
}

/** In double quotes, or in single ones where a shell would find something in double ones. */
const quoted = (value: string): string => (/["$`\\]/.test(value) ? `'${value}'` : `"${value}"`)

/**
 * Writes a file beside its place, readable by its owner only from the start, and renames it over. A link stays a
 * link, and root does not take the file away from its owner.
 */
export function replaceFile(path: string, text: string): void {
  if (!isReplaceable(path)) throw new Error(`${path} is not a regular file, and is not replaced`)
  const target = existsSync(path) ? realpathSync(path) : path
  const temporary = `${target}.${password().slice(0, 8)}.tmp`
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx', flush: true })
    if (existsSync(target)) keepOwner(target, temporary)
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

function keepOwner(from: string, to: string): void {
  const [before, now] = [statSync(from), statSync(to)]
  if (process.getuid?.() === 0 && (before.uid !== now.uid || before.gid !== now.gid))
    chownSync(to, before.uid, before.gid)
}
