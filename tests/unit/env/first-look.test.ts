import { isSecret, reveal } from '@infra/shared/command/secret'
import { isUnconfigured, loadEnv } from '@infra/shared/env/load'
import { sampleEnv } from '@infra/shared/env/sample'
import { describe, expect, test } from 'vitest'
import { clusterSchema } from '../../../cluster/env.ts'
import { podPublicKeys, podSchema } from '../../../pod/env.ts'
import { stoatSchema } from '../../../stoat/env.ts'
import { folder } from './place.ts'

describe('the first look', () => {
  test.each([podSchema, clusterSchema, stoatSchema])('samples of $workspace', (schema) => {
    const [once, again] = [sampleEnv(schema), sampleEnv(schema)]
    const open = (env: object) =>
      Object.entries(env).map(([name, value]) => [name, isSecret(value) ? reveal(value) : value])
    expect(open(once)).toEqual(open(again))
  })

  test('the pod as its documentation shows it', () => {
    const env = sampleEnv(podSchema)
    expect([env.VALENCE_POD_IP, env.VALENCE_DOMAIN]).toEqual(['203.0.113.10', 'pod.example.com'])
    expect(podPublicKeys(env)).toHaveLength(1)
    expect(reveal(env.VALENCE_DB_PASSWORD)).toBe(reveal(sampleEnv(podSchema).VALENCE_DB_PASSWORD))
    expect(reveal(env.VALENCE_DB_PASSWORD)).not.toBe(reveal(env.SYNAPSE_FORM_SECRET))
  })

  test.each<[what: string, files: Record<string, string>, processEnv: Record<string, string>, unconfigured: boolean]>([
    ['nothing at all', {}, { PATH: '/bin' }, true],
    ['keys that other programs use', {}, { OPENAI_API_KEY: 'sk-x', ANTHROPIC_API_KEY: 'sk-ant-x' }, true],
    ['an empty variable', {}, { VALENCE_DOMAIN: '' }, true],
    ['a variable of ours', {}, { VALENCE_DOMAIN: 'x' }, false],
    ['an empty file', { '.env.pod': '' }, {}, false],
    ['.env', { '.env': '' }, {}, false],
    ['the file of another workspace', { '.env.stoat': '' }, {}, true],
  ])('%s', (_, files, processEnv, unconfigured) => {
    const options = { schema: podSchema, root: folder(files), processEnv }
    expect(isUnconfigured(options)).toBe(unconfigured)
    expect(loadEnv(options).unconfigured).toBe(unconfigured)
  })
})

test('the cluster needs nothing, and takes half a key pair for a mistake', () => {
  const cluster = (processEnv: Record<string, string>) => loadEnv({ schema: clusterSchema, root: folder(), processEnv })
  expect(cluster({}).env).toEqual({ AWS_REGION: 'ca-central-1', CLUSTER_PITR: false })
  const half = cluster({ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE' }).problems
  expect(half).toMatchObject([{ message: expect.stringMatching(/belongs together.*AWS_SECRET_ACCESS_KEY is not set/) }])
  expect(
    cluster({ AWS_PROFILE: 'x', AWS_ENDPOINT_URL: 'http://127.0.0.1:5000', CLUSTER_PITR: 'yes' }).env,
  ).toMatchObject({ CLUSTER_PITR: true })
})
