import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../../..')

/**
 * What shows that the remedy of a refusal leads out of it. `says` is a piece of the call of `refuse`, which stands in no
 * other call of its file.
 */
export type Remedy = { readonly says: string } & (
  | {
      /** The file of the test that follows the remedy as it is printed … */
      readonly test: string
      /** … and a piece of that test. */
      readonly has: string
    }
  /** Why no test can follow it. */
  | { readonly why: string }
  /** Nobody followed it yet. */
  | { readonly untried: true }
)

/** By source file: an entry for each of its calls of `refuse`. */
export type Remedies = Readonly<Record<string, readonly Remedy[]>>

/** The calls of `refuse` in a text, from the name to the closing bracket, without its declaration. */
export function refusalsIn(text: string): string[] {
  return [...text.matchAll(/(?<!function |const )\brefuse\(/g)].flatMap(({ index }) => {
    const line = text.slice(text.lastIndexOf('\n', index) + 1, index)
    return /^\s*(\/\/|\*|\/\*\*)/.test(line) ? [] : [callAt(text, index)]
  })
}

function callAt(text: string, start: number): string {
  let depth = 0
  for (let at = text.indexOf('(', start); at < text.length; at++) {
    if (text[at] === '(') depth++
    if (text[at] === ')' && --depth === 0) return text.slice(start, at + 1)
  }
  throw new Error(`no end of: ${text.slice(start, start + 80)}`)
}

/** By source file of the product: its calls of `refuse`. */
export const refusals: ReadonlyMap<string, readonly string[]> = new Map(
  ['shared/src', 'pod', 'cluster', 'stoat'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
      .map((path) => `${folder}/${path}`)
      .sort()
      .flatMap((path) => {
        const calls = refusalsIn(readFileSync(join(root, path), 'utf8'))
        return calls.length > 0 ? [[path, calls] as const] : []
      }),
  ),
)
