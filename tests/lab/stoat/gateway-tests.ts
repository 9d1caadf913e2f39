import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { secret } from '@infra/shared/command/secret'
import { makePlan } from '@infra/shared/engine/plan'
import { namespace } from '@infra/shared/platform/names'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failureOf } from '../aws-lab.ts'
import { notesOf, planned, settle } from '../kube-steps.ts'
import type { StoatLab } from '../stoat-world.ts'
import { findings, redOf } from '../verify-runs.ts'
import { adoptionTests } from './adoption-tests.ts'
import { newKeys } from './backup-tests.ts'
import { type Cloud, startCloud } from './cloud.ts'
import { routeKind } from './route-kind.ts'

const domain = 'stoat.example.com'
const caddy = 'service/stoat-caddy'

/** How Caddy is reached from outside, changed on a deployment that is there. */
export function entranceTests(lab: StoatLab, cloud: () => Cloud): void {
  const gateway = (more: Parameters<StoatLab['work']>[0]) => lab.work(more, 'gateway')
  const notes = async (more: Parameters<StoatLab['work']>[0]) => notesOf(await makePlan(gateway(more), () => {}))
  const inside = { STOAT_TLS: 'upstream', STOAT_GATEWAY: 'cluster-ip' } as const
  const routed = {
    STOAT_TLS: 'upstream',
    STOAT_GATEWAY: 'http-route',
    STOAT_GATEWAY_PARENT: 'gateways/public',
  } as const
  const balanced = { STOAT_TLS: 'upstream', STOAT_GATEWAY: 'load-balancer' } as const
  const field = (path: string) => lab.inSpace(`get ${caddy} -o jsonpath={${path}}`)

  it('is refused by HTTPRoute where the cluster has no Gateway API', async () => {
    const failure = await failureOf(planned(gateway(routed)))
    expect(failure.message).toContain('does not know the kind HTTPRoute (gateway.networking.k8s.io/v1)')
    expect(failure.remedy).toContain('set STOAT_GATEWAY to load-balancer or cluster-ip')
  })

  it('is an HTTPRoute, which comes back when it was deleted, and goes when it is named', async () => {
    await lab.kubectl('apply -f -', JSON.stringify(routeKind))
    await lab.kubectl(`wait crd/${routeKind.metadata.name} --for=condition=Established --timeout=60s`)
    await settle(gateway(routed))
    const route = JSON.parse(await lab.inSpace('get httproute stoat-caddy -o json')).spec
    expect(route).toEqual({
      parentRefs: [{ name: 'public', namespace: 'gateways' }],
      hostnames: [domain],
      rules: [{ backendRefs: [{ name: 'stoat-caddy', port: 80 }] }],
    })
    expect(await planned(gateway(routed))).toEqual([])
    await lab.inSpace('delete httproute stoat-caddy')
    expect(await planned(gateway(routed))).toEqual(['create http route stoat-caddy'])
    await settle(gateway(routed))
    expect(await notes(inside)).toContain(
      'http route stoat-caddy is not declared any more; deploy -- --prune removes it',
    )
    const pruned = await lab.cliIn(
      { env: inside },
      'deploy',
      '--yes',
      '--prune',
      '--tags',
      'gateway',
      '--skip-verification',
    )
    expect(pruned.code, pruned.stderr).toBe(0)
    expect(await lab.inSpace('get httproute -o name')).toBe('')
  })

  it('ends with what the cloud says where no load balancer comes', async () => {
    cloud().balancers.refuse('the account has as many load balancers as it may have')
    const failure = await failureOf(settle(gateway({ ...balanced, ROLLOUT_TIMEOUT: 5 })))
    expect(failure.message).toMatch(/no load balancer came in 5 seconds; the cloud says: .*as many load balancers/)
    expect(failure.remedy).toContain('ROLLOUT_TIMEOUT')
    cloud().balancers.refuse(undefined)
  })

  it('is a load balancer, whose price and address are told, and which is named when it goes', async () => {
    expect(await planned(gateway(balanced))).toContain(
      'update load balancer of stoat-caddy ($12 a month at DigitalOcean)',
    )
    await settle(gateway(balanced))
    expect(await field('.status.loadBalancer.ingress[0].ip')).toBe(lab.kube.address)
    expect(await planned(gateway(balanced))).toEqual([])
    const shown = await lab.cliIn({ env: balanced }, 'output', 'dns_record')
    expect(shown.stdout.trim()).toBe(`${domain}. A ${lab.kube.address}`)
    expect(await planned(gateway(inside))).toContain(
      `remove load balancer of stoat-caddy, with its address ${lab.kube.address} [downtime]`,
    )
    await settle(gateway(inside))
    expect([await field('.spec.type'), await field('.status.loadBalancer')]).toEqual(['ClusterIP', '{}'])
    expect(await planned(gateway(inside))).toEqual([])
  })
}

/** The certificate that is served for the domain at the load balancer. */
const served = (host: string, ca: string): Promise<{ serial: string; issuer: string }> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port: 443, servername: domain, ca, timeout: 10_000 }, () => {
      const { serialNumber: serial, issuer } = socket.getPeerCertificate()
      socket.destroy()
      resolve({ serial, issuer: String(issuer.CN) })
    })
    socket.on('error', reject)
  })

