import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refusals } from '../unit/project/remedy.ts'
import { type DigitalOceanFake, startDigitalOcean } from './digitalocean-fake.ts'
import { type KubeLab, startKube } from './kube/kube.ts'
import { doctlPath } from './kube/programs.ts'
import { requireLab, title } from './prerequisites.ts'
import { run } from './run.ts'

const noDoctl = requireLab('doctl', 'kube')

/** The lines of doctl that refusals print, with a word in the place of each value. */
const remedies = [...refusals.values(), ['doctl compute droplet delete valence-pod']]
  .flat()
  .flatMap((text) =>
    [...text.replace(/\$\{(?:[^{}]|\{[^}]*\})*\}/g, 'x').matchAll(/(?<=doctl )(?:compute|kubernetes) [\w -]*\w/g)].map(
      ([line]) => line,
    ),
  )

describe.skipIf(noDoctl)(title('doctl and the account', noDoctl), () => {
  let fake: DigitalOceanFake
  let kube: KubeLab
  let folder: string
  let program: string

  const env = () => ({
    ...{ PATH: `${dirname(program)}:${kube.env.PATH}`, HOME: folder, XDG_CONFIG_HOME: folder },
    ...{ DIGITALOCEAN_ACCESS_TOKEN: fake.token, DIGITALOCEAN_API_URL: fake.endpoint },
    KUBECONFIG: join(folder, 'kubeconfig'),
  })
  const doctl = (...args: string[]) => run(program, args, { env: env() })
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await doctl(...args, '--output', 'json')
    if (code !== 0) throw new Error(stderr + stdout)
    return JSON.parse(stdout)
  }
  const create = (...more: string[]) => {
    const pool = ['--size', 's-2vcpu-4gb', '--count', '2', '--version', '1.36', '--region', 'tor1']
    return json('kubernetes', 'cluster', 'create', 'bots', ...pool, '--update-kubeconfig=false', ...more)
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'doctl-'))
    program = await doctlPath()
    kube = await startKube()
    fake = await startDigitalOcean()
    fake.backing = { server: kube.server, authority: await readFile(kube.authority, 'utf8'), token: kube.token }
  })
  afterAll(async () => {
    await fake?.stop()
    await kube?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('the lines of a remedy are ones that it has, with their flags', async () => {
    expect(remedies.length).toBeGreaterThan(12)
    for (const line of remedies) {
      const { code, stdout, stderr } = await doctl(...line.split(' '), '--help')
      expect([line, code, stderr]).toEqual([line, 0, ''])
      // Of a command that it does not know it shows those that it does.
      const [, usage = ''] = stdout.match(/^Usage:\n {2}doctl (.*)/m) ?? []
      expect(usage).not.toContain('[command]')
      expect(line).toContain(usage.replace(/ [<[].*/, ''))
    }
  })

  test('a cluster is made, waited for, found by its name', async () => {
    const versions = await json('kubernetes', 'options', 'versions')
    expect(versions[0]).toMatchObject({ slug: '1.36.3-do.0', kubernetes_version: '1.36.3' })
    fake.clusterMs = 500
    const [made] = await create('--tag', 'managed-by:infra', '--wait')
    expect(made).toMatchObject({ name: 'bots', version: '1.36.3-do.0', status: { state: 'running' }, ha: true })
    const [cluster] = await json('kubernetes', 'cluster', 'get', 'bots')
    expect(cluster).toMatchObject({ id: made.id, endpoint: kube.server, region: 'tor1' })
    expect(cluster.tags).toEqual(['managed-by:infra', 'k8s', `k8s:${made.id}`])
    expect(cluster.node_pools).toMatchObject([{ size: 's-2vcpu-4gb', count: 2 }])
    expect(fake.writes()).toMatchObject([{ method: 'POST', path: '/v2/kubernetes/clusters' }])
  })

  test('its kubeconfig holds no token: kubectl asks doctl for one, and the real cluster takes it', async () => {
    expect(await doctl('kubernetes', 'cluster', 'kubeconfig', 'save', 'bots')).toMatchObject({ code: 0 })
    const text = await readFile(join(folder, 'kubeconfig'), 'utf8')
    expect(text).toContain('exec-credential')
    expect(text).not.toContain(kube.token)
    const nodes = await run('kubectl', ['--context', 'do-tor1-bots', 'get', 'nodes', '-o', 'name'], { env: env() })
    expect(nodes).toMatchObject({ code: 0, stdout: `node/${kube.nodeName}\n` })
    expect(fake.calls().at(-1)?.path).toMatch(/\/credentials$/)
  })

  test('a list of many is read whole', async () => {
    for (let number = 0; number < 250; number++) fake.addCluster({ name: `c${number}` })
    expect(await json('kubernetes', 'cluster', 'list')).toHaveLength(251)
    fake.clusters.splice(1)
  })

  test('what the API refuses is told in its words', async () => {
    await expect(create('--version', '9.9')).rejects.toThrow('validation error: invalid version slug')
    await expect(create('--size', 'huge')).rejects.toThrow('validation error: invalid size slug')
    expect((await doctl('kubernetes', 'cluster', 'get', '11111111-2222-3333-4444-555555555555')).code).not.toBe(0)
    fake.fail(/clusters/, { status: 503 })
    const away = await doctl('kubernetes', 'cluster', 'list', '--http-retry-max', '0')
    expect(away.stderr + away.stdout).toContain('503')
    const wrong = await run(program, ['account', 'get'], {
      env: { ...env(), DIGITALOCEAN_ACCESS_TOKEN: 'dop_v1_wrong' },
    })
    expect(wrong.stderr + wrong.stdout).toContain('Unable to authenticate you')
  })

  test('it is deleted, and what it leaves behind is known before', async () => {
    fake.clusters[0]?.left.volumes.push({ id: 'v1', name: 'pvc-1' })
    const id = fake.clusters[0]?.id ?? ''
    const left = await json('kubernetes', 'cluster', 'list-associated-resources', id)
    expect(JSON.stringify(left)).toContain('pvc-1')
    expect(await doctl('kubernetes', 'cluster', 'delete', id, '--force')).toMatchObject({ code: 0 })
    expect(fake.clusters).toEqual([])
  })
})
