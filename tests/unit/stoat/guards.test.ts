import { asWeak, ofVariable, secret } from '@infra/shared/command/secret'
import { newVapidPrivate } from '@infra/shared/env/vapid'
import type { OwnObject } from '@infra/shared/facts/kubernetes/objects'
import type { VolumeClaim } from '@infra/shared/facts/kubernetes/volumes'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import type { StoatContext } from '../../../stoat/context.ts'
import type { StoatEnv } from '../../../stoat/env/env.ts'
import { judgeFiles } from '../../../stoat/guards/files.ts'
import { judgeKeys } from '../../../stoat/guards/keys.ts'
import { judgeNodes } from '../../../stoat/guards/mongodb.ts'
import { redisPresent } from '../../../stoat/guards/redis.ts'
import type { HeldSecret } from '../../../stoat/keys.ts'
import { told } from '../steps/told.ts'
import { stoatEnv } from './env.ts'

const vapid = newVapidPrivate()
const heldOf = (values: Record<string, string>): HeldSecret =>
  new Map(Object.entries(values).map(([name, value]) => [name, secret(value)]))
const all = heldOf({
  encryption_key: 'key-1',
  vapid_private_key: vapid,
  rabbitmq_password: 'pass-1',
  minio_password: 'pass-2',
})
const apart = (entry: string, inFile: string) =>
  heldOf({ encryption_key: entry, 'Revolt.overrides.toml': `[files]\nencryption_key = "${inFile}"\n` })
const files: VolumeClaim = { name: 'data-stoat-minio-0', app: 'stoat-minio', size: '20Gi' }
const broker: VolumeClaim = { name: 'stoat-rabbitmq-data', app: undefined, size: '5Gi' }

