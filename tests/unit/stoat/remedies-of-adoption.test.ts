import { describe, test } from 'vitest'
import { refuseAdoption } from '../../../stoat/adoption/judge.ts'
import { notOurs } from '../../../stoat/adoption/volumes.ts'
import type { StoatEnv } from '../../../stoat/env/env.ts'
import { followed, key, type Row, s3 } from './followed.ts'
import { claim, found, heldOf, mongodb, toml, volume, workload } from './originals.ts'

describe('an adoption', () => {
  const judge = (more: Parameters<typeof found>[0]) => (env: StoatEnv) =>
    refuseAdoption(env, found({ config: toml(key('a')), ...more }))
  const typed = { STOAT_MONGODB_IMAGE: 'mongo:7' }
  const gone = 'kubectl delete deployment stoat-mongodb -n discord-bot'
  const { pod } = mongodb()
  const older = { ...pod, containers: pod.containers.map((one) => ({ ...one, image: 'mongo:6.0.14' })) }
  const nothing = judge({ workloads: [], claims: [] })
  const unused = (name: string, isOther: boolean) => claim(name, { isOther, app: 'stoat-mongodb' })
  test.each<[string, Row]>([
    [
      'of two claims that look alike, once it is said of one',
      {
        says: /both look like the data of mongodb/,
        names: notOurs('stoat-mongodb-b'),
        decide: judge({ workloads: [], claims: [unused('stoat-mongodb-a', false), unused('stoat-mongodb-b', false)] }),
        after: judge({ workloads: [], claims: [unused('stoat-mongodb-a', false), unused('stoat-mongodb-b', true)] }),
      },
    ],
    [
      'with another key than the environment names',
      { typed: { STOAT_ENCRYPTION_KEY: key('z') }, says: /is another key than/, decide: judge({}) },
    ],
    [
      'with two keys',
      {
        says: /there are two encryption keys/,
        own: { STOAT_ENCRYPTION_KEY: key('b') },
        decide: judge({ held: heldOf({ ENCRYPTION_KEY: key('b') }) }),
      },
    ],
    [
      'with no key: a copy, or a new one as openssl prints it',
      {
        says: /the key that files were encrypted with is neither in/,
        names: 'openssl rand -base64 32',
        own: { STOAT_ENCRYPTION_KEY: key('new') },
        decide: judge({ config: null }),
      },
    ],
    [
      'with an S3 elsewhere',
      {
        typed: s3,
        says: /STOAT_S3_ENDPOINT is set, but the files/,
        decide: judge({ workloads: [workload({ name: 'stoat-minio', kind: 'StatefulSet' })] }),
        after: (env) => (env.STOAT_S3_ENDPOINT === undefined ? undefined : judge({})(env)),
      },
    ],
    [
      'of another version of MongoDB',
      { typed: { STOAT_MONGODB_IMAGE: 'mongo:8.0' }, says: /MongoDB 7 has written the data/, decide: judge({}) },
    ],
    [
      'of a MongoDB that the release does not start with',
      {
        typed: { STOAT_MONGODB_IMAGE: 'mongo:7', STOAT_IMAGES: 'next' },
        says: /MongoDB 6 has written the data/,
        own: { STOAT_IMAGES: 'stoat' },
        decide: judge({ workloads: [{ ...mongodb(), pod: older }] }),
      },
    ],
    [
      'of data in no volume, which is given up',
      {
        says: /which goes with its pod/,
        names: `Give the rest up, then adopt: ${gone}`,
        decide: judge({ workloads: [mongodb('/elsewhere')] }),
        after: nothing,
      },
    ],
    [
      'of a claim that is not there, which is given up',
      {
        says: /in claim mongodb-data, which is not there/,
        names: `then adopt: ${gone}`,
        decide: judge({ claims: [] }),
        after: nothing,
      },
    ],
    [
      'of two claims: the second is given up',
      {
        says: /only one of them can be carried on/,
        names:
          'kubectl delete statefulset/stoat-mongodb persistentvolumeclaim/data-stoat-mongodb-0 -n discord-bot --ignore-not-found',
        decide: judge({ claims: [claim('mongodb-data'), claim('data-stoat-mongodb-0')] }),
        after: judge({}),
      },
    ],
    [
      'of two claims: the first is left to nobody',
      {
        says: /only one of them can be carried on/,
        names: `leave the first to nobody: ${gone}`,
        decide: judge({ claims: [claim('mongodb-data'), claim('data-stoat-mongodb-0')] }),
        after: judge({
          ...{ workloads: [], claims: [claim('mongodb-data'), claim('data-stoat-mongodb-0')] },
          volumes: [volume('data-stoat-mongodb-0')],
        }),
      },
    ],
    [
      'of a volume that a stranger mounts, once that is away',
      {
        says: /two programs must never write to one volume/,
        names: 'kubectl describe pod copies-0 -n discord-bot',
        decide: judge({ mountings: [{ pod: 'copies-0', labels: { app: 'copies' }, claims: ['mongodb-data'] }] }),
        after: judge({ mountings: [] }),
      },
    ],
  ])('%s', (_, row) => followed({ ...row, typed: { ...typed, ...row.typed } }))
})
