import { type Command, nothing } from '@infra/shared/command/command'
import { type Finding, runChecks } from '@infra/shared/engine/check'
import { sampleEnv } from '@infra/shared/env/sample'
import { servedByHttps } from '@infra/shared/facts/host/served'
import { tableState } from '@infra/shared/facts/postgres/tables'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { judgeLook } from '../../../pod/checks/droplet.ts'
import type { Answer } from '../../../pod/checks/https.ts'
import {
  judgeCertificate,
  judgeClient,
  judgeRegistration,
  judgeServer,
  judgeVersions,
} from '../../../pod/checks/matrix.ts'
import { judgeDns, judgeServed, recordRemedy } from '../../../pod/checks/outside.ts'
import { judgeApart, judgeDatabase } from '../../../pod/checks/postgresql.ts'
import { holds, judgeVisit } from '../../../pod/checks/round-trip.ts'
import { judgeClock, judgeDisks, judgeMemory } from '../../../pod/checks/system.ts'
import { judgeHealth, judgeTables, vkbChecks } from '../../../pod/checks/vkb.ts'
import type { PodContext } from '../../../pod/context.ts'
import { podSchema } from '../../../pod/env/env.ts'
import pod from '../../../pod/pod.ts'
import { coreColumns } from '../../../pod/valence/vkb.ts'

test("the server's own check may take as long as a small host needs to import what Valence does", async () => {
  const asked: Command[] = []
  const host = {
    ...blank('pod'),
    ask: async (commands: readonly Command[]) => {
      asked.push(...commands)
      return [nothing]
    },
  }
  const context = { env: sampleEnv(podSchema), host } as unknown as PodContext
  await vkbChecks(context)
    .find(({ id }) => id === 'vkb.health')
    ?.probe?.({} as never)
  const [command] = asked
  const [, limit] = command?.line.match(/timeout -k 2 (\d+) /) ?? []
  expect(Number(limit)).toBeGreaterThanOrEqual(40)
  // Its own limit is the first to be reached, and told; the connection's is 60 seconds without a word.
  expect(command?.timeoutSeconds).toBeGreaterThan(Number(limit) + 2)
  expect(command?.timeoutSeconds).toBeLessThan(60)
})

const said = ({ outcome, detail }: Finding) => `${outcome} ${detail}`
const answer = (stdout: string, code = 0, stderr = '') => ({ code, stdout, stderr })
const http = (status: number, json?: Answer['json'], headers = {}): Answer => ({ status, json, headers, until: 0 })

test.each([
  [[{ mount: '/', used: 79, inodes: 10 }], 'ok / 79 %'],
  [[{ mount: '/', used: 80, inodes: undefined }], 'warn / 80 %'],
  [[{ mount: '/', used: 20, inodes: 85 }], 'warn / 20 % (inodes 85 %)'],
  [
    [
      { mount: '/', used: 20, inodes: 1 },
      { mount: '/var', used: 90, inodes: 1 },
    ],
    'fail / 20 %, /var 90 %',
  ],
])('disks %o', (disks, desired) => {
  expect(said(judgeDisks(disks))).toBe(desired)
})

test.each([
  ['2604:A880:0:0::1', ['2604:a880::1'], 'ok 203.0.113.10'],
  [
    '2604:a880::1',
    ['2604:a880::2'],
    /^warn it also leads to 2604:a880::2, which is not the droplet's \(2604:a880::1\)/,
  ],
  [
    undefined,
    ['2604:a880::2'],
    /^warn it also leads to 2604:a880::2, .* \(it has no IPv6 address\): remove that record/,
  ],
])('a droplet with the IPv6 address %s, whose name leads to %o', (address6, addresses6, desired) => {
  const droplet = { address: '203.0.113.10', address6 }
  const look = { addresses: [droplet.address], addresses6, unasked: null }
  expect(said(judgeLook('pod.example.org', droplet, look))).toMatch(desired)
})

test.each([
  [501, 'ok 501 MB'],
  [500, 'warn 500 MB'],
  [201, 'warn 201 MB'],
  [200, 'fail 200 MB'],
])('memory %d', (mb, desired) => {
  expect(said(judgeMemory(mb))).toBe(desired)
})

test.each([
  [true, 0, 'ok synchronised'],
  [false, 10, 'warn as ours, but nothing keeps it so: not synchronised'],
  [true, 121, 'fail 121 s before ours'],
  [true, -300, 'fail 300 s behind ours'],
])('clock synchronised %s, %d s before ours', (synchronised, off, desired) => {
  expect(said(judgeClock(synchronised, off))).toBe(desired)
})

