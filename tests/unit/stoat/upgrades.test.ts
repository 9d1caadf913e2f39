import { describe, expect, test } from 'vitest'
import type { LastBackup } from '../../../stoat/backup/last.ts'
import { type Answered, type DatabaseState, databaseState } from '../../../stoat/database-state.ts'
import type { StoatEnv } from '../../../stoat/env/env.ts'
import type { Backups } from '../../../stoat/guards/backed-up.ts'
import { judgeDatabase } from '../../../stoat/guards/database.ts'
import { judgeMigration } from '../../../stoat/guards/migration.ts'
import { judgeMongodb } from '../../../stoat/guards/mongodb-version.ts'
import { judgeRelease } from '../../../stoat/guards/release.ts'
import { revisionOf } from '../../../stoat/releases.ts'
import { told } from '../steps/told.ts'
import { stoatEnv } from './env.ts'

const at = Date.parse('2026-11-29T12:00:00Z')
const backup = (hoursOld: number): LastBackup => ({
  ...{ at: at - hoursOld * 3_600_000, name: 'stoat.age', place: 'ana@laptop:/b' },
  ...{ bytes: 1, documents: 1, objects: 1, encryptionKey: 'k', vapidKey: 'v' },
})
const none: Backups = { last: null, said: false, at }
const said: Backups = { ...none, said: true }
const fresh: Backups = { ...none, last: backup(23) }
const old: Backups = { ...none, last: backup(25) }
const state = (revision: number | null, more: Partial<DatabaseState> = {}): DatabaseState => ({
  ...{ revision, server: '7.0.14', compatibility: '7.0', auditLogs: revision === 52 },
  ...more,
})
const dead = { unread: 'connect ECONNREFUSED' }
const images = {
  revolt: 'ghcr.io/revoltchat/server:20250930-2',
  stoat: 'ghcr.io/stoatchat/api:v0.13.8',
  next: 'ghcr.io/stoatchat/api:v0.15.1',
  patch: 'ghcr.io/stoatchat/api:v0.13.9',
  own: 'registry.example.com/api:mine',
}
const api = (STOAT_API_IMAGE: string) => ({ STOAT_IMAGES: 'stoat', STOAT_API_IMAGE }) as const
const release = (STOAT_IMAGES: StoatEnv['STOAT_IMAGES']) => ({ STOAT_IMAGES })

