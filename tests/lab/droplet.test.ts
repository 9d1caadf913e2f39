import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runChecks } from '@infra/shared/engine/check'
import type { Event } from '@infra/shared/engine/events'
import { isConverged, type Plan } from '@infra/shared/engine/plan'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dropletChecks } from '../../pod/checks/droplet.ts'
import { openPorts } from '../../pod/host/security.ts'
import { withEnvFile } from '../../pod/provision/env-file.ts'
import { launcher } from '../support/cli.ts'
import { DropletWorld, failureOf, heard, keyFingerprint, said } from './droplet-world.ts'
import { run, until } from './run.ts'

const root = join(import.meta.dirname, '../..')
let world: DropletWorld
beforeEach(async () => {
  world = await DropletWorld.start()
})
afterEach(() => world.stop())

const refusals = (plan: Plan) =>
  plan.steps.flatMap(({ decision }) =>
    decision?.kind === 'refused' ? [`${decision.reason} | ${decision.remedy}`] : [],
  )

describe('the contract', () => {
  it('makes all of it from nothing, and then nothing more', async () => {
    world.fake.bootMs = 150
    const of = world.context({ VALENCE_CLOUD_FIREWALL: true })
    const plan = await world.plan(of)
    expect(said(plan)).toEqual([
      `create ssh key sample@pod.example.com (${keyFingerprint}) in the account`,
      'create droplet valence-pod (s-2vcpu-4gb, nyc1, ubuntu-24-04-x64, ~$24/month)',
    ])
    expect(plan.steps.filter(({ unknown }) => unknown).map(({ step, pending }) => [step.id, pending])).toEqual([
      ['cloud firewall valence-pod', ['droplet valence-pod']],
      ['ssh of droplet valence-pod', ['droplet valence-pod']],
      ['A record pod.example.com', ['droplet valence-pod']],
      ['A record matrix.pod.example.com', ['droplet valence-pod']],
    ])
    expect(world.fake.writes()).toEqual([])

    const events: Event[] = []
    expect(await world.settle(of, events)).toBe(5)
    expect(heard(events)).toContain('status is new')
    expect(world.fake.droplets).toMatchObject([
      { name: 'valence-pod', size: 's-2vcpu-4gb', region: 'nyc1', keys: [keyFingerprint], tags: ['managed-by:infra'] },
    ])
    expect(world.fake.firewalls).toMatchObject([{ name: 'valence-pod', droplet_ids: [world.fake.droplets[0]?.id] }])
    const inbound = world.fake.firewalls[0]?.inbound_rules.map(({ ports }) => ports)
    expect(inbound).toEqual([world.port, ...openPorts].map(String))
    expect(inbound).toEqual(expect.arrayContaining(['80', '443', '8448']))
    expect(world.fake.addresses('pod.example.com')).toEqual(['127.0.0.1'])
    expect(world.fake.addresses('matrix.pod.example.com')).toEqual(['127.0.0.1'])
    expect(world.fake.addresses('www.example.com')).toEqual(['198.51.100.1'])

    const writes = world.fake.writes().length
    expect(isConverged(await world.plan(of))).toBe(true)
    expect(await world.settle(of)).toBe(0)
    expect(world.fake.writes()).toHaveLength(writes)
  })

  it('finds what was damaged, says it, and mends it', async () => {
    const of = world.context({ VALENCE_CLOUD_FIREWALL: true })
    await world.settle(of)
    const [droplet] = world.fake.droplets
    const [firewall] = world.fake.firewalls
    if (!droplet || !firewall) throw new Error('nothing was made')
    droplet.tags = ['mine']
    world.fake.keys.length = 0
    const other = world.fake.add({ name: 'other' })
    firewall.droplet_ids = [other.id]
    firewall.tags = ['web']
    firewall.inbound_rules = firewall.inbound_rules.filter(({ ports }) => ports !== '443')
    firewall.inbound_rules.push({ protocol: 'tcp', ports: '5432', sources: { addresses: ['0.0.0.0/0', '::/0'] } })
    const records = world.fake.domains.get('example.com') ?? []
    world.fake.domains.set(
      'example.com',
      records
        .filter(({ name }) => name !== 'matrix.pod')
        .map((record) => (record.name === 'pod' ? { ...record, data: '198.51.100.7', ttl: 60 } : record)),
    )
    expect(said(await world.plan(of))).toEqual([
      `create ssh key sample@pod.example.com (${keyFingerprint}) in the account`,
      'update tag managed-by:infra on droplet valence-pod',
      'update cloud firewall valence-pod: open tcp 443; close tcp 5432; stand before valence-pod',
      'update A record pod.example.com 198.51.100.7 → 127.0.0.1',
      'create A record matrix.pod.example.com → 127.0.0.1',
    ])
    await world.settle(of)
    expect(isConverged(await world.plan(of))).toBe(true)
    expect(droplet.tags).toEqual(['mine', 'managed-by:infra'])
    expect(firewall).toMatchObject({ droplet_ids: [other.id, droplet.id], tags: ['web'] })
    expect(world.fake.domains.get('example.com')?.find(({ name }) => name === 'pod')).toMatchObject({ ttl: 60 })
  })

  it('waits for ssh, and gives up in time', async () => {
    world.sshd.close()
    const failure = await failureOf(world.settle())
    expect(failure.message).toContain(`ssh does not answer on 127.0.0.1:${world.port}`)
    expect(said(await world.plan())[0]).toBe(`update wait for ssh on 127.0.0.1:${world.port} (ECONNREFUSED)`)
    await new Promise<void>((resolve) => world.sshd.listen(world.port, '127.0.0.1', resolve))
    await world.settle()
    expect(isConverged(await world.plan())).toBe(true)
  })
})

