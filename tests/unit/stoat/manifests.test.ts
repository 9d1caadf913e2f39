import { showText } from '@infra/shared/command/command'
import { type KubeObject, manifestText } from '@infra/shared/command/kubectl'
import { describe, expect, it } from 'vitest'
import type { StoatEnv } from '../../../stoat/env/env.ts'
import { bucketJobObject } from '../../../stoat/manifests/buckets.ts'
import { configObjects } from '../../../stoat/manifests/config.ts'
import { caddyObjects, entranceObjects } from '../../../stoat/manifests/gateway.ts'
import { networkPolicies } from '../../../stoat/manifests/network.ts'
import { programObjects } from '../../../stoat/manifests/programs.ts'
import { storeObjects } from '../../../stoat/manifests/stores.ts'
import { secretObject } from '../../../stoat/open-values.ts'
import { keys, stoatEnv } from './env.ts'

const objectsOf = (more: Partial<StoatEnv> = {}): KubeObject[] => {
  const env = stoatEnv(more)
  const programs = (['workers', 'api', 'rest'] as const).flatMap((wave) => programObjects(env, wave))
  const config = [secretObject(env, keys), ...configObjects(env), ...networkPolicies()]
  return [
    ...config,
    ...storeObjects(env),
    bucketJobObject(env),
    ...programs,
    ...entranceObjects(env),
    ...caddyObjects(env),
  ]
}
const all = objectsOf()
const of = (kind: string, objects = all) => objects.filter((object) => object.kind === kind)
const named = (kind: string, name: string, objects = all) => {
  const found = of(kind, objects).find(({ metadata }) => metadata.name === name)
  if (!found) throw new Error(`no ${kind} ${name}`)
  return found
}
// biome-ignore lint/suspicious/noExplicitAny: the tests look into plain manifests
const specOf = (object: KubeObject): any => object.spec
const podOf = (object: KubeObject) => specOf(object).template.spec

const workloads = [...of('Deployment'), ...of('StatefulSet'), ...of('Job')]

describe('the api waits', () => {
  // What crond and pushd of each release declare, read in its source.
  it.each<[StoatEnv['STOAT_IMAGES'], string]>([
    ['revolt', 'exchanges/%2F/revolt.notifications'],
    ['stoat', 'exchanges/%2F/revolt.default exchanges/%2F/revolt.notifications queues/%2F/internal.ack'],
    ['next', 'exchanges/%2F/revolt.default exchanges/%2F/revolt.notifications queues/%2F/internal.ack'],
  ])('in the release %s for nothing that its crond and pushd do not declare', (STOAT_IMAGES, declared) => {
    const { initContainers } = podOf(named('Deployment', 'stoat-api', objectsOf({ STOAT_IMAGES })))
    expect(/for what in (.*); do/.exec(initContainers[0].command[2])?.[1]).toBe(declared)
  })
})

