import { showText } from '@infra/shared/command/command'
import { type KubeObject, manifestText } from '@infra/shared/command/kubectl'
import { secret } from '@infra/shared/command/secret'
import { namespaceObject } from '@infra/shared/platform/namespace'
import { describe, expect, it, test } from 'vitest'
import { devSandbox, sandboxAccess } from '../../../cluster/manifests/dev-sandbox.ts'
import { secretsDigest } from '../../../cluster/manifests/digest.ts'
import { discordBot } from '../../../cluster/manifests/discord-bot.ts'
import { appSecrets, pullSecretRenewal } from '../../../cluster/manifests/namespace.ts'
import { networkPolicies } from '../../../cluster/manifests/network.ts'
import { redis } from '../../../cluster/manifests/redis.ts'

const token = secret('discord-token-of-fifty-characters-and-some-more-0123')
const values = { DISCORD_TOKEN: token, LITELLM_API_KEY: secret('lite-key-1') }
const storage = { size: '1Gi', storageClass: 'do-block-storage' }
const network = { litellm: 'http://litellm.ai.svc:4000', sandboxReads: true }
const sandbox = (mcp?: string) =>
  devSandbox({
    image: 'sandbox',
    mcp: mcp === undefined ? undefined : { image: mcp, commands: 'ls,git' },
    scope: 'cluster',
    ...storage,
  })
const plain = { image: 'bot', user: 1000, writableRoot: false }
const bot = discordBot({ ...plain, env: { STALENESS_MINUTES: 30, BOT_USERNAME: undefined }, secrets: values })
const all: KubeObject[] = [
  namespaceObject,
  appSecrets(values),
  ...networkPolicies(network),
  ...pullSecretRenewal({ image: 'renewer', region: 'ca-central-1' }),
  ...redis({ image: 'redis', claim: 'data', ...storage }),
  ...bot,
  ...sandboxAccess('cluster'),
  ...sandbox('mcp'),
]

interface PodSpec {
  securityContext: Record<string, unknown>
  containers: Container[]
  initContainers?: Container[]
}
interface Container {
  name: string
  image: string
  env?: { name: string; value?: string }[]
  securityContext: Record<string, unknown>
  resources: { requests?: object; limits?: object }
}

/** The pods that an object makes. */
function podsOf({ spec }: KubeObject): PodSpec[] {
  const holder = spec as { template?: { spec: PodSpec }; jobTemplate?: { spec: { template: { spec: PodSpec } } } }
  return [holder?.template?.spec, holder?.jobTemplate?.spec.template.spec].flatMap((pod) => (pod ? [pod] : []))
}
const containers = all.flatMap(podsOf).flatMap((pod) => [...(pod.initContainers ?? []), ...pod.containers])

describe('what runs in the cluster', () => {
  it('runs as a plain user, with the seccomp profile of the runtime', () => {
    const pods = all.flatMap(podsOf)
    expect(pods.length).toBeGreaterThan(3)
    for (const { securityContext } of pods)
      expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
  })

  it.each(containers.map((container) => [container.name, container] as const))(
    'container %s has no privilege, and takes no more than it may',
    (_, { securityContext, resources }) => {
      expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } })
      expect(Object.keys(resources.limits ?? {})).toContain('memory')
      expect(Object.keys(resources.requests ?? {})).toContain('memory')
    },
  )

  it('has a root that it cannot write to, but for the sandbox', () => {
    const writable = containers.filter(({ securityContext }) => securityContext.readOnlyRootFilesystem !== true)
    expect(writable.map(({ name }) => name)).toEqual([
      ...['workspace', 'dev-sandbox', 'mcp-filesystem', 'mcp-git', 'mcp-shell'],
    ])
  })

  it('holds secrets in its Secret only', () => {
    const rest = all.filter(({ kind }) => kind !== 'Secret')
    expect(showText(manifestText(rest))).not.toContain('[secret]')
    expect(showText(manifestText([appSecrets(values)]))).toContain('"DISCORD_TOKEN":[secret]')
  })

  it('is selected by its name alone, as the old cluster had it', () => {
    const workloads = all.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
    const names = workloads.map(({ metadata }) => metadata.name)
    expect(names).toEqual(expect.arrayContaining(['redis', 'discord-bot', 'dev-sandbox']))
    const selectors = workloads.map(({ spec }) => (spec as { selector: unknown }).selector)
    expect(selectors).toEqual(names.map((app) => ({ matchLabels: { app } })))
  })

  it('the MCP servers and their Services are there when they are wanted', () => {
    const names = (objects: KubeObject[]) =>
      objects.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name)
    expect(names(sandbox())).toEqual([])
    expect(names(sandbox('mcp'))).toEqual(['filesystem-service', 'git-service', 'shell-service'])
  })

  it('the sandbox may look, but at nothing that may hold a password', () => {
    const [, role] = sandboxAccess('cluster')
    const rules = role?.rules as { apiGroups: string[]; resources: string[]; verbs: string[] }[]
    expect(new Set(rules.flatMap(({ verbs }) => verbs))).toEqual(new Set(['get', 'list', 'watch']))
    const core = rules.filter(({ apiGroups }) => apiGroups.includes('')).flatMap(({ resources }) => resources)
    expect(core).toContain('pods')
    expect(core.filter((resource) => /secret|configmap|log|\*/.test(resource))).toEqual([])
  })

  it.each([
    ['cluster', ['ClusterRole', 'ClusterRoleBinding']],
    ['namespace', ['ClusterRole', 'RoleBinding']],
    ['none', []],
  ] as const)('the sandbox has no more rights than those of the scope %s', (scope, kinds) => {
    expect(sandboxAccess(scope).map(({ kind }) => kind)).toEqual(['ServiceAccount', ...kinds])
  })

  it('the bot gets the environment of the original', () => {
    const [, deployment] = bot
    const [pod] = podsOf(deployment as KubeObject)
    expect(pod?.containers[0]?.env?.map(({ name }) => name)).toEqual([
      ...['DISCORD_TOKEN', 'LITELLM_API_KEY', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
      ...['STALENESS_MINUTES', 'DYNAMODB_SESSIONS_TABLE', 'DYNAMODB_EXECUTIONS_TABLE', 'PORT'],
    ])
  })
})