test('the clock is compared when it answers, however long the other questions take', async () => {
  vi.useFakeTimers()
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const host = {
    name: 'host',
    ask: async ([command]: readonly Command[]) => {
      if (command?.line === 'date +%s') return [answer(`${Math.floor(Date.now() / 1000)}\n`)]
      await vi.advanceTimersByTimeAsync(600_000)
      return [answer('yes\n')]
    },
  }
  const found: string[] = []
  const checks = pod.checks({ env: sampleEnv(pod.schema), host }).filter(({ id }) => id === 'system.clock')
  const run = runChecks(checks, (event) => event.type === 'check' && found.push(said(event as Finding)))
  await run
  expect(found).toEqual(['ok synchronised'])
})

const day = 24 * 3600 * 1000
test.each([
  ['203.0.113.10 200\n2604:a880::1 200\n', 'ok 203.0.113.10, 2604:a880::1'],
  ['203.0.113.10 200\n2604:a880::1 000\n', 'fail 2604:a880::1 does not answer'],
  ['203.0.113.10 404\n', 'fail 203.0.113.10 404'],
  ['', 'warn it has no address of its own'],
])('https on the addresses of a host that answers %j', (stdout, desired) => {
  expect(said(judgeServed(servedByHttps('pod.example.org', '/').parse(answer(stdout))))).toBe(desired)
})

test.each([
  [31 * day, 'ok 31 days left'],
  [30.5 * day, 'warn 30 days left'],
  [8 * day, 'warn 8 days left'],
  [7.5 * day, 'fail 7 days left'],
  [-day, 'fail -1 days left'],
  [Number.NaN, 'fail NaN days left'],
])('a certificate with %d ms left', (left, desired) => {
  expect(said(judgeCertificate(1e12 + left, 1e12))).toBe(desired)
})

describe('what is served', () => {
  const open = { 'access-control-allow-origin': '*' }
  const client = (base_url: unknown) => ({ 'm.homeserver': { base_url } })
  test.each([
    [http(200, { 'm.server': 'a.org:443' }), 'ok a.org:443'],
    [http(200, { 'm.server': 'b.org:443' }), 'fail 200 {"m.server":"b.org:443"}'],
    [http(404), 'fail 404'],
  ])('well-known server %o', (given, desired) => {
    expect(said(judgeServer(given, 'a.org'))).toBe(desired)
  })
  test.each([
    [http(200, client('https://a.org'), open), 'ok https://a.org'],
    [http(200, client('https://a.org/'), open), 'ok https://a.org/'],
    [
      http(200, client('https://a.org')),
      'fail no Access-Control-Allow-Origin: *, so that clients in a browser cannot read it',
    ],
    [http(200, client('http://a.org'), open), 'fail 200 {"m.homeserver":{"base_url":"http://a.org"}}'],
    [http(502), 'fail 502'],
  ])('well-known client %o', (given, desired) => {
    expect(said(judgeClient(given, 'a.org'))).toBe(desired)
  })
  test.each([
    [http(200, { versions: ['v1.1', 'v1.11'] }), 'ok up to v1.11'],
    [http(200, { versions: [] }), 'fail 200 {"versions":[]}'],
    [http(502), 'fail 502'],
  ])('versions %o', (given, desired) => {
    expect(said(judgeVersions(given))).toBe(desired)
  })
  test.each([
    [http(403, { errcode: 'M_FORBIDDEN' }), 'ok closed'],
    [http(429), 'warn asked too often just now (429)'],
    [http(401, { flows: [] }), 'fail 401 {"flows":[]}'],
    [http(200, {}), 'fail 200 {}'],
  ])('registration %o', (given, desired) => {
    expect(said(judgeRegistration(given))).toBe(desired)
  })
})

test.each([
  [['203.0.113.10'], 'ok 203.0.113.10'],
  [['203.0.113.10', '2001:db8::1'], 'ok 203.0.113.10, 2001:db8::1'],
  [['203.0.113.10', '2001:db8::2'], 'warn it leads to 2001:db8::2 as well'],
  [['198.51.100.1'], 'fail it leads to 198.51.100.1'],
  ['ENOTFOUND', 'warn it cannot be resolved from here (ENOTFOUND)'],
])('DNS %o', (found, desired) => {
  expect(said(judgeDns(found, '203.0.113.10', ['203.0.113.10', '10.0.0.2', '2001:db8::1']))).toBe(desired)
})

test.each([
  ['pod.example.org', /expected in a rehearsal/],
  ['matrix.test', /expected in a rehearsal/],
  ['pod.myexample.org', /^Make this record .*: A pod\.myexample\.org 203\.0\.113\.10$/],
])('what to do about the name %s', (domain, desired) => {
  expect(recordRemedy(domain, '203.0.113.10')).toMatch(desired)
})

const database = { owner: 'valence', encoding: 'UTF8', collate: 'C', ctype: 'C', provider: 'libc', open: false }
test.each([
  [database, 'ok UTF8, libc, collate C, ctype C, owner valence'],
  [{ ...database, provider: 'icu' }, 'fail UTF8, icu, collate C, ctype C, owner valence'],
  [{ ...database, ctype: 'C.UTF-8' }, 'fail UTF8, libc, collate C, ctype C.UTF-8, owner valence'],
  [{ ...database, owner: 'postgres' }, 'fail UTF8, libc, collate C, ctype C, owner postgres'],
  [null, 'fail absent'],
])('database %o', (now, desired) => {
  expect(said(judgeDatabase(now, 'valence'))).toBe(desired)
})