describe('keys', () => {
  test.each<
    [what: string, env: Partial<StoatEnv>, held: HeldSecret, claims: VolumeClaim[], says: RegExp, notes: RegExp[]]
  >([
    ['are made at the first deploy', {}, null, [], /^= none yet/, [/made by this deploy .*encryption_key.*show-keys/]],
    ['of the cluster stay', {}, all, [files], /^= those of the cluster/, []],
    ['equal ones are the same', { STOAT_ENCRYPTION_KEY: secret('key-1') }, all, [files], /^= those/, []],
    [
      'another encryption key is refused',
      { STOAT_ENCRYPTION_KEY: secret('key-2') },
      all,
      [files],
      /^! STOAT_ENCRYPTION_KEY is another/,
      [],
    ],
    [
      'a lost one is not made anew',
      {},
      null,
      [files],
      /^! there is no encryption key, but a volume data-stoat-minio-0/,
      [],
    ],
    [
      'nor where only the database tells that there are files',
      { STOAT_S3_ENDPOINT: 'https://s3.example.com' },
      null,
      [{ name: 'data-stoat-mongodb-0', app: 'stoat-mongodb', size: '10Gi' }],
      /^! there is no encryption key, but a volume data-stoat-mongodb-0/,
      [],
    ],
    [
      'a password of MinIO is not made where the files are elsewhere',
      { STOAT_S3_ENDPOINT: 'https://s3.example.com' },
      null,
      [],
      /^= none yet/,
      [/made by this deploy (?!.*minio_password)/],
    ],
    ['nor where a Secret of others is', {}, heldOf({ x: 'y' }), [], /^! there is no encryption key, but a Secret/, []],
    [
      'a lost one comes back from a copy',
      { STOAT_ENCRYPTION_KEY: secret('key-1') },
      null,
      [files],
      /^= none yet/,
      [/made by/],
    ],
    [
      'two different ones are not chosen from',
      {},
      apart('key-1', 'key-2'),
      [files],
      /^! the Secret stoat-secrets holds two encryption keys/,
      [],
    ],
    [
      'but the environment tells which of them is right',
      { STOAT_ENCRYPTION_KEY: secret('key-2') },
      apart('key-1', 'key-2'),
      [files],
      /^= those/,
      [/made by/],
    ],
    [
      'of the environment is a third one',
      { STOAT_ENCRYPTION_KEY: secret('key-3') },
      apart('key-1', 'key-2'),
      [files],
      /^! STOAT_ENCRYPTION_KEY is another/,
      [],
    ],
    [
      'a VAPID key that is none is not replaced unseen',
      {},
      heldOf({ encryption_key: 'key-1', vapid_private_key: 'drifted' }),
      [],
      /^! vapid_private_key in the Secret stoat-secrets is not a VAPID key/,
      [],
    ],
    [
      'another VAPID key says what it costs',
      { STOAT_VAPID_PRIVATE_KEY: secret('vapid-2') },
      all,
      [],
      /^= those/,
      [/every browser/],
    ],
    [
      'the example’s password is refused',
      { STOAT_RABBITMQ_PASS: secret('rabbitpass') },
      null,
      [],
      /^! STOAT_RABBITMQ_PASS is the example/,
      [],
    ],
    [
      'also in the place of another',
      { STOAT_RABBITMQ_PASS: secret('rabbitpass') },
      all,
      [],
      /^! STOAT_RABBITMQ_PASS/,
      [],
    ],
    [
      'but accepted where it is in force',
      { STOAT_RABBITMQ_PASS: secret('rabbitpass') },
      heldOf({
        encryption_key: 'key-1',
        vapid_private_key: vapid,
        rabbitmq_password: 'rabbitpass',
        minio_password: 'm',
      }),
      [],
      /^= those/,
      [/STOAT_RABBITMQ_PASS is the example's password.*--generate/],
    ],
    [
      'a weak one of your own is refused as well',
      { STOAT_MINIO_PASS: ofVariable(asWeak(secret('Summer2026Berlin'), 'is tried first'), 'STOAT_MINIO_PASS') },
      all,
      [],
      /^! STOAT_MINIO_PASS is new here, and weak/,
      [],
    ],
    [
      'but not where it is in force',
      { STOAT_MINIO_PASS: asWeak(secret('pass-2'), 'is short') },
      all,
      [],
      /^= those/,
      [],
    ],
    [
      'and where somebody else made the broker',
      { STOAT_RABBITMQ_PASS: secret('rabbitpass'), STOAT_ENCRYPTION_KEY: secret('key-1') },
      null,
      [broker],
      /^= none yet/,
      [/made by/, /STOAT_RABBITMQ_PASS is the example/],
    ],
  ])('%s', (_, env, held, claims, says, notes) => {
    const decision = judgeKeys(stoatEnv(env), held, claims)
    expect(told(decision)).toEqual([expect.stringMatching(says)])
    if (decision.kind === 'refused') return
    expect(decision.notes ?? []).toEqual(notes.map((note) => expect.stringMatching(note)))
  })
})

test.each<[image: string, kernel: string, avx: boolean | undefined, says: RegExp]>([
  ['mongo:7', '6.19.0-1', undefined, /^= MongoDB 7/],
  ['mongo:8.0.4', '6.18.9', undefined, /^= MongoDB 8/],
  ['mongo:8.0.4', '6.19.0-amd64', undefined, /^! MongoDB 8 crashes on Linux 6.19/],
  ['mongo:8', '7.0.1', undefined, /^! MongoDB 8 crashes/],
  ['mongo:7', '6.1.0', false, /^! MongoDB 7 needs processors with AVX/],
  ['mongo:4.4', '6.1.0', false, /^= MongoDB 4/],
  [`mongo@sha256:${'0'.repeat(64)}`, '6.19.0', false, /^= its version is not known/],
])('%s on Linux %s (AVX %s)', (STOAT_MONGODB_IMAGE, kernel, avx, says) => {
  expect(told(judgeNodes({ STOAT_MONGODB_IMAGE }, [{ name: 'n', kernel, avx }]))).toEqual([expect.stringMatching(says)])
})

describe('Redis', () => {
  const there = { code: 0, stdout: '{"spec":{"type":"ClusterIP"},"status":{}}', stderr: '' }
  const decide = (stdout: typeof there, afterCluster: boolean) => {
    const kube = { ...blank('kube'), blank: false }
    const step = redisPresent({ env: stoatEnv(), kube, afterCluster } as StoatContext)
    return told(step.plan({ service: step.ask.service?.parse(stdout) }, { pending: [] }))
  }
  const missing = { ...there, stdout: '' }
  test.each([
    ['that is there', there, false, /^= there/],
    ['that is missing is refused', missing, false, /^! there is no Redis in the cluster yet/],
    ['that the same run makes is waited for', missing, true, /^~ redis, after cluster/],
  ])('%s', (_, answer, afterCluster, says) => {
    expect(decide(answer, afterCluster)).toEqual([expect.stringMatching(says)])
  })
})

describe('files', () => {
  const toml = (endpoint: string, bucket: string) =>
    `[files]\nendpoint = "x"\n[files.s3]\nendpoint = "${endpoint}"\ndefault_bucket = "${bucket}"\n`
  const here = toml('http://stoat-minio:9000', 'revolt-uploads')
  const minio = { kind: 'StatefulSet', namespace: 'discord-bot', name: 'stoat-minio' } as OwnObject
  const external = { STOAT_S3_ENDPOINT: 'https://s3.example.com' }
  test.each<
    [what: string, env: Partial<StoatEnv>, own: OwnObject[], config: string | null, says: RegExp, notes: RegExp[]]
  >([
    ['of a first deploy are nowhere', {}, [], null, /^= bucket revolt-uploads at http:\/\/stoat-minio/, []],
    ['stay where they are', {}, [minio], here, /^= bucket revolt-uploads at http:\/\/stoat-minio/, []],
    [
      'of MinIO are not left behind',
      external,
      [minio],
      here,
      /^! STOAT_S3_ENDPOINT is set, but .* data-stoat-minio-0/,
      [],
    ],
    [
      'are told to be copied after MinIO',
      external,
      [],
      here,
      /^= .*s3\.example/,
      [/are in bucket revolt-uploads at http:\/\/stoat-minio:9000: copy them/],
    ],
    [
      'are told to be copied to MinIO',
      {},
      [],
      toml('https://s3.example.com', 'b'),
      /^=/,
      [/are in bucket b at https:\/\/s3/],
    ],
    ['are told to be copied to another bucket', { STOAT_S3_BUCKET: 'other' }, [minio], here, /^=/, [/revolt-uploads/]],
  ])('%s', (_, env, own, config, says, notes) => {
    const decision = judgeFiles(stoatEnv(env), own, config)
    expect(told(decision)).toEqual([expect.stringMatching(says)])
    expect(decision.kind === 'refused' ? [] : (decision.notes ?? [])).toEqual(
      notes.map((one) => expect.stringMatching(one)),
    )
  })
})