describe('the original’s', () => {
  it('names, in its namespace, with their label app', () => {
    expect(
      of('Deployment')
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(
      ['api', 'autumn', 'caddy', 'crond', 'events', 'gifbox', 'january', 'pushd', 'web'].map((name) => `stoat-${name}`),
    )
    expect(
      of('StatefulSet')
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(['minio', 'mongodb', 'rabbitmq'].map((name) => `stoat-${name}`))
    for (const object of all) {
      expect(object.metadata.namespace).toBe('discord-bot')
      expect(object.metadata.labels?.app).toBeDefined()
    }
    for (const object of workloads.filter(({ kind }) => kind !== 'Job')) {
      expect(specOf(object).selector).toEqual({ matchLabels: { app: object.metadata.name } })
      expect(specOf(object).template.metadata.labels).toEqual({ app: object.metadata.name })
    }
  })

  it.each([
    ['stoat-api', 3000, 14702],
    ['stoat-events', 3000, 14703],
    ['stoat-autumn', 3000, 14704],
    ['stoat-january', 3000, 14705],
    ['stoat-gifbox', 3000, 14706],
    ['stoat-web', 5000, 5000],
    ['stoat-mongodb', 27017, 27017],
    ['stoat-rabbitmq', 15672, 15672],
    ['stoat-minio', 9001, 9001],
    ['stoat-caddy', 80, 8080],
    ['stoat-caddy', 443, 8443],
  ])('Service port of %s is %i, to the port %i where it listens', (name, port, targetPort) => {
    const service = named('Service', name)
    expect(specOf(service).ports).toContainEqual(expect.objectContaining({ port, targetPort }))
    const workload = workloads.find(({ metadata }) => metadata.name === name) as KubeObject
    const listening = podOf(workload).containers[0].ports.map((one: { containerPort: number }) => one.containerPort)
    expect(listening).toContain(targetPort)
  })
})

describe('every pod', () => {
  it.each(workloads.map((object) => [object.metadata.name, object] as const))(
    '%s is bounded and locked',
    (_, object) => {
      const pod = podOf(object)
      expect(pod.automountServiceAccountToken).toBe(false)
      expect(pod.enableServiceLinks).toBe(false)
      expect(pod.securityContext.seccompProfile).toEqual({ type: 'RuntimeDefault' })
      for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
        expect(Object.keys(container.resources)).toEqual(['requests', 'limits'])
        expect(container.securityContext).toMatchObject({
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
        })
        expect(container.image).toMatch(/:|@/)
      }
    },
  )

  it('that serves is asked whether it does', () => {
    for (const object of [...of('Deployment'), ...of('StatefulSet')]) {
      const [container] = podOf(object).containers
      if (container.ports)
        expect(Object.keys(container)).toEqual(expect.arrayContaining(['readinessProbe', 'livenessProbe']))
      else expect(['stoat-crond', 'stoat-pushd']).toContain(object.metadata.name)
    }
  })

  it('that may not run twice ends before another begins', () => {
    const strategies = of('Deployment').map((object) => [object.metadata.name, specOf(object).strategy.type])
    expect(Object.fromEntries(strategies)).toMatchObject({
      'stoat-api': 'Recreate',
      'stoat-crond': 'Recreate',
      'stoat-pushd': 'Recreate',
      'stoat-caddy': 'Recreate',
      'stoat-web': 'RollingUpdate',
    })
  })

  it('of the backend reads both parts of the configuration where it looks for them, but january no secret', () => {
    for (const name of ['api', 'events', 'autumn', 'january', 'gifbox', 'crond', 'pushd']) {
      const pod = podOf(named('Deployment', `stoat-${name}`))
      const paths = pod.containers[0].volumeMounts.map((mount: { mountPath: string }) => mount.mountPath)
      expect(paths).toContain('/Revolt.toml')
      expect(paths.includes('/home/nonroot/Revolt.overrides.toml')).toBe(name !== 'january')
    }
    const secrets = podOf(named('Deployment', 'stoat-api')).volumes.find(
      ({ name }: { name: string }) => name === 'secrets',
    )
    expect(secrets.secret).toMatchObject({ secretName: 'stoat-secrets', defaultMode: 0o444 })
  })

  it('of the api has a whole host name that fits into 64 characters', () => {
    const { hostname, subdomain } = podOf(named('Deployment', 'stoat-api'))
    expect(`${hostname}.${subdomain}.discord-bot.svc.cluster.local`.length).toBeLessThanOrEqual(64)
  })
})

it('no secret stands in any object', () => {
  const text = showText(manifestText(all))
  for (const value of ['broker-password-1', 'store-password-1', '0123456789abcdefghijklmnopqrstuv']) {
    expect(text).not.toContain(value)
    expect(text).not.toContain(Buffer.from(value).toString('base64'))
  }
  const { data } = named('Secret', 'stoat-secrets') as unknown as { data: Record<string, string> }
  for (const value of Object.values(data)) expect(value).toMatch(/^value-of\/stoat-secrets\/.*;$/)
})

describe('who may connect', () => {
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into plain manifests
  const from = (name: string): any =>
    specOf(named('NetworkPolicy', `allow-${name}`)).ingress[0].from[0].podSelector.matchExpressions[0].values
  it('is told by the table of services', () => {
    expect(from('stoat-mongodb').sort()).toEqual(
      ['api', 'autumn', 'crond', 'events', 'gifbox', 'pushd'].map((name) => `stoat-${name}`),
    )
    expect(from('stoat-rabbitmq').sort()).toEqual(['stoat-api', 'stoat-crond', 'stoat-pushd'])
    expect(from('stoat-minio').sort()).toEqual(['stoat-autumn', 'stoat-crond', 'stoat-minio-create-buckets'])
    expect(from('stoat-api')).toEqual(['stoat-caddy'])
  })
  it('is nobody else, for every pod', () => {
    const denied = specOf(named('NetworkPolicy', 'stoat-deny-ingress')).podSelector.matchExpressions[0].values
    for (const object of workloads) expect(denied).toContain(object.metadata.name)
  })
})

describe('the gateway', () => {
  const typed = (more: Partial<StoatEnv>) => specOf(named('Service', 'stoat-caddy', objectsOf(more)))
  it('is a load balancer for both ports, or stays inside', () => {
    expect(typed({}).type).toBe('LoadBalancer')
    const inside = typed({ STOAT_GATEWAY: 'cluster-ip', STOAT_TLS: 'none' })
    expect([inside.type, inside.ports.map(({ port }: { port: number }) => port)]).toEqual(['ClusterIP', [80]])
  })
  it('keeps its certificates on a volume, where it has any', () => {
    expect(of('PersistentVolumeClaim').map(({ metadata }) => metadata.name)).toEqual(['stoat-caddy-data'])
    expect(of('PersistentVolumeClaim', objectsOf({ STOAT_TLS: 'upstream' }))).toEqual([])
  })
  it('is bound to your own Gateway', () => {
    const more = { STOAT_GATEWAY: 'http-route', STOAT_TLS: 'upstream', STOAT_GATEWAY_PARENT: 'infra/public' } as const
    const route = named('HTTPRoute', 'stoat-caddy', objectsOf(more))
    expect(specOf(route)).toMatchObject({
      parentRefs: [{ name: 'public', namespace: 'infra' }],
      hostnames: ['stoat.example.com'],
      rules: [{ backendRefs: [{ name: 'stoat-caddy', port: 80 }] }],
    })
  })
})

it('with your own store there is no MinIO', () => {
  const objects = objectsOf({ STOAT_S3_ENDPOINT: 'https://s3.example.com' })
  expect(of('StatefulSet', objects).map(({ metadata }) => metadata.name)).toEqual(['stoat-mongodb', 'stoat-rabbitmq'])
  const [{ env }] = podOf(named('Job', 'stoat-minio-create-buckets', objects)).containers
  expect(env).toContainEqual({ name: 'S3_ENDPOINT', value: 'https://s3.example.com' })
})