test.each([
  [{ valence: database, synapse: null }, 0, 'ok apart'],
  [{ valence: { ...database, open: true }, synapse: database }, 0, 'fail open to every role: valence'],
  [{ valence: database }, 168, 'warn 168 tables of Synapse in database valence'],
])('databases %o with %i tables', (databases, tables, desired) => {
  expect(said(judgeApart(databases, { tables }))).toBe(desired)
})

const visit = { token: 'log in', swept: [], left: [] } as const
test.each([
  [visit, [], 'ok 1.2 s'],
  [{ ...visit, swept: ['verify-1', 'verify-2'] }, [], /^ok 1.2 s; took away verify-1, .*; took away verify-2, /],
  [{ ...visit, left: ['verify-1 403 M_FORBIDDEN'] }, [], /^warn 1.2 s; .* still there: verify-1 403 M_FORBIDDEN$/],
  [{ ...visit, token: 'registration' }, [], /^warn 1.2 s; too many logins/],
  [visit, ['sending: 500 '], 'warn 1.2 s; at attempt 2; at first sending: 500 '],
] as const)('the round trip %o after %j', (given, failed, desired) => {
  const found = said(judgeVisit(given, 1234, failed))
  if (typeof desired === 'string') expect(found).toBe(desired)
  else expect(found).toMatch(desired)
})

describe('the knowledge base', () => {
  const columns = coreColumns
  const { beliefs: _, ...less } = columns
  test.each([
    [{ columns: { ...columns, events: ['id'] }, readable: true }, 'ok 9 tables, 3 of them vkb_*'],
    [{ columns, readable: false }, 'fail beliefs cannot be read'],
    [{ columns: less, readable: true }, 'fail no table beliefs'],
    [{ columns: { ...columns, entities: ['id', 'name', 'aliases'] }, readable: true }, 'fail no column entities.type'],
    [{ columns: {}, readable: false }, /^fail no table sources, no table beliefs/],
  ])('tables %o', (state, desired) => {
    expect(said(judgeTables(state))).toMatch(desired)
  })
  test.each([
    [answer('Healthy: True\nDatabase connected: True\n'), 'ok healthy'],
    [
      answer(
        'Healthy: False\nMissing tables: a\nError: Missing required tables: a\n',
        1,
        '<frozen runpy>:128: Warning\n',
      ),
      'fail Missing required tables: a',
    ],
    [answer('', 1, 'Traceback\nModuleNotFoundError: valence\n'), 'fail ModuleNotFoundError: valence'],
    [nothing, 'fail exit code 127'],
  ])('health %o', (given, desired) => {
    expect(said(judgeHealth(given))).toBe(desired)
  })

  const state = (given: typeof nothing) => tableState('valence', 'valence', 'beliefs').parse(given)
  test.each([
    [answer('{"a" : ["b"]}\nread 1\n'), { columns: { a: ['b'] }, readable: true }],
    [
      answer('{"a" : ["b"]}\n', 0, 'psql:<stdin>:6: ERROR:  permission denied for table a'),
      { columns: { a: ['b'] }, readable: false },
    ],
    [nothing, { columns: {}, readable: false }],
  ])('%o', (given, desired) => {
    expect(state(given)).toEqual(desired)
  })
  test('a server that is down tells nothing of its tables', () => {
    expect(() => state(answer('', 2, 'psql: error: connection failed\n'))).toThrow('psql: error: connection failed')
  })
})

test('a sync holds the message, or does not', () => {
  const sync = { rooms: { join: { '!a': { timeline: { events: [{ event_id: '$1', content: { body: 'hi' } }] } } } } }
  expect(holds(sync, '!a', '$1', 'hi')).toBe(true)
  expect(holds(sync, '!a', '$1', 'ho')).toBe(false)
  expect(holds(sync, '!b', '$1', 'hi')).toBe(false)
  expect(holds({}, '!a', '$1', 'hi')).toBe(false)
})

test('what a check depends on is a check, and never itself', () => {
  const env = sampleEnv(podSchema)
  const { context } = pod.open({ env, offline: true, folder: '/nowhere/.infra' })
  const checks = pod.checks(context)
  const ids = checks.map(({ id }) => id)
  const dependents = checks.filter(({ dependsOn }) => dependsOn)
  expect(dependents.length).toBeGreaterThan(10)
  for (const { id, dependsOn = [] } of dependents) {
    expect(ids, id).toEqual(expect.arrayContaining([...dependsOn]))
    expect(dependsOn).not.toContain(id)
  }
})
