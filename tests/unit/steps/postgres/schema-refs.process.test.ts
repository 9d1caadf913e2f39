import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { schemaRefs } from '@infra/shared/facts/postgres/schema-refs'
import { runLocal } from '@infra/shared/targets/process'
import { beforeAll, expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

const source = tempFolder()
const programs = tempFolder()
const commits: string[] = []
const git = (folder: string, ...args: string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
    encoding: 'utf8',
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
  }).trim()

/** One state after another: a.sql, or nothing of it. */
function commit(sql: string, other: string): void {
  mkdirSync(join(source, 'sql'), { recursive: true })
  writeFileSync(join(source, 'sql/a.sql'), sql)
  writeFileSync(join(source, 'other'), other)
  git(source, 'add', '.')
  git(source, 'commit', '-q', '-m', other)
  commits.push(git(source, 'rev-parse', 'HEAD'))
}

beforeAll(() => {
  git(source, 'init', '-q', '-b', 'main')
  const table = (columns: string) => `CREATE TABLE IF NOT EXISTS a (${columns});`
  commit(table('id int'), '1')
  commit(table('id int'), '2')
  commit(table('id int, two int'), '3')
  git(source, 'tag', 'v2')
  commit(table('id int, two int, three int'), '4')
  const program = (name: string, body: string) =>
    writeFileSync(join(programs, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  program('runuser', 'shift 3; exec "$@"')
  program('psql', `[ -z "$NO_TABLES" ] || { echo '{}'; exit; }; echo "$COLUMNS_OF_A"`)
})

async function asked(ref: string, path = join(tempFolder(), 'none'), env: Record<string, string> = {}) {
  const place = { database: 'valence', owner: 'v', folder: `${path}/sql`, files: ['a.sql'] }
  const { command, parse } = schemaRefs(path, { user: 'v', url: source, ref }, place)
  const stdin = (command.stdin?.parts ?? []).join('')
  return parse(await runLocal(command.line, stdin, { PATH: `${programs}:${process.env.PATH}`, ...env }))
}

const columns = (...names: string[]) => ({ COLUMNS_OF_A: JSON.stringify({ a: names }) })

test('what the tables lack of a ref is told, with the newest that fits: a tag, or the last commit of a schema', async () => {
  const [, second = ''] = commits
  const before = readdirSync('/tmp').filter((name) => name.startsWith('infra-schema.'))
  expect(await asked('main', undefined, columns('id'))).toEqual({
    lacking: ['a.two', 'a.three'],
    fits: second,
    adds: 0,
  })
  expect(await asked('main', undefined, columns('id', 'two'))).toEqual({ lacking: ['a.three'], fits: 'v2', adds: 0 })
  expect(await asked('v2', undefined, columns('id', 'two'))).toEqual({ lacking: [], fits: undefined })
  expect(await asked(second, undefined, columns('own'))).toEqual({ lacking: ['a.id'], fits: undefined, adds: 0 })
  expect(readdirSync('/tmp').filter((name) => name.startsWith('infra-schema.'))).toEqual(before)
})

test('nothing is fetched where there are no tables, or the ref is checked out', async () => {
  const nothing = { lacking: [], fits: undefined }
  expect(await asked('v2', undefined, { NO_TABLES: 'yes' })).toEqual(nothing)
  const there = join(tempFolder(), 'there')
  git(source, 'clone', '-q', source, there)
  git(there, 'checkout', '-q', 'v2')
  expect(await asked('v2', there, columns('id'))).toEqual(nothing)
  expect((await asked('main', there, columns('id'))).lacking).toEqual(['a.two', 'a.three'])
})

test('a ref or server that is not there is left to the step that fetches', async () => {
  expect(await asked('v9', undefined, columns('id'))).toEqual({ lacking: [], fits: undefined })
})