describe('adoption', () => {
  it('takes a droplet of the name as it is, and the key under its other name', async () => {
    const { id } = world.fake.add({ image: 'debian-12-x64', name: 'Valence-Pod' })
    world.fake.keys.push({ id: 9, name: 'laptop', public_key: 'ssh-ed25519 …', fingerprint: keyFingerprint })
    const of = world.context({ VALENCE_DOMAIN: 'pod.elsewhere.net' })
    const plan = await world.plan(of)
    expect(said(plan)).toEqual(['update tag managed-by:infra on droplet valence-pod'])
    await world.settle(of)
    const again = await world.plan(of)
    const reasons = again.steps.map(({ decision }) => (decision?.kind === 'converged' ? decision.because : decision))
    expect(reasons).toEqual([
      'in the account as laptop',
      '127.0.0.1, s-2vcpu-4gb, nyc1, from debian-12-x64 (a new one: ubuntu-24-04-x64)',
      `127.0.0.1:${world.port} answers`,
      'DigitalOcean has no zone of it: make the record A pod.elsewhere.net → 127.0.0.1',
      'DigitalOcean has no zone of it: make the record A matrix.pod.elsewhere.net → 127.0.0.1',
    ])
    expect(world.fake.droplets.map((droplet) => droplet.id)).toEqual([id])
    expect(world.fake.writes().map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v2/tags',
      'POST /v2/tags/managed-by:infra/resources',
    ])
  })

  it.each([
    [{ size: 's-1vcpu-1gb' }, 'is a s-1vcpu-1gb instead of a s-2vcpu-4gb', 'Set VALENCE_DROPLET_SIZE=s-1vcpu-1gb'],
    [{ region: 'fra1' }, 'is in fra1 instead of nyc1', 'Set VALENCE_DROPLET_REGION=fra1'],
    [{ status: 'off' as const }, 'is powered off', 'doctl compute droplet-action power-on'],
    [{ status: 'archive' as const }, 'is archive', 'control panel'],
  ])('refuses %o', async (droplet, reason, remedy) => {
    world.fake.add(droplet)
    const [refusal] = refusals(await world.plan())
    expect(refusal).toContain(reason)
    expect(refusal).toContain(remedy)
    expect((await failureOf(world.settle())).kind).toBe('error')
    expect(world.fake.writes()).toEqual([])
  })

  it('refuses two droplets of the name', async () => {
    world.fake.add({})
    world.fake.add({ status: 'new', active: Number.POSITIVE_INFINITY })
    expect(refusals(await world.plan())[0]).toMatch(
      /there are 2 droplets of the name valence-pod: \d+ \(127.0.0.1, active\), \d+ \(no address, new\)/,
    )
    const found: string[] = []
    await runChecks(dropletChecks(world.context()), (event) => {
      if (event.type === 'check') found.push(`${event.outcome} ${event.detail}`)
    })
    expect(found).toEqual(
      Array(4).fill(expect.stringMatching(/^fail .*there are 2 droplets .* \d+ \(no address, new\)$/)),
    )
  })

  it.each([
    [{ VALENCE_DROPLET_SIZE: 's-9vcpu-9gb' }, 'has no droplet size s-9vcpu-9gb'],
    [{ VALENCE_DROPLET_SIZE: 'g-2vcpu-8gb' }, 'does not offer g-2vcpu-8gb in nyc1 | It is offered in fra1'],
    [{ VALENCE_DROPLET_IMAGE: 'ubuntu-99-04-x64' }, 'has no image ubuntu-99-04-x64'],
  ])('refuses to make %o', async (more, reason) => {
    expect(refusals(await world.plan(world.context(more)))[0]).toContain(reason)
  })

  it.each([
    [[{ id: 5, type: 'CNAME', name: 'pod', data: 'other.example.net.', ttl: 60 }], 'is an alias of other.example.net.'],
    [
      ['198.51.100.7', '127.0.0.1'].map((data, id) => ({ id: 10 + id, type: 'A', name: 'pod', data, ttl: 60 })),
      'has 2 A records (198.51.100.7, 127.0.0.1)',
    ],
  ])('refuses a name that is used otherwise', async (records, reason) => {
    world.fake.add({ tags: ['managed-by:infra'] })
    world.fake.domains.get('example.com')?.push(...records)
    expect(refusals(await world.plan())[0]).toContain(reason)
  })

  it('takes the nearest zone, whose own name is @', async () => {
    world.fake.add({ tags: ['managed-by:infra'] })
    world.fake.domains.set('pod.example.com', [])
    await world.settle()
    expect(world.fake.domains.get('pod.example.com')).toMatchObject([
      { name: '@', data: '127.0.0.1' },
      { name: 'matrix', data: '127.0.0.1' },
    ])
    expect(world.fake.domains.get('example.com')).toHaveLength(2)
  })
})

