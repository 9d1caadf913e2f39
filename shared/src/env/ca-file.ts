import { X509Certificate } from 'node:crypto'
import { type Parsed, parsed } from './parsed.ts'
import { readText } from './read-text.ts'

/** The path of a PEM file of certificate authorities, read and taken apart. */
export function authoritiesFile(): Parsed<{ readonly path: string; readonly content: string }> {
  return parsed((path) => {
    let content: string
    try {
      content = readText(path)
    } catch (error) {
      return { wrong: `names ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code})` }
    }
    const found = content.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
    if (found.length === 0) return { wrong: `names ${path}, which holds no certificate in PEM` }
    for (const pem of found) {
      try {
        new X509Certificate(pem)
      } catch {
        return { wrong: `names ${path}, which holds a damaged certificate` }
      }
    }
    return { value: { path, content: `${found.join('\n')}\n` } }
  })
}
