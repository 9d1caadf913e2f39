import { statSync } from 'node:fs'
import type { Verdict } from './parsed.ts'
import { readText } from './read-text.ts'

/** The text of a file that a variable names, of at most `most` bytes; `tooLarge` ends the sentence about a larger one. */
export function readNamed(path: string, most: number, tooLarge: string): Verdict<string> {
  try {
    if (statSync(path).size > most) return { wrong: `names ${path}, which is ${tooLarge}` }
    return { value: readText(path) }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return { wrong: `names ${path}, which does not exist` }
    if (code === 'EISDIR') return { wrong: `names ${path}, which is a directory` }
    return { wrong: `names ${path}, which cannot be read (${code ?? 'unknown error'})` }
  }
}