describe('the address in .env.pod', () => {
  it('is written where it belongs, and corrected; the host key beside it stays', async () => {
    const key = await world.realSsh()
    const path = join(world.folder, '.env.pod')
    const before = "# mine\nexport VALENCE_POD_IP=your.droplet.ip # later\nexport OTHER='a b'\n"
    writeFileSync(path, before)
    const base = world.context()
    const of = { ...base, cloud: withEnvFile(base.cloud, path, join(world.folder, 'known_hosts')), envFile: '.env.pod' }
    await world.settle(of)
    const pinned = `export VALENCE_SSH_HOST_KEY="${key}"\n`
    expect(readFileSync(path, 'utf8')).toBe(before.replace('your.droplet.ip', '"127.0.0.1"') + pinned)
    expect(isConverged(await world.plan(of))).toBe(true)
    writeFileSync(path, `export OTHER=1\nVALENCE_SSH_HOST_KEY='${key} of mine'`)
    expect(said(await world.plan(of))).toEqual(['create VALENCE_POD_IP=127.0.0.1 in .env.pod'])
    await world.settle(of)
    expect(readFileSync(path, 'utf8')).toBe(
      `export OTHER=1\nVALENCE_SSH_HOST_KEY='${key} of mine'\nexport VALENCE_POD_IP="127.0.0.1"\n`,
    )
  })
})

