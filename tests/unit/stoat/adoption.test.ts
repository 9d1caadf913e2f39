import { reveal, secret } from '@infra/shared/command/secret'
import { describe, expect, test } from 'vitest'
import { type Found, refuseAdoption } from '../../../stoat/adoption/judge.ts'
import { type Configuration, findValues, keysToKeep } from '../../../stoat/adoption/keys.ts'
import { droppedOf, notesOfAdoption, outline } from '../../../stoat/adoption/told.ts'
import { type OriginalWorkload, volumeAt } from '../../../stoat/adoption/workloads.ts'
import type { StoatEnv } from '../../../stoat/env/env.ts'
import { told } from '../steps/told.ts'
import { stoatEnv } from './env.ts'
import { claim, found, heldOf, key, mongodb, toml, vapid, volume, workload } from './originals.ts'

describe('what stands in the way of an adoption', () => {
  test.each<[what: string, found: Partial<Found>, env: Partial<StoatEnv>, says: RegExp]>([
    ['no encryption key', { config: null }, {}, /^! the key that files were encrypted with is neither in/],
    ['one that is none', { config: toml('random-password') }, {}, /^! the encryption key is not 32 bytes in base64/],
    [
      'two of them',
      { held: heldOf({ ENCRYPTION_KEY: key('b') }) },
      {},
      /^! there are two encryption keys: Revolt\.toml of config map stoat-config and ENCRYPTION_KEY of secret/,
    ],
    [
      'another one than the environment names',
      {},
      { STOAT_ENCRYPTION_KEY: secret(key('z')) },
      /^! STOAT_ENCRYPTION_KEY is another key than Revolt\.toml of config map/,
    ],
    [
      'another version of MongoDB',
      {},
      { STOAT_MONGODB_IMAGE: 'mongo:8' },
      /^! MongoDB 7 has written the data, and MongoDB 8/,
    ],
    [
      'data in no volume',
      { workloads: [mongodb('/elsewhere')] },
      {},
      /^! deployment stoat-mongodb keeps its data in no volume/,
    ],
    [
      'data in the pod',
      { workloads: [{ ...mongodb(), pod: { ...mongodb().pod, volumes: [{ name: 'store', emptyDir: {} }] } }] },
      {},
      /^! .* in a volume of the kind emptyDir, which goes with its pod/,
    ],
    [
      'data in a folder',
      { workloads: [mongodb('/data/db', { subPath: 'x' })] },
      {},
      /in claim mongodb-data, in its folder x/,
    ],
    ['data below the mount', { workloads: [mongodb('/data')] }, {}, /in claim mongodb-data, below \/data/],
    [
      'no class for the volume that is made anew',
      { storage: { classes: ['standard'], claims: [] } },
      {},
      /^! there is no storage class do-block-storage in the cluster: volume data-stoat-rabbitmq-0/,
    ],
    ['a claim that is gone', { claims: [] }, {}, /in claim mongodb-data, which is not there/],
    ['a claim that goes', { claims: [claim('mongodb-data', { going: true })] }, {}, /which is being deleted/],
    ['a claim without a volume', { claims: [claim('mongodb-data', { bound: false })] }, {}, /which has no volume/],
    [
      'the claim of a deployment beside it',
      { claims: [claim('mongodb-data'), claim('data-stoat-mongodb-0')] },
      {},
      /^! there are claim mongodb-data of deployment stoat-mongodb and claim data-stoat-mongodb-0/,
    ],
    [
      'a pod of others on the volume',
      { mountings: [{ pod: 'copies-0', labels: { app: 'copies' }, claims: ['mongodb-data'] }] },
      {},
      /^! pod copies-0 mounts claim mongodb-data/,
    ],
    [
      'files in an S3 elsewhere',
      { workloads: [workload({ name: 'stoat-minio' })] },
      { STOAT_S3_ENDPOINT: 'https://s3.example.com' },
      /^! STOAT_S3_ENDPOINT is set, but the files .* are in deployment stoat-minio/,
    ],
  ])('%s', (_, more, env, says) => {
    const decision = refuseAdoption(stoatEnv({ STOAT_MONGODB_IMAGE: 'mongo:7', ...env }), found(more))
    expect(decision && told(decision).join()).toMatch(says)
    expect(decision).toMatchObject({ remedy: expect.stringMatching(/./) })
  })

  test.each<[what: string, found: Partial<Found>, env: Partial<StoatEnv>]>([
    ['a claim of another name', {}, {}],
    [
      'the key that the environment names, of two',
      { held: heldOf({ ENCRYPTION_KEY: key('b') }) },
      { STOAT_ENCRYPTION_KEY: secret(key('b')) },
    ],
    [
      'its own pod on the volume',
      { mountings: [{ pod: 'p', labels: { role: 'stoat-mongodb', x: 'y' }, claims: ['mongodb-data'] }] },
      {},
    ],
    [
      'a claim of the very name',
      {
        workloads: [mongodb('/data/db', {}, 'data-stoat-mongodb-0')],
        claims: [claim('data-stoat-mongodb-0')],
        volumes: [volume('data-stoat-mongodb-0')],
      },
      {},
    ],
    ['a claim that is left', { workloads: [], config: null, claims: [claim('stoat-mongodb-data')] }, {}],
    ['nothing of another program', { workloads: [], config: null }, {}],
  ])('nothing: %s', (_, more, env) => {
    expect(refuseAdoption(stoatEnv({ STOAT_MONGODB_IMAGE: 'mongo:7', ...env }), found(more))).toBeUndefined()
  })
})

