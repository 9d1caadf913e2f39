import { statSync } from 'node:fs'
import { type Parsed, parsed } from './parsed.ts'

/** The path of a folder that is there. */
export const folderPath = (): Parsed<string> => pathOf('a folder')

/** The path of a file that is there. */
export const filePath = (): Parsed<string> => pathOf('a file')

function pathOf(kind: 'a folder' | 'a file'): Parsed<string> {
  return parsed((path) => {
    const state = statSync(path, { throwIfNoEntry: false })
    if (!state) return { wrong: `names ${path}, which does not exist` }
    return state.isDirectory() === (kind === 'a folder')
      ? { value: path }
      : { wrong: `names ${path}, which is not ${kind}` }
  })
}
