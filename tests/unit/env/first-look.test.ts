import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSecret, reveal } from '@infra/shared/command/secret'
import { loadEnv } from '@infra/shared/env/load'
import { sampleEnv } from '@infra/shared/env/sample'
import { describe, expect, test } from 'vitest'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { podPublicKeys, podSchema } from '../../../pod/env/env.ts'
import { stoatSchema } from '../../../stoat/env/env.ts'
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
    ['a known variable', {}, { VALENCE_DOMAIN: 'x' }, false],
    ['an empty file', { '.env.pod': '' }, {}, false],
    ['.env', { '.env': '' }, {}, false],
    ['the file of another workspace', { '.env.stoat': '' }, {}, true],
  ])('%s', (_, files, processEnv, unconfigured) => {
    const options = { schema: podSchema, root: folder(files), processEnv }
    expect(loadEnv(options).unconfigured).toBe(unconfigured)
  })
})

test('the cluster needs what its bot needs, and takes half a key pair for a mistake', () => {
  const bot = {
    DISCORD_TOKEN: 'a-token-'.repeat(9),
    DISCORD_BOT_ID: '1331474398296727582',
    DISCORD_GUILD_ID: '1007381699346301038',
    LITELLM_API_KEY: 'sk-a-key-of-litellm',
  }
  const cluster = (processEnv: Record<string, string>) => loadEnv({ schema: clusterSchema, root: folder(), processEnv })
  expect(cluster({}).problems?.map(({ variable }) => variable)).toEqual(Object.keys(bot))
  expect(cluster(bot).env).toMatchObject({
    AWS_REGION: 'ca-central-1',
    CLUSTER_PITR: false,
    BOT_IAM_USER: 'discord-bot',
    DO_CLUSTER_NAME: 'discord-bot-cluster',
  })
  for (const key of ['AWS_ACCESS_KEY_ID', 'BOT_AWS_ACCESS_KEY_ID'])
    expect(cluster({ ...bot, [key]: 'AKIAIOSFODNN7EXAMPLE' }).problems).toMatchObject([
      { message: expect.stringMatching(/belongs together.*SECRET_ACCESS_KEY is not set/) },
    ])
  const rehearsal = { ...bot, AWS_PROFILE: 'x', AWS_ENDPOINT_URL: 'http://127.0.0.1:5000', CLUSTER_PITR: 'yes' }
  expect(cluster(rehearsal).env).toMatchObject({ CLUSTER_PITR: true })
})

test('a kubeconfig is found where .env.example says that it is, and so is each of several', () => {
  const home = folder()
  const read = (files: Record<string, string>, processEnv: Record<string, string> = {}) => {
    const root = folder(files)
    const { sources, values } = loadEnv({ schema: clusterSchema, root, processEnv: { HOME: home, ...processEnv } })
    return [sources.KUBECONFIG, values.KUBECONFIG?.toString().replaceAll(home, 'HOME').replaceAll(root, 'ROOT')]
  }
  const example = readFileSync(join(import.meta.dirname, '../../../.env.example'), 'utf8')
  const [line = ''] = example.match(/export KUBECONFIG=.*/) ?? []
  expect(read({ '.env.cluster': line })).toEqual(['.env.cluster', 'HOME/.kube/config'])
  expect(read({ '.env.cluster': `KUBECONFIG='$HOME/a:~/b:/c:d'` })).toEqual(['.env.cluster', 'HOME/a:HOME/b:/c:ROOT/d'])
  expect(read({}, { KUBECONFIG: '/one::/two:' })[1]).toBe('/one:/two')
})
