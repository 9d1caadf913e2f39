import { nothing, revealText } from '@infra/shared/command/command'
import type { Change, Decision, PlanContext } from '@infra/shared/engine/step'
import { type JsonFileState, jsonEntries } from '@infra/shared/facts/host/json-entry'
import { type PackageState, packageState } from '@infra/shared/facts/host/python-package'
import { heldUnit } from '@infra/shared/facts/host/systemd'
import { type SchemaState, schemaState } from '@infra/shared/facts/postgres/schema'
import { jsonFileEntries } from '@infra/shared/steps/host/json-entry'
import { editablePackage } from '@infra/shared/steps/host/python-package'
import { unitFile } from '@infra/shared/steps/host/unit-file'
import { explainSchema, postgresSchema } from '@infra/shared/steps/postgres/schema'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from './told.ts'

const on = blank('a new host')
const none = { pending: [] }
const answer = (stdout: string, code = 0, stderr = '') => ({ code, stdout, stderr })
const changesIn = (decision: Decision): readonly Change[] => (decision.kind === 'changes' ? decision.changes : [])

describe('an editable Python package', () => {
  const metadata = { version: '1.0.1', requires: ['mcp>=1.0'], scripts: { valence: 'valence.cli:main' } }
  const good: PackageState = {
    missing: undefined,
    desired: metadata,
    installed: metadata,
    editable: '/repo',
    found: '/repo/src/valence/__init__.py',
    unmet: [],
    broken: [],
    plain: [],
  }
  const place = { venv: '/venv', source: '/repo', user: 'v' }
  const step = editablePackage(on, 'valence', { ...place, comesFrom: 'deploy common' })
  const rows: [Partial<PackageState>, string][] = [
    [{}, '= 1.0.1, from /repo'],
    [{ installed: undefined }, '+ python package valence'],
    [{ editable: undefined }, '~ python package valence: installed from an archive → /repo'],
    [{ editable: '/old' }, '~ python package valence: installed from /old → /repo'],
    [
      { found: '/venv/lib/valence/__init__.py' },
      '~ python package valence: found in /venv/lib/valence/__init__.py → /repo',
    ],
    [{ found: undefined }, '~ python package valence: found nowhere → /repo'],
    [{ desired: { ...metadata, version: '1.0.2' } }, '~ python package valence: 1.0.1 → 1.0.2'],
    [{ desired: { ...metadata, version: null } }, '= 1.0.1, from /repo'],
    [{ desired: { ...metadata, requires: [] } }, '~ python package valence: other requirements'],
    [{ desired: { ...metadata, requires: null } }, '= 1.0.1, from /repo'],
    [{ desired: { ...metadata, scripts: {} } }, '~ python package valence: other programs'],
    [{ broken: ['six==1.17.0'] }, '~ python package valence: half installed: six==1.17.0'],
    [{ plain: ['yaml'] }, '~ byte code of yaml'],
    [{ unmet: ['mcp>=1.0'], plain: ['yaml'] }, '~ python package valence: lacks mcp>=1.0'],
    [{ unmet: ['mcp>=1.0'] }, '~ python package valence: lacks mcp>=1.0'],
    [{ missing: 'source', desired: undefined }, '~ python package valence: no source'],
    [{ desired: undefined }, '! /repo/pyproject.toml describes no project'],
    [{ missing: 'venv', desired: undefined, installed: undefined }, '+ python package valence'],
  ]
  test.each(rows)('%o', (now, desired) => {
    expect(told(step.plan({ now: { ...good, ...now } }, none))).toEqual([desired])
  })

  test.each([
    [nothing, { missing: 'venv' }],
    [answer('{"missing": "venv"}\n'), { missing: 'venv' }],
    [answer(`${JSON.stringify({ missing: 'source' })}\n`), { missing: 'source', desired: undefined, unmet: [] }],
    [answer(JSON.stringify(good)), good],
  ])('%o', (given, state) => {
    expect(packageState('valence', place).parse(given)).toMatchObject(state)
  })

  test.each([
    ['sh: 3: /venv/bin/python: not found', 'there is no virtual environment or no source yet: deploy common'],
    [
      "ERROR: Package 'valence' requires a different Python: 3.9.2 not in '>=3.11'",
      "the package needs another Python: 3.9.2 not in '>=3.11'",
    ],
    ['WARNING: … NewConnectionError …\nERROR: No matching distribution', 'the package index (PyPI) cannot be reached'],
    [
      '    The user requested (constraint) mcp<2\nERROR: ResolutionImpossible: for help visit',
      'what it needs does not fit the constraint mcp<2',
    ],
    ['ERROR: No matching distribution found for nonsense', 'No matching distribution found for nonsense'],
  ])('%j', (stderr, desired) => {
    const [change] = changesIn(step.plan({ now: { ...good, installed: undefined } }, none))
    expect(change?.explain?.(answer('', 1, stderr))).toBe(desired)
  })
})

