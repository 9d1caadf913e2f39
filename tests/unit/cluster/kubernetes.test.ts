import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sampleEnv } from '@infra/shared/env/sample'
import { blankAws } from '@infra/shared/targets/aws'
import { expect, test } from 'vitest'
import { type ClusterEnv, clusterSchema } from '../../../cluster/env.ts'
import { botKeyStore, openKubernetes } from '../../../cluster/kubernetes.ts'
import { tempFolder } from '../../support/temp.ts'

const folder = join(tempFolder(), '.infra')
mkdirSync(folder)
const config = (name: string) => ({
  'current-context': name,
  clusters: [{ name, cluster: { server: `https://${name}.example.com` } }],
  contexts: [{ name, context: { cluster: name, user: name } }],
})
const theirs = join(folder, 'theirs')
writeFileSync(theirs, JSON.stringify(config('production')))

const nameOf = (more: Partial<ClusterEnv>, offline = false) => {
  const env = { ...sampleEnv(clusterSchema), ...more }
  return openKubernetes(env, { aws: blankAws({ region: 'ca-central-1' }), offline, folder }).name
}

test('the current context of somebody’s kubeconfig is never used: it has to be said', () => {
  expect(() => nameOf({ KUBECONFIG: theirs })).toThrow('KUBECONFIG is set, but not which of its contexts to use')
  expect(() => nameOf({ KUBECONFIG: theirs, KUBE_CONTEXT: 'staging' })).toThrow('there is no context staging')
  expect(nameOf({ KUBECONFIG: theirs, KUBE_CONTEXT: 'production' })).toBe(
    'kubernetes production (context production) at https://production.example.com',
  )
})

test('without either it is the cluster whose kubeconfig an earlier script writes', () => {
  expect(nameOf({})).toBe('kubernetes discord-bot-cluster')
  writeFileSync(join(folder, 'kubeconfig-discord-bot-cluster'), JSON.stringify(config('do-tor1-discord-bot-cluster')))
  expect(nameOf({})).toMatch(/^kubernetes do-tor1-discord-bot-cluster .* at https:/)
  expect(nameOf({}, true)).toBe('a Kubernetes cluster')
})

test('the bot’s key is kept in the very cluster, unless the operator gives one', () => {
  const env = sampleEnv(clusterSchema)
  const line = (more: Partial<ClusterEnv>) => botKeyStore({ ...env, ...more }, '/i')?.kept.command.line ?? ''
  expect(line({})).toMatch(/^KUBECONFIG=\/i\/kubeconfig-discord-bot-cluster kubectl {2}get secret discord-bot-secrets/)
  expect(line({ KUBECONFIG: '/k', KUBE_CONTEXT: 'prod' })).toMatch(/^KUBECONFIG=\/k kubectl --context prod get secret/)
  const { kept } = botKeyStore(env, '/i') ?? {}
  const parse = (code: number, stdout: string, stderr: string) => kept?.parse({ code, stdout, stderr })
  expect(parse(0, Buffer.from('AKIAEXAMPLE').toString('base64'), '')).toBe('AKIAEXAMPLE')
  expect([parse(0, '', ''), parse(3, '', 'Error from server (NotFound): secrets "x" not found')]).toEqual([null, null])
  expect(() => parse(3, '', 'Unable to connect to the server: EOF\n')).toThrow('Unable to connect')
  const own = { BOT_AWS_ACCESS_KEY_ID: env.DISCORD_TOKEN, BOT_AWS_SECRET_ACCESS_KEY: env.DISCORD_TOKEN }
  expect(botKeyStore({ ...env, ...own }, '/i')).toBeUndefined()
})
