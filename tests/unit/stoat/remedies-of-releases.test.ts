import { describe, test } from 'vitest'
import type { DatabaseState } from '../../../stoat/database-state.ts'
import type { StoatEnv } from '../../../stoat/env/env.ts'
import type { Backups } from '../../../stoat/guards/backed-up.ts'
import { judgeNodes } from '../../../stoat/guards/mongodb.ts'
import { judgeMongodb } from '../../../stoat/guards/mongodb-version.ts'
import { judgeRelease, type Running } from '../../../stoat/guards/release.ts'
import { followed, type Row } from './followed.ts'

const at = Date.parse('2026-11-29T12:00:00Z')
const said: Backups = { last: null, said: true, at }
const last = {
  ...{ at: at - 3_600_000, name: 'stoat.age', place: 'ana@laptop:/b', bytes: 1, documents: 1, objects: 1 },
  ...{ encryptionKey: 'k', vapidKey: 'v' },
}
const state = (more: Partial<DatabaseState> = {}): DatabaseState => ({
  ...{ revision: 50, server: '7.0.14', compatibility: '7.0', auditLogs: false },
  ...more,
})
const dead = { unread: 'connect ECONNREFUSED' }

describe('the release', () => {
  const judge =
    (running: Partial<Running>, backups: Backups = said) =>
    (env: StoatEnv) =>
      judgeRelease(env, { image: null, database: 'absent', claims: [], ...running }, backups)
  const revolt = 'ghcr.io/revoltchat/server:20250930-2'
  const stoat = 'ghcr.io/stoatchat/api:v0.13.9'
  test.each<[string, Row]>([
    [
      'of a database that was migrated since',
      { says: /knows revision 48 at most/, decide: judge({ image: stoat, database: state() }) },
    ],
    [
      'where an image of the api is named, which has to go',
      {
        typed: { STOAT_IMAGES: 'stoat', STOAT_API_IMAGE: revolt },
        says: /STOAT_API_IMAGE=.* knows revision 48 at most/,
        decide: judge({ image: stoat, database: state() }),
      },
    ],
    [
      'that is older than what runs, where MongoDB does not answer',
      { says: /is older than what runs/, decide: judge({ image: stoat, database: dead }) },
    ],
    [
      'the same by an image of the api',
      {
        typed: { STOAT_IMAGES: 'stoat', STOAT_API_IMAGE: revolt },
        says: /is older than what runs/,
        decide: judge({ image: stoat, database: dead }),
      },
    ],
    [
      'that may migrate what cannot be read',
      {
        typed: { STOAT_IMAGES: 'next' },
        says: /MongoDB does not tell its revision/,
        decide: judge({ image: stoat, database: dead }),
      },
    ],
    [
      'the same beside an image of the api',
      {
        typed: { STOAT_API_IMAGE: 'ghcr.io/stoatchat/api:v0.15.0' },
        says: /MongoDB does not tell its revision/,
        decide: judge({ image: stoat, database: dead }),
      },
    ],
    [
      'the same where an image that nobody knows runs',
      {
        typed: { STOAT_IMAGES: 'next' },
        says: /MongoDB does not tell its revision/,
        decide: judge({ image: 'registry.example.com/api:mine', database: dead }),
      },
    ],
    [
      'that migrates, once there is a backup',
      {
        typed: { STOAT_IMAGES: 'stoat' },
        says: /there is no backup/,
        names: 'npm run backup -w stoat makes one',
        decide: judge({ image: revolt, database: state({ revision: 48 }) }, { ...said, said: false }),
        after: judge({ image: revolt, database: state({ revision: 48 }) }, { ...said, said: false, last }),
      },
    ],
    [
      'that migrates, where somebody says that there is one',
      {
        typed: { STOAT_IMAGES: 'stoat' },
        says: /there is no backup/,
        names: 'npm run deploy -w stoat -- --has-backup',
        decide: judge({ image: revolt, database: state({ revision: 48 }) }, { ...said, said: false }),
        after: judge({ image: revolt, database: state({ revision: 48 }) }),
      },
    ],
  ])('%s', (_, row) => followed(row))
})

