import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { authoritiesFile } from '@infra/shared/env/ca-file'
import { afterAll, describe, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'ca-file-'))
afterAll(() => rmSync(folder, { recursive: true }))

const [one = '', two = ''] = rootCertificates
const damaged = one.replace(/\n[^-\n]{20}/, '\n')

describe('a file of authorities', () => {
  test.each([
    ['one', one, [one]],
    ['several, with words around them', `words ${one}\n# more\n${two}\n`, [one, two]],
  ])('%s', (name, content, found) => {
    const path = join(folder, name)
    writeFileSync(path, content)
    const read = authoritiesFile().parse(path)
    expect(read.path).toBe(path)
    expect(read.content.match(/-----BEGIN[^-]*-----[\s\S]*?-----END[^-]*-----/g)).toEqual(found)
  })

  test.each([
    ['no such file', undefined, /cannot be read \(ENOENT\)/],
    ['empty', '', /holds no certificate in PEM/],
    ['a key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', /holds no certificate in PEM/],
    ['damaged', damaged, /holds a damaged certificate/],
  ])('%s is refused', (name, content, wrong) => {
    const path = join(folder, name)
    if (content !== undefined) writeFileSync(path, content)
    const { success, error } = authoritiesFile().safeParse(path)
    expect(success).toBe(false)
    expect(String(error)).toMatch(wrong)
  })
})
