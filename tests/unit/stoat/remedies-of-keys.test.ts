import { secret } from '@infra/shared/command/secret'
import type { Decision } from '@infra/shared/engine/step'
import { newVapidPrivate, vapidPublicOf } from '@infra/shared/env/vapid'
import type { OwnObject } from '@infra/shared/facts/kubernetes/objects'
import type { VolumeClaim } from '@infra/shared/facts/kubernetes/volumes'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { notOurs } from '../../../stoat/adoption/volumes.ts'
import { judgeRestore } from '../../../stoat/backup/judge.ts'
import type { Manifest } from '../../../stoat/backup/manifest.ts'
import type { StoatContext } from '../../../stoat/context.ts'
import { type StoatEnv, stoatSchema } from '../../../stoat/env/env.ts'
import { judgeFiles } from '../../../stoat/guards/files.ts'
import { judgeKeys } from '../../../stoat/guards/keys.ts'
import { notBesideAnother } from '../../../stoat/guards/original.ts'
import { redisPresent } from '../../../stoat/guards/redis.ts'
import { noUnfinishedRestore } from '../../../stoat/guards/restore.ts'
import type { HeldSecret } from '../../../stoat/keys.ts'
import services from '../../../stoat/scripts/40-services.ts'
import { expectFree, loaded, remedyOf } from '../steps/follow.ts'
import { base, followed, key, type Row, s3 } from './followed.ts'
import { claim, heldOf, toml } from './originals.ts'

describe('keys and files', () => {
  const vapid = newVapidPrivate()
  const files: VolumeClaim = { name: 'data-stoat-minio-0', app: 'stoat-minio', size: '20Gi' }
  const good = heldOf({ encryption_key: key('a'), vapid_private_key: vapid, minio_password: 'm' })
  const judge = (held: HeldSecret, claims: readonly VolumeClaim[]) => (env: StoatEnv) => judgeKeys(env, held, claims)
  const apart = heldOf({ encryption_key: key('a'), 'Revolt.overrides.toml': toml(key('b'))['Revolt.toml'] })
  const minio = { kind: 'StatefulSet', namespace: 'discord-bot', name: 'stoat-minio' } as OwnObject
  test.each<[string, Row]>([
    [
      'another encryption key than the cluster has',
      {
        typed: { STOAT_ENCRYPTION_KEY: key('z') },
        says: /is another key than the cluster's/,
        decide: judge(good, [files]),
      },
    ],
    [
      'none, though there are files: the copy of it',
      { says: /there is no encryption key/, own: { STOAT_ENCRYPTION_KEY: key('a') }, decide: judge(null, [files]) },
    ],
    [
      'none, and a volume with nothing to lose, which goes first',
      {
        says: /there is no encryption key, but a volume data-stoat-minio-0/,
        names: 'delete that first',
        decide: judge(null, [files]),
        after: judge(null, []),
      },
    ],
    [
      'a password that everybody knows',
      {
        typed: { STOAT_RABBITMQ_PASS: 'rabbitpass' },
        says: /_PASS is the example's password/,
        decide: judge(good, [files]),
      },
    ],
    [
      'two encryption keys in the Secret',
      { says: /holds two encryption keys/, own: { STOAT_ENCRYPTION_KEY: key('b') }, decide: judge(apart, [files]) },
    ],
    [
      'a VAPID key that is none: the copy of it, or a new one',
      {
        says: /is not a VAPID key/,
        own: { STOAT_VAPID_PRIVATE_KEY: newVapidPrivate() },
        decide: judge(heldOf({ encryption_key: key('a'), vapid_private_key: 'drifted' }), []),
      },
    ],
    [
      'an S3 elsewhere while MinIO has the files: they stay there',
      {
        typed: s3,
        says: /STOAT_S3_ENDPOINT is set, but the files/,
        decide: (env) => judgeFiles(env, [minio], null),
      },
    ],
  ])('%s', (_, row) => followed(row))

  test('files move once MinIO is away, whose volume the command leaves', () => {
    const env = loaded(stoatSchema, { ...base, ...s3 })
    const remedy = remedyOf(judgeFiles(env, [minio], null), /STOAT_S3_ENDPOINT is set/)
    const [, command = ''] = remedy.match(/\((kubectl delete [^)]+)\)/) ?? []
    expect(command).toBe('kubectl delete statefulset/stoat-minio service/stoat-minio -n discord-bot')
    expectFree(judgeFiles(env, [], null))
  })
})

