import { readFileSync, statSync } from 'node:fs'
import { isMap, parseDocument } from 'yaml'
import { type Parsed, parsed, type Verdict } from './parsed.ts'

/** Files up to this many bytes are taken. */
const largest = 65_536

/** The path of a text file and its content. */
export function textFile(): Parsed<{ readonly path: string; readonly content: string }> {
  return parsed((path) => {
    const file = read(path)
    return 'wrong' in file ? file : { value: { path, content: file.value } }
  })
}

/**
 * The path of a YAML file that is a map, its content, and the names at its top. `reserved`: names that it may not set,
 * with what sets them.
 */
export function yamlFile(
  reserved: Readonly<Record<string, string>>,
): Parsed<{ readonly path: string; readonly content: string; readonly names: readonly string[] }> {
  return parsed((path) => {
    const file = read(path)
    if ('wrong' in file) return file
    const document = parseDocument(file.value)
    const [error] = document.errors
    // Its message shows the lines around, and those may hold a secret.
    const line = error?.linePos?.[0].line
    if (error) return { wrong: `names ${path}, which is not YAML${line ? ` (line ${line})` : ''}: ${error.code}` }
    if (document.contents !== null && !isMap(document.contents))
      return { wrong: `names ${path}, which is not a map of settings` }
    const names = isMap(document.contents) ? document.contents.items.map(({ key }) => String(key)) : []
    const taken = names.find((name) => Object.hasOwn(reserved, name))
    if (taken !== undefined) return { wrong: `names ${path}, which sets ${taken}`, remedy: reserved[taken] as string }
    return { value: { path, content: file.value, names } }
  })
}

function read(path: string): Verdict<string> {
  try {
    if (statSync(path).size > largest) return { wrong: `names ${path}, which is larger than ${largest} bytes` }
    return { value: readFileSync(path, 'utf8') }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return { wrong: `names ${path}, which does not exist` }
    if (code === 'EISDIR') return { wrong: `names ${path}, which is a directory` }
    return { wrong: `names ${path}, which cannot be read (${code ?? 'unknown error'})` }
  }
}
