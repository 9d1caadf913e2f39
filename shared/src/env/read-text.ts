import { readFileSync } from 'node:fs'

/**
 * The text of a file in UTF-8, without a byte order mark unless `mark` keeps it. Throws what reading throws, and an error
 * whose `code` names the line where something else than UTF-8 is: written back, it would be lost.
 */
export function readText(path: string, { mark = false } = {}): string {
  const bytes = readFileSync(path)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: mark }).decode(bytes)
  } catch {
    throw Object.assign(new Error(`${path} is not UTF-8`), { code: `line ${lineOf(bytes)} is not UTF-8` })
  }
}

/** The first line that is not UTF-8: a line end is one byte, and part of no other character. */
function lineOf(bytes: Buffer): number {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for (let line = 1, at = 0; ; line += 1) {
    const end = bytes.indexOf(10, at)
    try {
      decoder.decode(bytes.subarray(at, end < 0 ? undefined : end))
    } catch {
      return line
    }
    if (end < 0) return line
    at = end + 1
  }
}