describe('a schema in a database', () => {
  const place = { database: 'valence', owner: 'v', folder: '/repo', files: ['a.sql', 'b.sql'] }
  const step = postgresSchema(on, 'vkb', { ...place, comesFrom: 'deploy postgresql' })
  const good: SchemaState = {
    lacks: undefined,
    digest: 'new4567x',
    applied: 'new4567x',
    missing: [],
    strange: [],
    contents: [],
    columns: {},
  }
  const contents = ['CREATE TABLE a ();\nSELECT 1;\n', 'SELECT 2;']
  const context = { pending: [], earlierChanges: true }
  const rows: [Partial<SchemaState>, PlanContext, string][] = [
    [{}, none, '= new4567, all there'],
    [{ applied: undefined, contents }, none, '+ schema vkb of database valence'],
    [{ applied: 'old4567x', contents }, none, '~ schema vkb of database valence old4567 → new4567'],
    [{ missing: ['relation public.a'], contents }, none, '~ schema vkb of database valence: relation public.a missing'],
    [
      { missing: ['a', 'b', 'c', 'd', 'e'], contents },
      none,
      '~ schema vkb of database valence: a, b, c and 2 more missing',
    ],
    [{ strange: ['relation public.a'] }, none, '~ relation public.a of schema vkb of database valence → v'],
    [
      { applied: undefined, contents: ['COMMIT;'] },
      none,
      '! schema vkb of database valence: its files begin or end a transaction (COMMIT)',
    ],
    [
      {
        applied: undefined,
        contents: ['CREATE TABLE IF NOT EXISTS a (id int, holder_id int);'],
        columns: { a: ['id'] },
      },
      none,
      '! database valence has tables of another version than the files in /repo: they lack a.holder_id',
    ],
    [{ lacks: '/repo/a.sql' }, none, '! /repo/a.sql is not there'],
    [{ lacks: '/repo/a.sql' }, context, '+ schema vkb of database valence'],
    [{ lacks: 'database valence' }, none, '+ schema vkb of database valence'],
  ]
  test.each(rows)('%o', (now, pending, desired) => {
    expect(told(step.plan({ now: { ...good, ...now } }, pending))).toEqual([desired])
  })

  test('is applied in one transaction that stops at the first error, as its owner', () => {
    const [change] = changesIn(step.plan({ now: { ...good, applied: undefined, contents } }, none))
    const [, apply] = change?.run ?? []
    expect(apply?.line).toMatch(
      / runuser -u v -- psql -X -q -v 'ON_ERROR_STOP=1' --single-transaction -d valence -f -$/,
    )
    expect(apply?.stdin && revealText(apply.stdin).split('\n').slice(1, 4)).toEqual([
      'CREATE TABLE a ();',
      'SELECT 1;',
      'SELECT 2;',
    ])
  })

  test.each([
    ['psql:<stdin>:3: ERROR:  boom\nLINE 1: …', 'a.sql:2: boom; nothing of it was applied'],
    ['psql:<stdin>:4: ERROR:  boom', 'b.sql:1: boom; nothing of it was applied'],
    ['psql:<stdin>:9: ERROR:  boom', 'boom; nothing of it was applied'],
    ['psql: error: connection to server failed: FATAL:  too many', 'too many'],
    ['nonsense', undefined],
  ])('%j', (stderr, desired) => {
    expect(explainSchema(answer('', 3, stderr), place.files, contents)).toBe(desired)
  })

  const record = { applied: 'abc', missing: ['relation public.x'], strange: [] }
  test.each([
    [nothing, { lacks: 'PostgreSQL' }],
    [answer('lacks /repo/a.sql\n'), { lacks: '/repo/a.sql' }],
    [answer('digest abc\n', 2, 'psql: error: … FATAL:  role "v" does not exist'), { lacks: 'database valence' }],
    [
      answer('digest abc\n', 2, 'psql: error: … FATAL:  database "valence" does not exist'),
      { lacks: 'database valence' },
    ],
    [
      answer('digest abc\nrecord \nfile YQ==\nfile YgpjCg==\n'),
      { ...good, digest: 'abc', applied: undefined, contents: ['a', 'b\nc\n'] },
    ],
    [answer(`digest abc\nrecord ${JSON.stringify(record)}\nfile YQ==\n`), { ...record, contents: ['a'] }],
  ])('%o', (given, state) => {
    expect(schemaState('vkb', place).parse(given)).toMatchObject(state)
  })

  test('a server that is down is not an empty database', () => {
    const down = answer('digest abc\n', 2, 'psql: error: connection to server on socket "/run" failed: No such file')
    expect(() => schemaState('vkb', place).parse(down)).toThrow('PostgreSQL does not answer: connection to server')
  })
})