describe('a release', () => {
  type Row = [
    what: string,
    env: Partial<StoatEnv>,
    image: string | null,
    database: Answered<DatabaseState>,
    backups: Backups,
    says: RegExp,
    note?: RegExp,
  ]
  test.each<Row>([
    ['of a first deploy', release('next'), null, 'absent', none, /^= no database yet/],
    ['that runs', release('stoat'), images.stoat, state(50), none, /^= revision 50/],
    [
      'that follows revolt wants a backup',
      release('stoat'),
      images.revolt,
      state(48),
      none,
      /^! STOAT_IMAGES=stoat migrates the database from revision 48 to 50, for good: .*Speak.*role.*; there is no backup/,
    ],
    ['and one of today', release('stoat'), images.revolt, state(48), old, /^! .*older than a day \(stoat\.age\)/],
    [
      'and goes on with one',
      release('stoat'),
      images.revolt,
      state(48),
      fresh,
      /^= backup stoat\.age/,
      /revision 48 to 50.*The way back is stoat\.age at ana@laptop/,
    ],
    [
      'or where somebody says so',
      release('next'),
      images.stoat,
      state(50),
      said,
      /^= a backup, as --has-backup says/,
      /revision 50 to 52, for good: the collection invites becomes account_invites; audit_logs/,
    ],
    ['may be skipped', release('next'), images.revolt, state(48), said, /^=/, /48 to 52.*role.*account_invites/],
    [
      'is not followed by an older one',
      release('revolt'),
      images.stoat,
      state(50),
      said,
      /^! the database is of revision 50, and STOAT_IMAGES=revolt knows revision 48 at most/,
    ],
    [
      'neither where the older image runs already',
      release('stoat'),
      images.stoat,
      state(52),
      said,
      /^! the database is of revision 52, and STOAT_IMAGES=stoat knows revision 50/,
    ],
    ['of a patch migrates nothing', api(images.patch), images.stoat, state(50), none, /^= revision 50/],
    [
      'nobody knows may migrate',
      api(images.own),
      images.stoat,
      state(50),
      none,
      /^! registry\.example\.com\/api:mine may migrate the database \(revision 50\).*there is no backup/,
    ],
    ['nobody knows, which runs', api(images.own), images.own, state(50), none, /^= revision 50/],
    ['that runs needs no answer of MongoDB', release('stoat'), images.stoat, dead, none, /^= stoat/],
    ['of a patch needs none', api(images.patch), images.stoat, dead, none, /^= stoat/],
    [
      'that is another one does',
      release('next'),
      images.stoat,
      dead,
      said,
      /^! .*api:v0\.15\.1 may migrate the database, and MongoDB does not tell its revision: connect ECONNREFUSED/,
    ],
    [
      'that is older is refused without',
      release('revolt'),
      images.stoat,
      dead,
      said,
      /^! STOAT_IMAGES=revolt is older/,
    ],
  ])('%s', (_, env, image, database, backups, says, note) => {
    const decision = judgeRelease(stoatEnv(env), { image, database, claims: [] }, backups)
    expect(told(decision)).toEqual([expect.stringMatching(says)])
    const notes = decision.kind === 'refused' ? [] : (decision.notes ?? [])
    expect(notes).toEqual(note ? [expect.stringMatching(note)] : [])
  })

  test('over a volume that is left is judged when MongoDB runs', () => {
    const claims = [{ name: 'data-stoat-mongodb-0', app: 'stoat-mongodb', size: '10Gi' }]
    const judged = (database: Answered<DatabaseState>) =>
      told(judgeRelease(stoatEnv(release('revolt')), { image: null, database, claims }, none))
    expect(judged('absent')).toEqual(['= asked again when MongoDB runs'])
    expect(judged(state(52))).toEqual([expect.stringMatching(/^! the database is of revision 52/)])
  })

  test.each([
    [images.revolt, 48],
    ['ghcr.io/stoatchat/api:v0.9.0', 50],
    [images.patch, 50],
    ['ghcr.io/stoatchat/api:v0.14.0', 52],
    [images.next, 52],
    ['ghcr.io/stoatchat/api:v0.16.0', undefined],
    ['ghcr.io/stoatchat/events:v0.13.8', undefined],
    [`ghcr.io/stoatchat/api@sha256:${'0'.repeat(64)}`, undefined],
  ])('%s migrates to revision %s', (image, revision) => expect(revisionOf(image)).toBe(revision))
})

test.each<[env: Partial<StoatEnv>, Answered<DatabaseState>, lines: RegExp[]]>([
  [release('stoat'), state(50), [/^= revision 50/]],
  [release('stoat'), 'absent', [/^= not known/]],
  [release('stoat'), state(48), [/^~ database revolt: revision 48 → 50 \(servers.*; each role gets its id\)/]],
  [
    release('next'),
    state(50),
    [/^~ database revolt: revision 50 → 52/, /^~ restart deployment\/stoat-api: .*second start/],
  ],
  [release('next'), state(52, { auditLogs: false }), [/^~ restart deployment\/stoat-api/]],
  [release('next'), state(52), [/^= revision 52/]],
  [api(images.own), state(50), [/^= not known/]],
])('what is left to migrate with %j over %j', (env, database, lines) => {
  const decision = judgeMigration(stoatEnv(env), database)
  expect(told(decision)).toEqual(lines.map((line) => expect.stringMatching(line)))
  const risks = decision.kind === 'changes' ? decision.changes.map(({ say, risk }) => [say.split(' ')[0], risk]) : []
  for (const [begins, risk] of risks) expect(risk).toBe(begins === 'database' ? 'data' : 'downtime')
})

test.each<[Answered<DatabaseState>, outcome: string, detail: RegExp]>([
  [state(50), 'ok', /^revision 50$/],
  [state(48), 'fail', /revision 48, and the release works with 50/],
  [state(52), 'fail', /revision 52, and the release works with 50/],
  [state(null), 'fail', /was not made by the api, or is not there/],
  [dead, 'fail', /ECONNREFUSED/],
  ['absent', 'fail', /no pod/],
])('verify says of %j that it is %s', (database, outcome, detail) => {
  expect(judgeDatabase(database, 50)).toMatchObject({ outcome, detail: expect.stringMatching(detail) })
})

test('verify says that an upgraded database lacks the second start', () => {
  expect(judgeDatabase(state(52, { auditLogs: false }), 52)).toMatchObject({ outcome: 'fail' })
  expect(judgeDatabase(state(52), undefined)).toMatchObject({ outcome: 'ok' })
})

