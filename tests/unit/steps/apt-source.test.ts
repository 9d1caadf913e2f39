import { fetchedSuites } from '@infra/shared/facts/apt-source'
import type { FileState } from '@infra/shared/facts/file'
import { pgdgSource } from '@infra/shared/steps/pgdg'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from './told.ts'

const on = blank('a new host')
const content = `Types: deb
URIs: https://apt.postgresql.org/pub/repos/apt
Suites: bookworm-pgdg
Components: main
Signed-By: /usr/share/postgresql-common/pgdg/apt.postgresql.org.asc
`
const file = (content: string): FileState => ({
  type: 'file',
  mode: '0644',
  owner: 'root',
  group: 'root',
  sha256: '',
  content,
})

describe('the source of PostgreSQL', () => {
  test.each([
    ['trixie', 17, null, [], ['= trixie carries PostgreSQL 17 and pgvector']],
    ['noble', 16, null, [], ['= noble carries PostgreSQL 16 and pgvector']],
    ['trixie', 16, null, [], ['+ source pgdg']],
    // Debian 12 has PostgreSQL 15, but no pgvector.
    ['bookworm', 15, null, [], ['+ source pgdg']],
    ['bookworm', 16, file(content), ['bookworm-pgdg'], ['= bookworm-pgdg']],
    ['bookworm', 16, file(content), [], ['~ lists of source pgdg']],
    ['bookworm', 16, file('Types: deb\n'), ['bookworm-pgdg'], ['~ source pgdg']],
  ])('%s, PostgreSQL %i', (codename, version, now, fetched, wish) => {
    const step = pgdgSource(on, version, { after: [] })
    expect(told(step.plan({ system: { codename }, now, fetched }, { pending: [] }))).toEqual(wish)
  })

  test('one that cannot be fetched is taken away again', () => {
    const decision = pgdgSource(on, 16, { after: [] }).plan(
      { system: { codename: 'trixie' }, now: null, fetched: [] },
      { pending: [] },
    )
    const change = decision.kind === 'changes' ? decision.changes[0] : undefined
    expect(change?.undo?.map(({ line }) => line)).toEqual(['rm -f /etc/apt/sources.list.d/pgdg.sources'])
    expect(change?.diff).toMatchObject({ before: '', after: content.replace('bookworm', 'trixie') })
  })
})

test('the lists that apt keeps', () => {
  const question = fetchedSuites('https://apt.postgresql.org/pub/repos/apt/')
  const name = 'apt.postgresql.org_pub_repos_apt_dists'
  const stdout = `${name}_bookworm-pgdg_InRelease\n${name}_trixie-pgdg_Release\n`
  expect(question.parse({ code: 0, stdout, stderr: '' })).toEqual(['bookworm-pgdg', 'trixie-pgdg'])
  expect(question.parse({ code: 2, stdout: '', stderr: '' })).toEqual([])
})