/** Taken away, deployed again with the volumes that were kept, and reached at a domain with a certificate. */
export function againTests(lab: StoatLab, cloud: () => Cloud): void {
  const outside = () => ({ env: cloud().env, resolver: cloud().resolver })
  const keys = () => lab.inSpace('get secret stoat-secrets -o jsonpath={.data.encryption_key}')
  const claims = () => lab.inSpace('get persistentvolumeclaims -o name')
  const files = async () => {
    const words = ['exec', '-n', namespace, 'stoat-minio-0', '--', 'find', '/data/revolt-uploads', '-type', 'f']
    return (await lab.kube.kubectl(words)).stdout.trim().split('\n').sort()
  }
  const before = { key: '', claims: '', files: [] as string[] }

  it('shows what would go, and leaves the volumes and their keys', async () => {
    Object.assign(before, { key: await keys(), claims: await claims(), files: await files() })
    expect(before.files[0]).toMatch(/./)
    const shown = { code: 0, stdout: '' }
    expect(await lab.writesOf(async () => Object.assign(shown, await lab.cli('destroy', '--check')))).toBe(0)
    expect(shown.code).toBe(0)
    expect(shown.stdout).toMatch(/ - +stateful set stoat-mongodb +\(downtime\)/)
    expect(shown.stdout).toMatch(/volume data-stoat-mongodb-0 \(\w+\) is kept/)
    expect(shown.stdout).toMatch(/secret stoat-secrets is kept: without it the volumes cannot be read .*show-keys/)
    const asked = await lab.cli('destroy')
    expect([asked.code, asked.stderr]).toEqual([64, expect.stringContaining('--yes')])
    expect((await lab.cli('destroy', '--data', '--confirm', 'data-redis-0', '--yes')).code).toBe(64)
    const gone = await lab.cli('destroy', '--yes')
    expect(gone.code, gone.stderr).toBe(0)
    const left = await lab.inSpace('get deployments,statefulsets,services,jobs,configmaps -o name')
    expect(left.split('\n')).toEqual([
      'statefulset.apps/redis',
      'service/redis',
      'configmap/kube-root-ca.crt',
      'configmap/stoat-backup',
      'configmap/stoat-canary',
    ])
    expect([await keys(), await claims()]).toEqual([before.key, before.claims])
  })

  it('has nothing to take a second time', async () => {
    expect(await lab.writesOf(async () => expect((await lab.cli('destroy', '--yes')).code).toBe(0))).toBe(0)
  })

  describe('and in the hands of Terraform', () => adoptionTests(lab))

  it('comes back with its data, at its domain, with a certificate', async () => {
    const deployed = await lab.cliIn(outside(), 'deploy', '--yes', '--json')
    expect([deployed.code, redOf(deployed)], deployed.stderr).toEqual([0, {}])
    expect(findings(deployed)).toContainEqual(expect.objectContaining({ id: 'gateway.certificate', outcome: 'ok' }))
    expect([await keys(), await files()]).toEqual([before.key, before.files])
    expect(await lab.inDatabase('db.invites.countDocuments({ _id: "for-ana" })')).toBe('1')
    expect(cloud().account.addresses(domain)).toEqual([lab.kube.address])
  })

  it('keeps its certificate over a restart', async () => {
    const [first, orders] = [await served(lab.kube.address, cloud().root), await cloud().acme.orders()]
    expect(first.issuer).toMatch(/^Pebble Intermediate/)
    await lab.inSpace('delete pod -l app=stoat-caddy')
    await lab.inSpace('rollout status deployment/stoat-caddy --timeout=60s')
    const verified = await lab.cliIn(outside(), 'verify', '--json')
    expect([verified.code, redOf(verified)]).toEqual([0, {}])
    expect([await served(lab.kube.address, cloud().root), await cloud().acme.orders()]).toEqual([first, orders])
  })

  it('is told from one of an authority that nobody knows', async () => {
    const { STOAT_ACME_CA_FILE: _, ...env } = cloud().env
    const verified = await lab.cliIn({ ...outside(), env }, 'verify', '--json', '--only', 'gateway.certificate')
    expect([verified.code, redOf(verified)]).toEqual([
      3,
      { 'gateway.certificate': expect.objectContaining({ remedy: expect.stringContaining('STOAT_ACME_CA_FILE') }) },
    ])
  })
}

/** What a deployment has adopted is known as its own. */
export function adoptedTests(lab: StoatLab): void {
  it('goes with the rest when it is taken away, and the copy of what was there stays with the volumes', async () => {
    const { code, stdout } = await lab.cli('destroy', '--check')
    expect(code).toBe(0)
    expect(stdout).toMatch(/ - +service stoat-caddy +\(downtime\)/)
    expect(stdout).toContain('secret stoat-original is kept: it tells of the volumes')
    expect(stdout).not.toContain('had made it')
    const status = JSON.parse((await lab.cli('status', '--json')).stdout)
    const names = status.volumes.map(({ name }: { name: string }) => name)
    expect(names).toEqual(
      expect.arrayContaining(['data-stoat-mongodb-0', 'data-stoat-minio-0', 'data-stoat-rabbitmq-0']),
    )
  })
}

