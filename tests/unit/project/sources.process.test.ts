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

// With an environment that is chosen: targets/child-env.ts.
test('programs are started by targets/process.ts, and nowhere else', () => {
  const product = sources.filter((path) => /^(shared|pod|cluster|stoat)\/.*\.ts$/.test(path))
  const starting = product.filter((path) => /from '(node:)?(child_process|cluster|zx\b)/.test(read(path)))
  expect(starting).toEqual(['shared/src/targets/process.ts'])
})

// But for kubectl's own option.
test('no step, fact, target or script asks whether this is a dry run', () => {
  const below = /^(shared\/src\/(engine|facts|steps|targets|command)|pod|cluster|stoat)\//
  expect(sources.filter((path) => below.test(path) && /(?<!--)dry.?run|checkMode/i.test(read(path)))).toEqual([])
})

test('secrets are opened only by what sends, judges, stores or fingerprints them', () => {
  const opening = sources.filter((path) => path.startsWith('shared/src/') && /\breveal(Text)?\(/.test(read(path)))
  const allowed = /^shared\/src\/(command|targets|env)\/|^shared\/src\/(engine\/digest|platform\/doks)\.ts$/
  expect(opening.filter((path) => !allowed.test(path))).toEqual([])
})

test('clients of PostgreSQL are started by what command/sql.ts makes, and nowhere else', () => {
  const product = /^(shared\/src|pod|cluster|stoat)\/.*\.(ts|sh|py)$/
  const client =
    /\b(psql|pg_dump|pg_dumpall|pg_restore|createdb|dropdb|createuser|dropuser|vacuumdb|reindexdb|clusterdb)\b/
  // Given words or options, as a whole line of a program or as one word in a list of them; or by the user postgres.
  const starts = new RegExp(
    `${client.source}['"]?,? +(['"]?-|\\$|["']\\$)|(-u|--uid|--user|su)['"]?[ ,=]+['"]?postgres\\b`,
  )
  // What a user is told to do, what sudo lets one do, and what is run by `as_role` or `roleClient`, which say as whom.
  const fine = /^const database = '|\bas_role |(asRole|roleClient)\(/
  const found = sources
    .filter((path) => product.test(path) && path !== 'shared/src/command/sql.ts')
    .flatMap((path) =>
      read(path)
        .split('\n')
        .filter((line) => starts.test(line) && !fine.test(line))
        .map((line) => `${path}: ${line}`),
    )
  expect(found).toEqual([])
  for (const line of [
    'runuser -u postgres -- x',
    'psql -d valence',
    '["psql", "-X"]',
    'pg_dump "$x"',
    "'-u', 'postgres'",
  ])
    expect(starts.test(line), line).toBe(true)
})

test('files of the kernel are read, never measured: their size is 0 whatever they hold', () => {
  const measured = /(\[|\btest) (! )?-s ["']?\/(proc|sys)\//
  const found = sources.filter((path) => !path.startsWith('tests/unit/project/') && measured.test(read(path)))
  expect(found).toEqual([])
  expect(measured.test('[ ! -s /proc/net/if_inet6 ] || echo ipv6')).toBe(true)
})
