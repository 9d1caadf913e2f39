import { isMap, parseDocument } from 'yaml'
import { readNamed } from './named-file.ts'
import { type Parsed, parsed } from './parsed.ts'

/** Files up to this many bytes are taken. */
const largest = 65_536

/** The path of a text file and its content. */
export function textFile(): Parsed<{ readonly path: string; readonly content: string }> {
  return parsed((path) => {
    const file = readNamed(path, largest, `larger than ${largest} bytes`)
    return 'wrong' in file ? file : { value: { path, content: file.value } }
  })
}

/** What the parser finds only when the value is made: an alias without its anchor, or one that grows beyond all measure. */
function aliasErrors(document: ReturnType<typeof parseDocument>): { code: string; linePos?: undefined }[] {
  try {
    document.toJS()
    return []
  } catch {
    return [{ code: 'BAD_ALIAS' }]
  }
}

/**
 * The path of a YAML file that is a map, its content, the names at its top and their values. `reserved`: names that it may not set,
 * with what sets them.
 */
export function yamlFile(reserved: Readonly<Record<string, string>>): Parsed<{
  readonly path: string
  readonly content: string
  readonly names: readonly string[]
  readonly values: Readonly<Record<string, unknown>>
}> {
  return parsed((path) => {
    const file = readNamed(path, largest, `larger than ${largest} bytes`)
    if ('wrong' in file) return file
    const document = parseDocument(file.value)
    const [error] = [...document.errors, ...aliasErrors(document)]
    // Its message shows the lines around, and those may hold a secret.
    const line = error?.linePos?.[0].line
    if (error) return { wrong: `names ${path}, which is not YAML${line ? ` (line ${line})` : ''}: ${error.code}` }
    if (document.contents !== null && !isMap(document.contents))
      return { wrong: `names ${path}, which is not a map of settings` }
    const names = isMap(document.contents) ? document.contents.items.map(({ key }) => String(key)) : []
    const taken = names.find((name) => Object.hasOwn(reserved, name))
    if (taken !== undefined) return { wrong: `names ${path}, which sets ${taken}`, remedy: reserved[taken] as string }
    const values = (document.toJS() ?? {}) as Record<string, unknown>
    return { value: { path, content: file.value, names, values } }
  })
}