describe('MongoDB', () => {
  const mongo = (image: string, more: Partial<StoatEnv> = {}) => ({ STOAT_MONGODB_IMAGE: image, ...more })
  const server = (version: string, compatibility: string) => state(50, { server: version, compatibility })
  const digest = `mongo@sha256:${'0'.repeat(64)}`
  type Row = [
    env: Partial<StoatEnv>,
    image: string | null,
    Answered<DatabaseState>,
    Backups,
    says: RegExp,
    note?: RegExp,
  ]
  test.each<Row>([
    [mongo('mongo:7'), null, 'absent', none, /^= MongoDB 7/],
    [mongo('mongo:7.0.20'), 'mongo:7', server('7.0.14', '7.0'), none, /^= MongoDB 7\.0\.14/],
    [mongo('mongo:8.0'), 'mongo:7', server('7.0.14', '7.0'), none, /^! MongoDB 7\.0 → 8\.0: .*there is no backup/],
    [
      mongo('mongo:8.0'),
      'mongo:7',
      server('7.0.14', '7.0'),
      fresh,
      /^= backup/,
      /well for a while, kubectl exec .*setFeatureCompatibilityVersion: "8\.0", confirm: true/,
    ],
    [
      mongo('mongo:8.0'),
      'mongo:7',
      server('7.0.14', '6.0'),
      said,
      /^! mongo:8\.0 does not start with data whose format .* is that of 6\.0/,
    ],
    [
      mongo('mongo:7'),
      'mongo:5',
      server('5.0.9', '5.0'),
      said,
      /^! mongo:7 does not open the data of MongoDB 5\.0\.9: there is a release between/,
    ],
    [
      mongo('mongo:8'),
      'mongo:7',
      server('7.0.14', '7.0'),
      said,
      /^! mongo:8 does not open the data of MongoDB 7\.0\.14/,
    ],
    [mongo('mongo:6'), 'mongo:7', server('7.0.14', '7.0'), said, /^! mongo:6 is older than the MongoDB that runs/],
    [mongo('mongo:7'), 'mongo:7', server('7.0.14', '6.0'), none, /^= MongoDB 7/, /format of 6\.0 still/],
    [mongo('mongo:6'), 'mongo:5', server('5.0.9', '5.0'), said, /^=/, /setFeatureCompatibilityVersion: "6\.0" \}/],
    [mongo('mongo:8.0'), 'mongo:7', dead, said, /^! mongo:8\.0 is the release after 7, and MongoDB does not tell/],
    [mongo('mongo:9'), 'mongo:7', dead, said, /^! mongo:9 does not open the data of MongoDB 7/],
    [
      mongo(digest),
      'mongo:7',
      server('7.0.14', '7.0'),
      none,
      /^= its version is not known/,
      /is not known\. After each/,
    ],
    [
      mongo(digest, release('next')),
      digest,
      server('6.0.3', '6.0'),
      none,
      /^! STOAT_IMAGES=next needs MongoDB 7, and 6\.0\.3 runs/,
    ],
  ])('%j after %s', (env, image, database, backups, says, note) => {
    const decision = judgeMongodb(stoatEnv(env), image, database, backups)
    expect(told(decision)).toEqual([expect.stringMatching(says)])
    const notes = decision.kind === 'refused' ? [] : (decision.notes ?? [])
    expect(notes).toEqual(note ? [expect.stringMatching(note)] : [])
  })

  test.each<[stdout: string, code: number, found: unknown]>([
    ['', 127, 'absent'],
    ['No resources found in discord-bot namespace.\nthere is no pod of stoat-mongodb', 1, 'absent'],
    ['Error from server (NotFound): pods "stoat-mongodb-0" not found', 1, 'absent'],
    ['Error from server (NotFound): namespaces "discord-bot" not found', 1, 'absent'],
    [
      'MongoNetworkError: connect ECONNREFUSED 127.0.0.1:27017',
      1,
      { unread: 'MongoNetworkError: connect ECONNREFUSED 127.0.0.1:27017' },
    ],
    ['a warning\n{"revision":50}', 0, { revision: 50 }],
  ])('its answer %j is told from none', (stdout, code, found) => {
    expect(databaseState().parse({ code, stdout, stderr: '' })).toEqual(found)
  })
})
