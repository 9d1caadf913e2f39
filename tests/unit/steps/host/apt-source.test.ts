import { fetchedSuites, sourceFiles } from '@infra/shared/facts/host/apt-source'
import type { FileState } from '@infra/shared/facts/host/file'
import { pgdgSource } from '@infra/shared/steps/postgres/pgdg'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const on = blank('a new host')
const content = `Types: deb
URIs: https://apt.postgresql.org/pub/repos/apt
Suites: bookworm-pgdg
Components: main
Signed-By: /usr/share/postgresql-common/pgdg/apt.postgresql.org.asc, B97B0AFCAA1A47F044F244A07FCC7D46ACCC4CF8
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
  ])('%s, PostgreSQL %i', (codename, version, now, fetched, desired) => {
    const step = pgdgSource(on, version, { dependsOn: [] })
    expect(told(step.plan({ system: { codename }, now, fetched, files: [] }, { pending: [] }))).toEqual(desired)
  })

  test('one that cannot be fetched is taken away again', () => {
    const decision = pgdgSource(on, 16, { dependsOn: [] }).plan(
      { system: { codename: 'trixie' }, now: null, fetched: [], files: [] },
      { pending: [] },
    )
    const change = decision.kind === 'changes' ? decision.changes[0] : undefined
    expect(change?.undo?.map(({ line }) => line)).toEqual(['rm -f /etc/apt/sources.list.d/pgdg.sources'])
    expect(change?.diff).toMatchObject({ before: '', after: content.replace('bookworm', 'trixie') })
  })
})

describe('other sources of the same archive', () => {
  const step = pgdgSource(on, 16, { dependsOn: [] })
  const archive = 'apt.postgresql.org/pub/repos/apt'
  const folder = '/etc/apt/sources.list.d'
  const same = (line: number, to = line) => ({ lines: [line, to], archives: [archive], suites: ['bookworm-pgdg'] })
  const other = { lines: [1, 1], archives: ['deb.debian.org/debian'], suites: ['bookworm'] }
  const list = (...sources: object[]) => ({ files: [{ path: `${folder}/old.list`, sources }] })
  test.each<[string, object, string[]]>([
    [
      'a file of it alone',
      list(same(2)),
      [`- other source ${folder}/old.list of the same archive put aside`, '+ source pgdg'],
    ],
    [
      'and of its sources',
      list(same(1), same(2)),
      [`- other source ${folder}/old.list of the same archive put aside`, '+ source pgdg'],
    ],
    [
      'beside others',
      list(other, same(2), same(4, 8)),
      [`- other source ${folder}/old.list:2,4 of the same archive commented out`, '+ source pgdg'],
    ],
    ['another suite of it', list({ ...same(1), suites: ['bookworm-pgdg-testing'] }), ['+ source pgdg']],
    ['another archive of that site', list({ ...same(1), archives: ['apt.postgresql.org/old'] }), ['+ source pgdg']],
    [
      'one stanza with another suite',
      list({ ...same(3, 9), suites: ['bookworm-pgdg', 'bookworm-pgdg-testing'] }),
      [
        `! ${folder}/old.list:3 names https://${archive} bookworm-pgdg together with others, and apt wants one key for it`,
      ],
    ],
    [
      'where ours is there already',
      { now: file(content), fetched: ['bookworm-pgdg'], ...list(same(1)) },
      [`- other source ${folder}/old.list of the same archive put aside`],
    ],
    [
      'where ours is there already, without lists',
      { now: file(content), ...list(same(1)) },
      [`- other source ${folder}/old.list of the same archive put aside`, '~ lists of source pgdg'],
    ],
    [
      'where ours is not needed',
      { system: { codename: 'noble' }, ...list(same(1)) },
      ['= noble carries PostgreSQL 16 and pgvector'],
    ],
  ])('%s', (_, now, desired) => {
    const base = { system: { codename: 'bookworm' }, now: null, fetched: [], files: [] }
    expect(told(step.plan({ ...base, ...now }, { pending: [] }))).toEqual(desired)
  })

  test('what apt reads in its files', () => {
    const stdout = `file /etc/apt/sources.list
 deb http://deb.debian.org/debian bookworm main
 # deb https://apt.postgresql.org/pub/repos/apt bookworm-pgdg main
 deb [arch=amd64 signed-by=/usr/share/keyrings/pgdg.gpg] http://apt.postgresql.org/pub/repos/apt/ bookworm-pgdg main # old
 deb-src https://me:secret@apt.postgresql.org/pub/repos/apt bookworm-pgdg main
file ${folder}/pgdg-new.sources
 # Types: deb
 Types: deb
 URIs: https://apt.postgresql.org/pub/repos/apt
  http://deb.debian.org/debian
 Suites: bookworm-pgdg
 
 Enabled: no
 Types: deb
 URIs: https://apt.postgresql.org/pub/repos/apt
 Suites: bookworm-pgdg
 
 types: deb
 uris: https://apt.postgresql.org/pub/repos/apt
 suites: bookworm-pgdg
 signed-by:
  -----BEGIN PGP PUBLIC KEY BLOCK-----
  .
`
    const { parse } = sourceFiles(`https://${archive}`, `${folder}/pgdg.sources`)
    expect(parse({ code: 0, stdout, stderr: '' })).toEqual([
      { path: '/etc/apt/sources.list', sources: [other, same(3), same(4)] },
      {
        path: `${folder}/pgdg-new.sources`,
        sources: [{ ...same(2, 5), archives: [archive, 'deb.debian.org/debian'] }, same(12, 17)],
      },
    ])
    expect(parse({ code: 127, stdout: '', stderr: '' })).toEqual([])
  })
})

test('the lists that apt keeps', () => {
  const question = fetchedSuites('https://apt.postgresql.org/pub/repos/apt/')
  const name = 'apt.postgresql.org_pub_repos_apt_dists'
  const stdout = `${name}_bookworm-pgdg_InRelease\n${name}_trixie-pgdg_Release\n`
  expect(question.parse({ code: 0, stdout, stderr: '' })).toEqual(['bookworm-pgdg', 'trixie-pgdg'])
  expect(question.parse({ code: 2, stdout: '', stderr: '' })).toEqual([])
})