test.each<[what: string, workload: OriginalWorkload, at: object]>([
  ['a mount with a slash at its end', mongodb('/data/db/'), { claim: 'mongodb-data' }],
  [
    'the template of a stateful set',
    workload({
      name: 'stoat-mongodb',
      kind: 'StatefulSet',
      templates: ['db'],
      container: { volumeMounts: [{ name: 'db', mountPath: '/data/db' }] },
    }),
    { claim: 'db-stoat-mongodb-0' },
  ],
  ['a folder of a like name', mongodb('/data/d'), { lost: 'in no volume' }],
])('the volume of data: %s', (_, one, at) => {
  expect(volumeAt(one, '/data/db')).toEqual(at)
})

describe('keys of another program', () => {
  const open = (values: readonly { readonly value: ReturnType<typeof secret> }[]) =>
    values.map(({ value }) => reveal(value))
  const none: Configuration = { workloads: [], held: null, config: null }
  const variable = (name: string, more: object) =>
    workload({ name: 'stoat-api', container: { env: [{ name, ...more }] } })

  test.each<[what: string, Partial<Configuration>]>([
    ['in Revolt.toml', { config: toml('k') }],
    ['in single quotes, with a remark', { config: { 'Revolt.toml': "[ files ]\n  encryption_key= 'k' # of ours\n" } }],
    ['in a file of the Secret', { held: heldOf({ 'Revolt.toml': toml('k')['Revolt.toml'] }) }],
    ['under the name of its variable', { held: heldOf({ STOAT_ENCRYPTION_KEY: 'k' }) }],
    ['with hyphens', { held: heldOf({ 'encryption-key': 'k' }) }],
    ['in a variable', { workloads: [variable('REVOLT__FILES__ENCRYPTION_KEY', { value: 'k' })] }],
    [
      'in a variable of the Secret',
      {
        held: heldOf({ odd: 'k' }),
        workloads: [
          variable('REVOLT__FILES__ENCRYPTION_KEY', {
            valueFrom: { secretKeyRef: { name: 'stoat-secrets', key: 'odd' } },
          }),
        ],
      },
    ],
  ])('are found %s', (_, more) => {
    expect(open(findValues('encryption', { ...none, ...more }))).toEqual(['k'])
  })

  test('are not those of another table, of a remark, nor empty', () => {
    const text =
      '[other]\nencryption_key = "a"\n[files]\n#encryption_key = "b"\nencryption_keys = "c"\nencryption_key = ""\n'
    expect(findValues('encryption', { ...none, config: { 'Revolt.toml': text } })).toEqual([])
  })

  test('go into the Secret under the names of this project, as far as they are not there', () => {
    const config = { 'Revolt.toml': `[files]\nencryption_key = "${key('a')}"\n[rabbit]\npassword = "rabbitpass"\n` }
    const held = heldOf({
      VAPID_PRIVATE_KEY: `${vapid}==`,
      rabbitmq_password: 'rabbitpass',
      MINIO_ROOT_PASSWORD: 'minioautumn',
    })
    const kept = Object.entries(keysToKeep({ ...none, config, held }, undefined)).map(([name, { value }]) => [
      name,
      reveal(value),
    ])
    expect(Object.fromEntries(kept)).toEqual({
      ...{ encryption_key: key('a'), vapid_private_key: vapid, minio_password: 'minioautumn' },
    })
  })

  test('that are none are left', () => {
    const held = heldOf({ encryption_key: 'short', vapid_private_key: 'no key' })
    expect(keysToKeep({ ...none, held }, undefined)).toEqual({})
  })
})

describe('what is told of it', () => {
  const theirs = workload({
    name: 'stoat-api',
    container: {
      env: [
        { name: 'REVOLT__X', value: 'a' },
        { name: 'THEIRS', value: 'hush' },
      ],
    },
    volumes: [
      { name: 'extra', hostPath: { path: '/opt' } },
      { name: 'conf', configMap: { name: 'stoat-config' } },
    ],
  })

  test('what a deployment does not make again', () => {
    expect(droppedOf(stoatEnv(), theirs)).toEqual(['variable THEIRS', 'volume extra (hostPath /opt)'])
    expect(droppedOf(stoatEnv(), mongodb())).toEqual([])
  })

  test('no value of a variable', () => {
    expect(outline(theirs.pod).join('\n')).toContain('variable THEIRS')
    expect(outline(theirs.pod).join('\n')).not.toContain('hush')
  })

  test('another user, a password that is not asked for any more, and Terraform', () => {
    const asked = workload({
      name: 'stoat-mongodb',
      container: { env: [{ name: 'MONGO_INITDB_ROOT_USERNAME', value: 'root' }] },
    })
    const config = { 'Revolt.toml': '[rabbit]\nusername = "other"\n' }
    const notes = notesOfAdoption(stoatEnv(), found({ workloads: [asked], config }))
    for (const note of [
      /^STOAT_RABBITMQ_USER is rabbituser, and another/,
      /^MongoDB asked for a password/,
      /terraform state rm/,
    ])
      expect(notes).toContainEqual(expect.stringMatching(note))
  })
})
