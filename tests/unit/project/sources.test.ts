import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'], {
  cwd: root,
  encoding: 'utf8',
})
const deleted = execFileSync('git', ['ls-files', '-z', '--deleted'], { cwd: root, encoding: 'utf8' }).split('\0')
const files = listed.split('\0').filter((path) => path !== '' && !deleted.includes(path))
const sources = files.filter((path) => /\.(ts|sh|py)$/.test(path))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

test('there are sources to look at', () => {
  expect(sources.length).toBeGreaterThan(100)
})

test('no source is longer than 300 lines', () => {
  expect(sources.filter((path) => read(path).split('\n').length > 301)).toEqual([])
})

test('only the report folder prints', () => {
  const printing = /console\.|process\.std(out|err)\.write|stdout\.write/
  const product = sources.filter((path) => /^(shared|pod|cluster|stoat)\//.test(path))
  expect(product.filter((path) => printing.test(read(path)) && !path.startsWith('shared/src/report/'))).toEqual([])
})

test('no step, fact, target or script asks whether this is a dry run', () => {
  const below = /^(shared\/src\/(engine|facts|steps|targets|command)|pod|cluster|stoat)\//
  expect(sources.filter((path) => below.test(path) && /dry.?run|checkMode/i.test(read(path)))).toEqual([])
})

test('secrets are opened only by what sends, judges, stores or fingerprints them', () => {
  const opening = sources.filter((path) => path.startsWith('shared/src/') && /\breveal(Text)?\(/.test(read(path)))
  const allowed = /^shared\/src\/(command|targets|env)\/|^shared\/src\/(engine\/digest|platform\/doks)\.ts$/
  expect(opening.filter((path) => !allowed.test(path))).toEqual([])
})