/** Records at the name that are somebody else's. */
export function recordTests(lab: StoatLab, cloud: () => Cloud): void {
  const zone = () => cloud().account.domains.get('example.com') ?? []
  const plan = async () => {
    const { env } = cloud()
    const { code, stdout, stderr } = await lab.cliIn({ env }, 'plan', '--tags', 'gateway')
    return { code, text: stdout + stderr }
  }

  it.each<[what: string, change: () => void, code: number, says: RegExp]>([
    [
      'another address is changed',
      () => Object.assign(zone()[0] ?? {}, { data: '198.51.100.9' }),
      0,
      /A record stoat\.example\.com 198\.51\.100\.9 → 10\.77/,
    ],
    [
      'several are refused',
      () => zone().push({ id: 9, type: 'A', name: 'stoat', data: '198.51.100.10', ttl: 300 }),
      1,
      /has 2 A records \(198\.51\.100\.9, 198\.51\.100\.10\), and only 10\.77\S+ is the load balancer/,
    ],
    [
      'an alias is refused',
      () => zone().splice(0, 2, { id: 9, type: 'CNAME', name: 'stoat', data: 'x.net.', ttl: 300 }),
      1,
      /is an alias of x\.net\./,
    ],
  ])('%s', async (_, change, code, says) => {
    change()
    const found = await plan()
    expect(found.text).toMatch(says)
    expect(found.code).toBe(code)
  })
}

/** An S3 outside of the cluster in the place of MinIO. */
export function externalStoreTests(lab: StoatLab, cloud: () => Cloud): void {
  it('is refused while MinIO has the files, with the way to move', async () => {
    const env = {
      STOAT_S3_ENDPOINT: 'https://s3.example.com',
      STOAT_S3_ACCESS_KEY_ID: secret('an-id'),
      STOAT_S3_SECRET_ACCESS_KEY: secret('the-secret-half-of-it'),
    }
    const failure = await failureOf(planned(lab.work(env, 'config')))
    expect(failure.message).toContain(
      'the files that were uploaded so far are in stoat-minio (volume data-stoat-minio-0)',
    )
    expect(failure.remedy).toContain('kubectl delete statefulset/stoat-minio service/stoat-minio')
  })

  it('keeps the files once MinIO was taken away', async () => {
    await lab.inSpace('delete statefulset/stoat-minio service/stoat-minio')
    const { env, folder } = await cloud().startS3()
    const place = { env: { ...cloud().env, STOAT_DNS_RECORD: 'false', ...env }, resolver: cloud().resolver }
    cloud().account.domains.set('example.com', [{ id: 10, type: 'A', name: 'stoat', data: lab.kube.address, ttl: 300 }])
    const deployed = await lab.cliIn(place, 'deploy', '--yes', '--json')
    // The canary file is among those that nobody has copied.
    expect([deployed.code, Object.keys(redOf(deployed))], deployed.stderr).toEqual([3, ['gateway.canary']])
    expect(deployed.stdout).toContain('are in bucket revolt-uploads at http://stoat-minio:9000: copy them')
    expect(await lab.inSpace('get statefulsets -o name')).not.toContain('minio')
    expect(await readdir(folder)).toContain('elsewhere')
    const smoke = await lab.cliIn(place, 'verify', '--smoke', '--only', 'smoke')
    expect(smoke.code, smoke.stderr + smoke.stdout).toBe(0)
    expect(await readdir(join(folder, 'elsewhere'), { recursive: true })).not.toEqual([])
    const { recipient, identity } = await newKeys(lab.folder, 'elsewhere.key')
    const keys = { STOAT_BACKUP_RECIPIENT: recipient, STOAT_BACKUP_IDENTITY_FILE: identity }
    const withKeys = { ...place, env: { ...place.env, ...keys } }
    const saved = await lab.cliIn(withKeys, 'backup', '--to', join(lab.folder, 'elsewhere.age'))
    expect(saved.code, saved.stderr).toBe(0)
    const drilled = await lab.cliIn(withKeys, 'drill')
    expect([drilled.code, drilled.stdout + drilled.stderr]).toEqual([0, expect.stringMatching(/files: [1-9]\d* of/)])
    expect((await readdir(folder)).filter((name) => name.includes('drill'))).toEqual([])
  })
}

/** All of it, on a deployment of plain HTTP that is only reached from inside. */
export function cloudTests(lab: StoatLab): void {
  let cloud: Cloud
  beforeAll(async () => {
    cloud = await startCloud(lab.kube)
  })
  afterAll(() => cloud?.stop())
  const of = () => cloud

  describe('its entrance', () => entranceTests(lab, of))
  describe('taken away and deployed again', () => againTests(lab, of))
  describe('adopted', () => adoptedTests(lab))
  describe('a DNS record of its name', () => recordTests(lab, of))
  describe('an S3 elsewhere', () => externalStoreTests(lab, of))
}