test('the bot runs as another user, with a root that it may write to, where that is said', () => {
  const [, deployment] = discordBot({ ...plain, user: 10001, writableRoot: true, env: {}, secrets: values })
  const [pod] = podsOf(deployment as KubeObject)
  const user = { runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001 }
  expect(pod?.securityContext).toMatchObject(user)
  expect(pod?.containers[0]?.securityContext).toMatchObject({
    readOnlyRootFilesystem: false,
    capabilities: { drop: ['ALL'] },
  })
})

test('what the sandbox runs takes no more of a processor or of the disk of its node than it may', () => {
  const pods = sandbox('mcp').flatMap(podsOf)
  for (const { resources } of pods.flatMap((pod) => [...(pod.initContainers ?? []), ...pod.containers]))
    expect(Object.keys(resources.limits ?? {})).toEqual(['memory', 'cpu', 'ephemeral-storage'])
})

test('the digest of the secrets changes with each of them, and with its key', () => {
  const digest = secretsDigest(values, token)
  expect(digest).toMatch(/^[0-9a-f]{16}$/)
  expect(secretsDigest({ ...values }, token)).toBe(digest)
  expect(secretsDigest({ ...values, LITELLM_API_KEY: secret('lite-key-2') }, token)).not.toBe(digest)
  expect(secretsDigest(values, secret('another-token-000'))).not.toBe(digest)
  const keyless = { LITELLM_API_KEY: secret('lite-key-2') }
  expect(() => discordBot({ ...plain, env: {}, secrets: keyless })).toThrow(/DISCORD_TOKEN/)
})

test('with a password Redis reads it from a file, the bot has it by its Secret, and both start anew with another', () => {
  const annotationsOf = (password?: string) => {
    const given = password === undefined ? undefined : secret(password)
    const redisObjects = redis({ image: 'redis', claim: 'data', ...storage, password: given })
    const secrets = given ? { ...values, REDIS_PASSWORD: given, REDIS_URL: secret('url') } : values
    const objects = [...redisObjects, ...discordBot({ ...plain, env: {}, secrets })]
    return ['StatefulSet redis', 'Deployment discord-bot'].map((wanted) => {
      const spec = objects.find(({ kind, metadata }) => `${kind} ${metadata.name}` === wanted)?.spec
      const { metadata, spec: pod } = (
        spec as unknown as { template: { metadata: { annotations?: object }; spec: PodSpec } }
      ).template
      return { annotations: metadata.annotations, env: pod.containers[0]?.env?.map(({ name }) => name) ?? [] }
    })
  }
  const [without, one, other] = [annotationsOf(), annotationsOf('one-Password-31'), annotationsOf('other-Password-42')]
  expect(without.map(({ env }) => env.filter((name) => /^REDIS/.test(name)))).toEqual([[], []])
  expect(one.map(({ env }) => env.filter((name) => /^REDIS/.test(name)))).toEqual([
    ['REDISCLI_AUTH'],
    ['REDIS_PASSWORD', 'REDIS_URL'],
  ])
  expect(without[0]?.annotations).toBeUndefined()
  for (const at of [0, 1]) expect(one[at]?.annotations).not.toEqual(other[at]?.annotations)
})