describe('entries of a JSON file', () => {
  const entries = { one: { args: ['a'], env: {} }, two: { args: [], env: {} } }
  const step = jsonFileEntries(on, '~/.x.json', { user: 'v', group: 'servers', entries })
  const rows: [Partial<JsonFileState>, string][] = [
    [{}, '= one, two'],
    [{ kind: 'absent', entries: {} }, '+ servers in ~/.x.json: one, two'],
    [{ entries: { one: entries.one } }, '+ servers in ~/.x.json: two'],
    [{ entries: { ...entries, one: { args: ['b'], env: {} } } }, '~ servers in ~/.x.json: one'],
    // The order of keys says nothing.
    [{ entries: { ...entries, one: { env: {}, args: ['a'] } } }, '= one, two'],
    [{ kind: 'unreadable', entries: {} }, '! ~/.x.json of v is not a JSON object with servers in it'],
  ]
  test.each(rows)('%o', (now, desired) => {
    const state: JsonFileState = { kind: 'object', mode: '0600', entries, ...now }
    expect(told(step.plan({ now: state }, none))).toEqual([desired])
  })

  test('what an entry said before is told as the host tells it: by its names', () => {
    const before = { one: { args: ['[not shown]'], env: { KEY: '[not shown]' } }, two: entries.two }
    const [change] = changesIn(step.plan({ now: { kind: 'object', mode: '0600', entries: before } }, none))
    expect(change?.diff).toMatchObject({ kind: 'text', before: `${JSON.stringify(before, null, 2)}\n` })
  })

  test('the host is told the desired, so that it need not tell what differs', () => {
    const { line } = jsonEntries('v', '~/.x.json', 'servers', entries, ['command']).command
    expect(line).toContain(` '~/.x.json' servers '${JSON.stringify(entries)}' command`)
  })

  test('a blank host has no file', () => {
    expect(jsonEntries('v', '~/.x.json', 'servers', entries).parse(nothing).kind).toBe('absent')
  })
})

describe('the file of a unit', () => {
  const step = unitFile(on, 'x.service', { content: '[Unit]\n', boot: false })
  const file = { type: 'file', mode: '0644', owner: 'root', group: 'root', sha256: '', content: '[Unit]\n' } as const
  const unit = { exists: true, isUp: false, enabled: 'disabled', outdated: false }
  const path = '/etc/systemd/system/x.service'
  test.each([
    [{ file, now: unit }, ['= not started, disabled']],
    [{ file: null, now: { ...unit, exists: false, enabled: '' } }, [`+ ${path}`]],
    [{ file: { ...file, content: 'x' }, now: { ...unit, outdated: true } }, [`~ ${path}`]],
    [{ file: { ...file, mode: '0600' }, now: unit }, [`~ ${path}`]],
    [{ file, now: { ...unit, outdated: true } }, ['~ systemd reads x.service again']],
    [{ file, now: { ...unit, isUp: true, enabled: 'enabled' } }, ['~ x.service not at boot', '~ x.service stopped']],
    [{ file, now: { ...unit, enabled: 'masked' } }, ['! x.service is masked']],
    [{ file: { ...file, type: 'link' as const }, now: unit }, ['! x.service is masked']],
  ])('%o', (now, desired) => {
    expect(told(step.plan(now, none))).toEqual(desired)
  })
})

test('of a unit that shall not run, and is started again every few seconds, nothing is told that changes with it', () => {
  const { parse } = heldUnit('x.service')
  const said = (active: string, at: string) =>
    answer(
      `LoadState=loaded\nActiveState=${active}\nUnitFileState=enabled\nInactiveExitTimestamp=Sun 2026-11-22 01:34:${at} UTC\nNeedDaemonReload=no\n`,
    )
  const up = { exists: true, enabled: 'enabled', outdated: false, isUp: true }
  expect([parse(said('active', '00.1')), parse(said('activating', '05.2'))]).toEqual([up, up])
  expect(parse(said('failed', '05.2'))).toEqual({ ...up, isUp: false })
})
