import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type CliResult, runCli } from '../support/cli.ts'
import { sampleArguments } from './aws-lab.ts'
import { clusterSettings } from './cluster-settings.ts'
import { type DigitalOceanFake, startDigitalOcean } from './digitalocean-fake.ts'
import { doctlPath } from './kube/programs.ts'
import { type Moto, startMoto } from './moto.ts'
import { requireLab, title } from './prerequisites.ts'
import { must, run } from './run.ts'

const cluster = 'discord-bot-cluster'
const serverToken = 'dop_v1_of-the-api-server-0123456789'
const kubeconfigOfUser = `apiVersion: v1
kind: Config
current-context: mine
contexts: [{ name: mine, context: { cluster: mine, user: mine } }]
clusters: [{ name: mine, cluster: { server: 'https://203.0.113.30' } }]
users: [{ name: mine, user: { token: of-the-user } }]
`
const pool = {
  ...{ id: 'p', name: 'pool', size: 's-2vcpu-4gb', count: 2, tags: [], labels: null },
  ...{ auto_scale: false, min_nodes: 0, max_nodes: 0 },
}
/** What a cluster is when nobody has changed anything. */
const asDesired = { auto_upgrade: true, pools: [{ ...pool, size: 's-4vcpu-8gb' }] }
const skip = requireLab('doctl', 'moto')
describe.skipIf(skip)(title('the DOKS cluster, by dots and doctl', skip), () => {
  let bin: string
  let moto: Moto
  let fake: DigitalOceanFake
  let root: string
  let home: string

  beforeAll(async () => {
    bin = join(await doctlPath(), '..')
    moto = await startMoto() // who we are at AWS is told in the head of every plan
  })
  afterAll(() => moto?.stop())
  beforeEach(async () => {
    fake = await startDigitalOcean()
    fake.backing = { server: 'https://203.0.113.20', authority: 'none', token: serverToken }
    root = mkdtempSync(join(tmpdir(), 'doks-'))
    home = join(root, 'home')
    // What the user has: a kubeconfig, and a doctl that is signed in elsewhere.
    await must('sh', ['-c', 'mkdir -p "$1/.kube" "$1/.config/doctl"', 'sh', home])
    writeFileSync(join(home, '.kube/config'), kubeconfigOfUser)
    writeFileSync(join(home, '.config/doctl/config.yaml'), 'access-token: dop_v1_of_somebody_else\ncontext: other\n')
  })
  afterEach(async () => {
    await fake.stop()
    rmSync(root, { recursive: true, force: true })
  })

  /** Runs the real command line on the first script only. */
  const cli = (
    command: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string | undefined>> = {},
    first: readonly string[] = ['--tags', 'kubernetes'],
  ) => {
    const aws = { ...clusterSettings, AWS_SESSION_TOKEN: '' }
    const none = { XDG_CONFIG_HOME: undefined, KUBECONFIG: undefined, DIGITALOCEAN_ACCESS_TOKEN: undefined }
    const cloud = { DIGITALOCEAN_TOKEN: fake.token, DIGITALOCEAN_API_URL: fake.endpoint, DO_CLUSTER_NAME: cluster }
    const path = { HOME: home, PATH: `${bin}${delimiter}${moto.env.PATH}` }
    return runCli('cluster', [command, ...first, ...args], {
      root,
      env: { ...moto.env, ...aws, ...none, ...cloud, ...path, ...env },
    })
  }
  const file = () => join(root, '.infra/kubeconfig-discord-bot-cluster')
  const good = ({ code, stdout, stderr }: CliResult) =>
    expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' })
  const left = () => [readFileSync(join(home, '.kube/config'), 'utf8'), readdirSync(join(home, '.config/doctl'))]

  it('is not made without --create: refused with its price', async () => {
    for (const command of ['plan', 'deploy']) {
      const { code, stderr } = await cli(command, command === 'deploy' ? ['--yes'] : [])
      expect(code).toBe(1)
      expect(stderr).toContain('there is no Kubernetes cluster discord-bot-cluster, and a new one costs ~$96/month')
      expect(stderr).toContain('-- --create')
    }
    expect(fake.writes()).toEqual([])
    expect(existsSync(file())).toBe(false)
  })

  it('is made with --create, waited for, and signed in to by doctl; then nothing is left to do', async () => {
    fake.clusterMs = 3000
    const before = left()
    const seen = sampleArguments()
    fake.whenAsked = seen.sample
    const made = await cli('deploy', ['--create', '--yes', '-v'])
    good(made)
    expect(made.stdout).toContain('2 × s-4vcpu-8gb, tor1, latest, upgrades itself, ~$96/month')
    expect(made.stderr).toContain('state is provisioning')
    expect(fake.clusters).toMatchObject([
      { name: 'discord-bot-cluster', version: '1.36.3-do.0', tags: ['managed-by:infra'], pools: [{ count: 2 }] },
    ])
    const text = readFileSync(file(), 'utf8')
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(text).toContain('exec-credential')
    expect(text).not.toContain(serverToken)
    expect(readdirSync(join(root, '.infra')).filter((name) => name.startsWith('.kubeconfig'))).toEqual([])
    expect(left()).toEqual(before)

    const writes = fake.writes().length
    const again = await cli('deploy', ['--yes'])
    good(again)
    expect(again.stderr).toContain('nothing changed')
    expect(fake.writes()).toHaveLength(writes)
    expect((await cli('verify')).stdout).toContain('2 passed')

    const said = [made, again].map(({ stdout, stderr }) => stdout + stderr).join('')
    const logs = await must('sh', ['-c', 'cat "$1"/.infra/runs/*', 'sh', root])
    const args = await seen.stop()
    for (const hidden of [fake.token, serverToken]) {
      expect(args.filter((line) => line.includes(hidden))).toEqual([])
      expect(said + logs).not.toContain(hidden)
    }
    expect(args.some((line) => line.includes('kubeconfig save'))).toBe(true)
  })

  it('gives kubectl a token that ends, and tells when', async () => {
    fake.addCluster(asDesired)
    good(await cli('deploy', ['--yes']))
    const id = fake.clusters[0]?.id ?? ''
    const doctl = { DIGITALOCEAN_ACCESS_TOKEN: fake.token, DIGITALOCEAN_API_URL: fake.endpoint }
    const folder = join(root, '.infra/doctl')
    const { stdout } = await run(
      'doctl',
      ['kubernetes', 'cluster', 'kubeconfig', 'exec-credential', '--version=v1beta1', id],
      {
        env: { ...doctl, HOME: home, XDG_CONFIG_HOME: folder, PATH: `${bin}${delimiter}${process.env.PATH}` },
      },
    )
    expect(JSON.parse(stdout)).toMatchObject({ status: { token: serverToken } })
    const verified = await cli('verify', ['-v'])
    good(verified)
    expect(verified.stdout).toMatch(/renewed by doctl; the token of now ends 20\d\d-/)
    expect(verified.stdout).not.toContain(serverToken)
  })

  it('is used as it is when it is there: differences are told, nothing is changed', async () => {
    fake.addCluster({ ...asDesired, name: 'other' })
    fake.addCluster({ auto_upgrade: true, region: 'fra1', pools: [{ ...pool, count: 3 }] })
    const plan = await cli('plan', ['-v', '--create'])
    good(plan)
    expect(plan.stdout).toContain('left as it is: 3 × s-2vcpu-4gb instead of 2 × s-4vcpu-8gb, in fra1 instead of tor1')
    good(await cli('deploy', ['--yes']))
    expect(fake.writes()).toEqual([])
    expect(readFileSync(file(), 'utf8')).toContain(fake.clusters[1]?.id)
    const { stdout } = await cli('verify')
    expect(stdout).toContain('3 × s-2vcpu-4gb instead of 2 × s-4vcpu-8gb')
    expect(stdout).toContain('1 warned')

    // Somebody opened the file, or it leads elsewhere.
    chmodSync(file(), 0o644)
    expect((await cli('plan')).stdout).toContain('-rw-r--r-- → -rw-------')
    writeFileSync(
      file(),
      readFileSync(file(), 'utf8').replaceAll(fake.clusters[1]?.id ?? '', fake.clusters[0]?.id ?? ''),
    )
    good(await cli('deploy', ['--yes']))
    expect(readFileSync(file(), 'utf8')).toContain(`- ${fake.clusters[1]?.id}`)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
  })

  it('is not asked for twice when the answer is lost', async () => {
    fake.fail(/POST .*clusters/, { status: 504, done: true })
    const lost = await cli('deploy', ['--create', '--yes'])
    expect(lost.code).toBe(4)
    expect(lost.stderr).toContain('may or may not have been done')
    good(await cli('deploy', ['--create', '--yes']))
    expect(fake.clusters).toHaveLength(1)
  })

  it('that is there is looked into from a machine that has no kubeconfig yet: its plan is of what is in there', async () => {
    const made = fake.addCluster(asDesired)
    const { code, stdout, stderr } = await cli('plan')
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('kubernetes do-tor1-discord-bot-') })
    expect(stdout).not.toContain('+  .infra/kubeconfig')
    expect(readFileSync(file(), 'utf8')).toContain(`- ${made.id}`)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(fake.writes()).toEqual([])
  })

  it('is not mistaken for one of its name in another account, by no command', async () => {
    const other = await startDigitalOcean()
    try {
      fake.addCluster(asDesired)
      const theirs = other.addCluster(asDesired)
      good(await cli('deploy', ['--yes']))
      const staging = { DIGITALOCEAN_TOKEN: other.token, DIGITALOCEAN_API_URL: other.endpoint }
      const plain = (command: string, ...args: string[]) => cli(command, args, staging, [])
      const wrong = '.infra/kubeconfig-discord-bot-cluster leads to another cluster than discord-bot-cluster'
      for (const [command, ...args] of [
        ['restart', '--yes'],
        ['logs', 'bot'],
        ['destroy', '--yes'],
        ['unlock', '--yes'],
      ]) {
        const { code, stdout, stderr } = await plain(command ?? '', ...args)
        expect([command, code, stdout]).toEqual([command, 1, ''])
        expect(stderr).toMatch(/kubeconfig-discord-bot-cluster leads to another cluster than/)
      }
      const { pods, workloads } = JSON.parse((await plain('status', '--json')).stdout)
      expect([pods.error, workloads.error]).toEqual(Array(2).fill(expect.stringContaining(wrong)))
      expect((await plain('output', 'cluster_endpoint')).stderr).toContain(wrong)
      expect((await cli('plan', [], staging)).stdout).toContain(`${file().slice(root.length + 1)}: another cluster →`)
      expect([...fake.writes(), ...other.writes()]).toEqual([])

      // An environment has a kubeconfig of its own.
      const lines = Object.entries({ ...clusterSettings, ...staging }).map(([name, value]) => `${name}=${value}\n`)
      writeFileSync(join(root, '.env.cluster.staging'), lines.join(''), { mode: 0o600 })
      const before = readFileSync(file(), 'utf8')
      good(await cli('deploy', ['--env', 'staging', '--yes'], staging))
      const own = join(root, '.infra/environments/staging')
      expect(readFileSync(join(own, 'kubeconfig-discord-bot-cluster'), 'utf8')).toContain(`- ${theirs.id}`)
      expect(readFileSync(file(), 'utf8')).toBe(before)
    } finally {
      await other.stop()
    }
  })

  it('is nobody’s business where another cluster is named, and needs doctl otherwise', async () => {
    const elsewhere = await cli('plan', [], { KUBECONFIG: join(home, '.kube/config'), KUBE_CONTEXT: 'mine' })
    good(elsewhere)
    expect(fake.calls()).toEqual([])
    fake.addCluster(asDesired)
    const node = join(process.execPath, '..')
    const bare = await cli('plan', [], { PATH: [node, '/usr/bin', '/bin'].join(delimiter) })
    expect(bare.code).toBe(1)
    expect(bare.stderr).toContain('doctl is not installed')
    expect(bare.stderr).toContain('brew install doctl')
    const wrong = await cli('plan', [], { DIGITALOCEAN_TOKEN: 'dop_v1_wrong_wrong_wrong' })
    expect([wrong.code, wrong.stderr]).toEqual([4, expect.stringContaining('does not accept DIGITALOCEAN_TOKEN')])
  })
})