describe('the version of MongoDB', () => {
  const judge = (image: string, database: DatabaseState | typeof dead) => (env: StoatEnv) =>
    judgeMongodb(env, image, database, said)
  const server = (version: string, compatibility: string) => state({ server: version, compatibility })
  const digest = `mongo@sha256:${'0'.repeat(64)}`
  test.each<[string, Row]>([
    [
      'that is older goes back to what runs',
      {
        typed: { STOAT_MONGODB_IMAGE: 'mongo:6' },
        says: /is older than the MongoDB that runs/,
        decide: judge('mongo:7', server('7.0.14', '7.0')),
      },
    ],
    [
      'that skips a release takes that one first',
      {
        typed: { STOAT_MONGODB_IMAGE: 'mongo:7' },
        says: /there is a release between/,
        decide: judge('mongo:5', server('5.0.9', '5.0')),
      },
    ],
    [
      'the same with a release of Stoat that does not start with that one',
      {
        typed: { STOAT_MONGODB_IMAGE: 'mongo:7', STOAT_IMAGES: 'next' },
        says: /there is a release between/,
        decide: judge('mongo:5', server('5.0.9', '5.0')),
      },
    ],
    [
      'that skips several releases',
      {
        typed: { STOAT_MONGODB_IMAGE: 'mongo:8', STOAT_IMAGES: 'next' },
        says: /there are releases between/,
        decide: judge('mongo:4.4', dead),
        own: { STOAT_IMAGES: 'stoat' },
        after: judge('mongo:4.4', server('4.4.29', '4.4')),
      },
    ],
    [
      'that the release of Stoat does not start with',
      {
        typed: { STOAT_MONGODB_IMAGE: digest, STOAT_IMAGES: 'next' },
        says: /STOAT_IMAGES=next needs MongoDB 7, and 6\.0\.3 runs/,
        decide: judge(digest, server('6.0.3', '6.0')),
      },
    ],
    [
      'the same two releases before',
      {
        typed: { STOAT_MONGODB_IMAGE: digest, STOAT_IMAGES: 'next' },
        says: /STOAT_IMAGES=next needs MongoDB 7, and 5\.0\.3 runs/,
        decide: judge(digest, server('5.0.3', '5.0')),
      },
    ],
    [
      'that follows one that tells nothing waits for it',
      {
        typed: { STOAT_MONGODB_IMAGE: 'mongo:8.0' },
        says: /does not tell which format its data has/,
        decide: judge('mongo:7.0', dead),
      },
    ],
    [
      'the same with a release of Stoat that does not start with that one',
      {
        typed: { STOAT_MONGODB_IMAGE: 'mongo:7', STOAT_IMAGES: 'next' },
        says: /does not tell which format its data has/,
        decide: judge('mongo:6', dead),
        own: { STOAT_IMAGES: 'stoat' },
      },
    ],
    [
      'whose data has an older format, which is set first',
      {
        typed: { STOAT_MONGODB_IMAGE: 'mongo:8.0' },
        says: /does not start with data whose format/,
        names: 'db.adminCommand({ setFeatureCompatibilityVersion: "7.0", confirm: true })',
        decide: judge('mongo:7', server('7.0.14', '6.0')),
        after: judge('mongo:7', server('7.0.14', '7.0')),
      },
    ],
    [
      'that crashes on the nodes',
      {
        typed: { STOAT_MONGODB_IMAGE: 'mongo:8.0.4' },
        says: /crashes on Linux/,
        names: 'mongo:7',
        own: { STOAT_MONGODB_IMAGE: 'mongo:7' },
        decide: (env) => judgeNodes(env, [{ name: 'n', kernel: '6.19.0', avx: true }]),
      },
    ],
    [
      'that needs AVX',
      {
        typed: { STOAT_IMAGES: 'next' },
        says: /needs processors with AVX/,
        names: 'mongo:4.4, with which STOAT_IMAGES must not be next',
        own: { STOAT_MONGODB_IMAGE: 'mongo:4.4', STOAT_IMAGES: 'stoat' },
        decide: (env) => judgeNodes(env, [{ name: 'n', kernel: '6.1.0', avx: false }]),
      },
    ],
  ])('%s', (_, row) => followed(row))
})