describe('a restore', () => {
  const keys = { encryption: secret(key('e')), vapid: secret(newVapidPrivate()) }
  const manifest: Manifest = {
    ...{ format: 1, domain: base.STOAT_DOMAIN ?? '', made: '2026-11-24T15:30:00Z', release: 'stoat', revision: 48 },
    ...{ mongodb: '7.0.14', database: {}, canary: null, keys: { encryption: '', vapid: '' } },
    files: { bucket: 'revolt-uploads', count: 0, bytes: 0, sha256: '' },
  }
  const judge =
    (change: Partial<Manifest>, version = '7.0.1') =>
    (env: StoatEnv): Decision | undefined => {
      const database = { version, revision: 48, documents: 0 }
      try {
        judgeRestore({ ...manifest, ...change }, keys, { database, objects: 0, held: null }, env)
        return undefined
      } catch (error) {
        const { message, remedy } = error as { message: string; remedy: string }
        return { kind: 'refused', reason: message, remedy }
      }
    }
  const other = newVapidPrivate()
  test.each<[string, Row]>([
    ['of another domain', { says: /this Stoat is/, decide: judge({ domain: 'chat.example.org' }) }],
    [
      'of another bucket',
      { says: /is of bucket a-bucket/, decide: judge({ files: { ...manifest.files, bucket: 'a-bucket' } }) },
    ],
    ['of a newer release', { says: /of revision 52/, decide: judge({ revision: 52 }) }],
    [
      'of a newer release, beside an image of the api',
      {
        typed: { STOAT_API_IMAGE: 'ghcr.io/revoltchat/server:20250930-2' },
        says: /of revision 50/,
        decide: judge({ revision: 50 }),
      },
    ],
    [
      'of a newer release than any here',
      {
        says: /of revision 60/,
        own: { STOAT_API_IMAGE: 'ghcr.io/stoatchat/api:v0.20.0' },
        decide: judge({ revision: 60 }),
      },
    ],
    [
      'of a newer MongoDB, once it is deployed',
      {
        says: /is of MongoDB 8\.0\.4/,
        decide: judge({ mongodb: '8.0.4' }),
        after: (env) => judge({ mongodb: '8.0.4' }, `${env.STOAT_MONGODB_IMAGE.split(':')[1]}.1`)(env),
      },
    ],
    [
      'with another encryption key',
      { typed: { STOAT_ENCRYPTION_KEY: key('x') }, says: /is another key/, decide: judge({}) },
    ],
    [
      'with another VAPID key, and its public half',
      {
        typed: { STOAT_VAPID_PRIVATE_KEY: other, STOAT_VAPID_PUBLIC_KEY: vapidPublicOf(other) ?? '' },
        says: /STOAT_VAPID_PRIVATE_KEY is another key/,
        decide: judge({}),
      },
    ],
  ])('%s', (_, row) => followed(row))
})

describe('what a deployment finds', () => {
  const kube = { ...blank('kube'), blank: false }
  const ahead = { pending: [] }
  const context = (typed = {}) => ({ env: loaded(stoatSchema, { ...base, ...typed }), kube }) as StoatContext

  test('no Redis: that of the cluster, or one of your own', () => {
    const plan = (stdout: string) => {
      const step = redisPresent(context())
      return step.plan({ service: step.ask.service?.parse({ code: 0, stdout, stderr: '' }) }, ahead)
    }
    expect(remedyOf(plan(''), /there is no Redis/)).toContain('set STOAT_REDIS_URL to your own Redis')
    expectFree(plan('{"spec":{"type":"ClusterIP"},"status":{}}'))
    const own = context({ STOAT_REDIS_URL: 'redis://redis.example.com:6379' })
    expect(services.steps(own).map(({ id }) => id)).not.toContain('Redis of the cluster')
    expect(services.steps(context()).map(({ id }) => id)).toContain('Redis of the cluster')
  })

  test('a claim that looks like one of Stoat, which it is not', () => {
    const plan = (isOther: boolean) => {
      const claims = [claim('stoat-mongodb-data', { app: 'stoat-mongodb', isOther })]
      return notBesideAnother(context()).plan({ workloads: [], carried: [], claims }, ahead)
    }
    const remedy = remedyOf(plan(false), /looks like the data of mongodb/)
    expect(remedy).toContain(`Where it holds nothing of Stoat's: ${notOurs('stoat-mongodb-data')}`)
    expectFree(plan(true))
  })

  test('a restore that came to no end, whose result shall stay', () => {
    const plan = (archive: string | null) => noUnfinishedRestore(context()).plan({ archive }, ahead)
    const remedy = remedyOf(plan('stoat of today.age'), /came to no end/)
    expect(remedy).toContain("npm run restore -w stoat -- 'FOLDER/stoat of today.age' puts it back")
    expect(remedy).toMatch(/kubectl delete configmap \S+ -n discord-bot$/)
    expectFree(plan(null))
  })
})