describe('the host key of a new droplet', () => {
  it('that an earlier contact knows is noted, not the one that somebody shows now', async () => {
    await world.realSsh()
    const [path, known] = [join(world.folder, '.env.pod'), join(world.folder, 'known_hosts')]
    const earlier = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGbU3GZA2deOGdL6V9pXBatKlCIO1+ivwCV4xc2LXbjA'
    writeFileSync(known, `[127.0.0.1]:${world.port} ${earlier}\n`)
    const base = world.context()
    await world.settle({ ...base, cloud: withEnvFile(base.cloud, path, known), envFile: '.env.pod' })
    expect(readFileSync(path, 'utf8')).toContain(`export VALENCE_SSH_HOST_KEY="${earlier}"\n`)
  })

  it('that cannot be read is one clear error', async () => {
    const path = join(world.folder, '.env.pod')
    const base = world.context()
    const of = { ...base, cloud: withEnvFile(base.cloud, path, join(world.folder, 'known_hosts')), envFile: '.env.pod' }
    expect((await failureOf(world.settle(of))).message).toContain('the host key of 127.0.0.1 cannot be noted')
  })
})

describe('the checks', () => {
  it('give the line for .env.pod, and the records to make', async () => {
    const of = world.context({ VALENCE_DOMAIN: 'pod.elsewhere.net' })
    await world.settle(of)
    const found: string[] = []
    await runChecks(dropletChecks(of), (event) => {
      if (event.type === 'check') found.push(`${event.outcome} ${event.detail}`)
    })
    expect(found).toEqual([
      'ok export VALENCE_POD_IP="127.0.0.1"',
      'ok 127.0.0.1',
      'warn it has no address; make this record: A pod.elsewhere.net 127.0.0.1',
      'warn it has no address; make this record: A matrix.pod.elsewhere.net 127.0.0.1',
    ])
  })
})

describe('npm run provision', () => {
  const provision = (...args: string[]) =>
    run('npm', ['run', '--silent', 'provision', '-w', 'pod', '--', ...args], { cwd: root, env: world.settings() })

  it('checks without writing, makes, tells the address, and is quiet after', async () => {
    const check = await provision('--check', '--write-env')
    expect(check.code, check.stderr).toBe(0)
    expect(check.stdout).toContain('droplet valence-pod (s-2vcpu-4gb, nyc1, ubuntu-24-04-x64, ~$24/month)')
    expect(world.fake.writes()).toEqual([])

    const key = await world.realSsh()
    const made = await provision('--yes', '--write-env')
    expect(made.code, made.stderr).toBe(0)
    expect(made.stdout).toContain('export VALENCE_POD_IP="127.0.0.1"')
    expect(readFileSync(join(world.folder, '.env.pod'), 'utf8')).toBe(
      `export VALENCE_POD_IP="127.0.0.1"\nexport VALENCE_SSH_HOST_KEY="${key}"\n`,
    )

    const again = await provision('--yes', '-v')
    expect(again.stdout).toContain('nothing to change')
    for (const { stdout, stderr } of [check, made, again]) expect(stdout + stderr).not.toContain(world.fake.token)
  })

  it('killed while the droplet boots, goes on where it was', async () => {
    world.fake.bootMs = 6000
    const args = [launcher, 'provision/cli.ts', 'deploy', '--yes']
    const child: ChildProcess = spawn('node', args, {
      cwd: join(root, 'pod'),
      env: { ...process.env, ...world.settings() },
      stdio: 'ignore',
    })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await until('the droplet', 60_000, async () => world.fake.droplets[0])
    const argv = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')
    expect(argv).not.toContain(world.fake.token)
    child.kill('SIGKILL')
    await ended
    expect(said(await world.plan())).toContain('update droplet valence-pod new → active')
    const again = await provision('--yes')
    expect(again.code, again.stderr).toBe(0)
    expect(world.fake.droplets).toHaveLength(1)
    expect(isConverged(await world.plan())).toBe(true)
  })
})
