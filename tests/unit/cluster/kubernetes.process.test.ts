import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { nothing } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { raw } from '@infra/shared/command/sh'
import { askOf } from '@infra/shared/engine/ask'
import { deploy } from '@infra/shared/engine/deploy'
import { sampleEnv } from '@infra/shared/env/sample'
import { kubernetesClusters } from '@infra/shared/facts/digitalocean/kubernetes'
import { type KubeCredentials, kubeCredentials } from '@infra/shared/facts/kubernetes/credentials'
import { keyStamp } from '@infra/shared/facts/kubernetes/key-stamp'
import { environmentFolder, openDoks } from '@infra/shared/platform/doks'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { noCluster } from '@infra/shared/steps/digitalocean/removal'
import { blankAws } from '@infra/shared/targets/aws/aws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { judgeCredentials } from '../../../cluster/checks/kubernetes.ts'
import { type ClusterEnv, clusterSchema } from '../../../cluster/env/env.ts'
import { botKeyStore, openKubernetes } from '../../../cluster/parts/kubernetes.ts'
import { type DigitalOceanFake, startDigitalOcean } from '../../lab/digitalocean-fake.ts'
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

const writtenBy = 'npm run deploy -w cluster -- --tags kubernetes'
const aws = blankAws({ region: 'ca-central-1' })
const nameOf = (more: Partial<ClusterEnv>, offline = false) => {
  const env = { ...sampleEnv(clusterSchema), ...more }
  return openKubernetes(env, { aws, doks: undefined, offline, folder }).name
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

test('which key the Secret holds is told by its stamp', () => {
  const parse = (stdout: string, code = 0, stderr = '') => keyStamp('bots', 's').parse({ code, stdout, stderr })
  expect([parse('kept 12-20'), parse('kept '), parse(''), parse('12-20')]).toEqual([
    '12-20',
    'unmarked',
    ...[undefined, undefined],
  ])
  expect(parse('', 1, 'Error from server (NotFound): namespaces "bots" not found')).toBeUndefined()
  expect(() => parse('', 1, 'error: the server is away\n')).toThrow('the server is away')
})

describe('the credentials of somebody’s kubeconfig', () => {
  const now = new Date('2026-11-24T12:00:00Z')
  const token = (claims: object) => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`
  const read = (user?: object): KubeCredentials =>
    kubeCredentials().parse({ code: 0, stdout: JSON.stringify({ users: user && [{ user }] }), stderr: '' })
  const in20Days = now.getTime() / 1000 + 20 * 86_400
  test.each<[string, object | undefined, string, string]>([
    ['a token that ends soon', { token: token({ exp: in20Days }) }, 'warn', 'token until 2026-12-14: 20 days left'],
    ['one that ended', { token: token({ exp: 1 }) }, 'fail', 'token until 1970-01-01: it has ended'],
    ['one that does not tell', { token: 'opaque' }, 'ok', 'token that does not say when it ends'],
    ['a program', { exec: { command: 'doctl' } }, 'ok', 'renewed by doctl: when they end is its business'],
    ['a certificate that is none', { 'client-certificate-data': 'eA==' }, 'ok', 'client certificate that does not say'],
    ['nobody', undefined, 'warn', 'the context names none'],
  ])('%s', (_, user, outcome, detail) => {
    const found = judgeCredentials(read(user), now)
    expect(found.outcome).toBe(outcome)
    expect(found.detail).toContain(detail)
  })
  test('a certificate', () => {
    const until = new Date('2027-11-24T00:00:00Z')
    expect(judgeCredentials({ kind: 'certificate', until }, now)).toEqual({
      outcome: 'ok',
      detail: 'client certificate until 2027-11-24, 364 days',
    })
  })
})

describe('the kubeconfig of a DOKS cluster', () => {
  const name = 'discord-bot-cluster'
  /** As doctl writes it. */
  const writeFor = (cluster: { id: string } | undefined, path: string) => {
    mkdirSync(dirname(path), { recursive: true })
    const exec = { command: 'doctl', args: ['kubernetes', 'cluster', 'kubeconfig', 'exec-credential', cluster?.id] }
    writeFileSync(
      path,
      JSON.stringify({ ...config(`do-tor1-${name}`), users: [{ name: `do-tor1-${name}`, user: { exec } }] }),
    )
  }
  const accountOf = ({ token, endpoint }: DigitalOceanFake, environment?: string) => {
    const env = { ...sampleEnv(clusterSchema), DIGITALOCEAN_TOKEN: secret(token), DIGITALOCEAN_API_URL: endpoint }
    const place = { offline: false, folder: environmentFolder(join(folder, 'two-accounts'), environment), writtenBy }
    const doks = openDoks(env, place)
    if (!doks) throw new Error('no account')
    return { doks, kube: openKubernetes(env, { aws, doks, ...place }) }
  }
  let production: DigitalOceanFake
  let staging: DigitalOceanFake
  beforeAll(async () => {
    ;[production, staging] = [await startDigitalOcean(), await startDigitalOcean()]
    for (const account of [production, staging]) account.addCluster({ name })
  })
  afterAll(() => Promise.all([production.stop(), staging.stop()]))

  test('of two accounts with a cluster of one name leads from one of them only', async () => {
    const ours = accountOf(production)
    writeFor(production.clusters[0], ours.doks.kubeconfig.path)
    expect(ours.kube.notCreatedYet).toBe(true)
    await assertInside(ours)
    expect([ours.kube.notCreatedYet, ours.kube.name]).toEqual([
      false,
      expect.stringMatching(/^kubernetes do-tor1-.* at https:/),
    ])

    const theirs = accountOf(staging)
    expect(theirs.doks.kubeconfig.path).toBe(ours.doks.kubeconfig.path)
    await expect(assertInside(theirs)).rejects.toMatchObject({
      message: `.infra/two-accounts/kubeconfig-${name} leads to another cluster than ${name} of this account`,
      remedy: expect.stringContaining('--tags kubernetes writes it'),
    })
    // A plan is one for a cluster that is still to be reached, and no change, lock or log goes anywhere.
    expect(theirs.kube.name).toBe(`kubernetes ${name}`)
    expect(await theirs.kube.ask([raw('kubectl get pods')])).toEqual([nothing])
    expect(theirs.kube.notCreatedYet).toBe(true)
    await expect(theirs.kube.run([raw('kubectl delete pods --all')], () => {})).rejects.toThrow(
      'leads to another cluster',
    )
    await expect(theirs.kube.unlock?.()).rejects.toThrow('leads to another cluster')

    // The script kubernetes writes it anew, in the course of a run.
    writeFor(staging.clusters[0], theirs.doks.kubeconfig.path)
    await assertInside(theirs)
    await expect(assertInside(accountOf(production))).rejects.toThrow('leads to another cluster')
  })

  test('is each environment’s own, and so are the tokens of doctl', () => {
    const [one, other] = [accountOf(production), accountOf(production, 'staging')]
    expect(other.doks.kubeconfig.path).toMatch(/\/environments\/staging\/kubeconfig-discord-bot-cluster$/)
    expect(other.doks.tokens).toMatch(/\/environments\/staging\/doctl\//)
    expect(one.doks.tokens).not.toBe(other.doks.tokens)
  })

  test('stays when the token may not delete the cluster, which is told by its scope', async () => {
    const { doks } = accountOf(production)
    const made = production.addCluster({ name: 'made-here', tags: ['managed-by:infra'] })
    const kubeconfig = join(folder, 'kubeconfig-made-here')
    writeFor(made, kubeconfig)
    const { found } = await askOf(doks.cloud, { found: kubernetesClusters('made-here') })
    const desired = { cluster: found?.[0], name: 'made-here', tag: 'managed-by:infra', kubeconfig, dependsOn: [] }
    const destroy = () =>
      deploy([{ script: 'kubernetes', steps: [noCluster(doks.cloud, desired)] }], {
        ...{ emit: () => {}, stopping: () => false, holder: 'the test', lockTimeout: 0, agree: async () => {} },
      })
    production.fail(/^DELETE/, { status: 403 })
    await expect(destroy()).rejects.toMatchObject({
      message: expect.stringContaining('DIGITALOCEAN_TOKEN may not do DELETE /v2/kubernetes/clusters/'),
      remedy: expect.stringMatching(/kubernetes \([^)]*\bdelete\b/),
    })
    expect([existsSync(kubeconfig), production.clusters.includes(made)]).toEqual([true, true])
    expect(await destroy()).toBe(1)
    expect([existsSync(kubeconfig), production.clusters.includes(made)]).toEqual([false, false])
  })

  test('leads nowhere when the cluster was made anew, or nobody can tell', async () => {
    const { doks, kube } = accountOf(staging)
    writeFor(staging.clusters.splice(0, 1)[0], doks.kubeconfig.path)
    staging.addCluster({ name })
    await expect(assertInside({ doks, kube })).rejects.toThrow('leads to another cluster')
    const env = { ...sampleEnv(clusterSchema), DIGITALOCEAN_TOKEN: undefined }
    const place = { offline: false, folder: join(folder, 'two-accounts'), writtenBy }
    const blind = openDoks(env, place)
    const unseen = openKubernetes(env, { aws, doks: blind, ...place })
    await expect(assertInside({ doks: blind, kube: unseen })).rejects.toThrow('DIGITALOCEAN_TOKEN is not set')
    await expect(unseen.run([raw('kubectl get pods')], () => {})).rejects.toThrow('DIGITALOCEAN_TOKEN is not set')
    const nowhere = { ...place, folder: join(folder, 'nothing-there') }
    const first = { doks: openDoks(env, nowhere), kube: openKubernetes(env, { aws, doks: blind, ...nowhere }) }
    await assertInside(first, true)
    await expect(assertInside(first)).rejects.toThrow('there is no kubeconfig for discord-bot-cluster yet')
  })
})
