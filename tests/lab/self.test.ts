import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launcher } from '../support/cli.ts'
import { tempFolder } from '../support/temp.ts'
import { claudeInstaller } from './claude-installer.ts'
import { diffFingerprints, fingerprintDump } from './fingerprint.ts'
import { gitServer } from './git-server.ts'
import { bootHost, type LabHost } from './host.ts'
import { endHost, runningHosts, takeLease } from './lease.ts'
import { parseMirrors } from './machine.ts'
import { startMoto } from './moto.ts'
import { requireLab, title } from './prerequisites.ts'
import { run, until } from './run.ts'
import { savedState } from './states.ts'
import { leftInTheEnd, leftOf, tracesOf } from './traces.ts'

const noHost = requireLab('host')
const noGit = requireLab('host', 'git', 'git-ssh')
const noMoto = requireLab('moto')
const minutes = 60_000

test('the mirrors come from the machine where it is Debian, else from LAB_MIRROR', () => {
  const own = 'http://mirror.example/debian/ trixie\nhttps://mirror.example/debian-security/ trixie-security\n'
  expect(parseMirrors(own)).toEqual({
    archive: 'http://mirror.example/debian',
    security: 'https://mirror.example/debian-security',
  })
  const other = 'http://mirror.example/ubuntu/ noble\n'
  expect(() => parseMirrors(other)).toThrow('LAB_MIRROR')
  expect(parseMirrors(other, 'http://mirror.example/debian').security).toBe('http://mirror.example/debian-security')
})

test('a dump is told by its objects, not by its random lines', () => {
  const dump = (token: string) =>
    `\\restrict ${token}\n-- Name: a; Type: TABLE\nCREATE TABLE a;\n\\unrestrict ${token}\n`
  expect(diffFingerprints(fingerprintDump(dump('x')), fingerprintDump(dump('y')))).toEqual([])
  expect([...fingerprintDump(dump('x')).keys()]).toContain('postgresql:cluster:Name: a; Type: TABLE')
})

test('two clean-ups of a host may come at once: the late one leaves the next host of its number alone', async () => {
  const folder = tempFolder()
  const lease = join(folder, 'hosts/999')
  const give = async (token: string) => {
    await mkdir(lease, { recursive: true })
    await writeFile(join(lease, 'token'), token)
  }
  await give('first')
  await mkdir(join(folder, 'hosts/998'))
  const early = spawn('flock', [lease, 'cat'], { stdio: ['pipe', 'ignore', 'inherit'] })
  const isFree = async () => (await run('flock', ['-n', lease, 'true'])).code === 0
  await until('the early one to be at work', minutes, async () => !(await isFree()) || undefined)
  const late = spawn('sh', [fileURLToPath(new URL('cleanup.sh', import.meta.url)), lease, 'first'])
  const ended = new Promise((resolve) => late.once('close', resolve))
  const waits = async () => (await run('pgrep', ['-x', 'flock', '-P', String(late.pid)])).code === 0
  await until('the late one', minutes, async () => late.exitCode !== null || (await waits()) || undefined)
  await rename(lease, join(folder, 'gone'))
  await give('next')
  early.stdin.end()
  expect(await ended).toBe(0)
  expect(await readFile(join(lease, 'token'), 'utf8')).toBe('next')
})

test.skipIf(noHost)('numbers go round: none is given again at once, however many are taken together', async () => {
  const given: number[] = []
  const takeSome = async () => {
    for (let at = 0; at < 4; at++) {
      const lease = await takeLease()
      given.push(lease.number)
      await lease.release()
    }
  }
  await Promise.all([takeSome(), takeSome(), takeSome(), takeSome()])
  expect(new Set(given).size, given.join(' ')).toBe(16)
})

describe.skipIf(noHost)(title('a lab host', noHost), () => {
  let host: LabHost
  let folder: string
  let options: string[]
  const ssh = (command: string, user = 'root', ...more: string[]) =>
    run('ssh', [...more, ...options, `${user}@${host.address}`, command])
  /** What ssh says where it need not wait for long. */
  const unreachable = async () => (await ssh('true', 'root', '-o', 'ConnectTimeout=3')).stderr

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lab-self-'))
    host = await bootHost({ user: 'admin', cloudInit: true, diskMb: 500 })
    const plain = ['-F', 'none', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=60', '-o', 'LogLevel=ERROR']
    const known = ['-o', 'StrictHostKeyChecking=accept-new', '-o', `UserKnownHostsFile=${join(folder, 'known_hosts')}`]
    options = [...plain, ...known, '-i', host.keyFile]
  })
  afterAll(async () => {
    await host?.destroy()
    await rm(folder, { recursive: true, force: true })
  })

  test('is bare, up, and lets its key in', async () => {
    expect(await ssh('id -un; systemctl is-system-running; command -v python3')).toMatchObject({
      // Root's .bashrc greets, as that of somebody's host may.
      stdout: 'welcome to pod\nroot\nrunning\n',
    })
    expect((await ssh('sudo -n id -un', 'admin')).stdout).toBe('root\n')
    expect((await ssh('sshd -T | grep ^passwordauth')).stdout).toMatch(/^passwordauthentication yes$/m)
    expect((await host.exec('id -un; cat', 'admin')).stdout).toBe('admin\n')
    expect((await host.exec('echo no >&2; exit 7')).code).toBe(7)
  })

  test('latency is felt', async () => {
    // A busy machine makes a handshake slower, never quicker: one below the delay shows that there is none.
    const isQuick = async () => ((await handshake(host.address)) < 59 ? true : undefined)
    await until('a handshake without delay', 60_000, isQuick)
    await host.latency(60)
    for (let at = 0; at < 5; at++) expect(await handshake(host.address)).toBeGreaterThanOrEqual(59)
    await host.latency(0)
    await until('a handshake without delay again', 60_000, isQuick)
  })

  test('a partition swallows packets, and heals', async () => {
    await host.partition()
    expect(await unreachable()).toContain('timed out')
    await host.heal()
    expect((await ssh('true')).code).toBe(0)
  })

  test('its fingerprint stands still and sees a change', async () => {
    const before = await host.fingerprint()
    await ssh('cat /etc/passwd >/dev/null')
    expect(diffFingerprints(before, await host.fingerprint())).toEqual([])
    await host.exec('echo a >/etc/new; chmod 600 /etc/motd; ln -sf nowhere /etc/mtab; echo "# x" >>/etc/profile')
    const seen = diffFingerprints(before, await host.fingerprint()).map((line) => line.split(':')[0])
    expect(seen).toEqual(['~ etc/motd', '~ etc/mtab', '+ etc/new', '~ etc/profile'])
  })

  test('its disk fills and empties', async () => {
    await host.fillDisk(64)
    expect((await host.exec('head -c 1000000 /dev/zero >/var/big')).stderr).toContain('No space left')
    await host.freeDisk()
    expect((await host.exec('head -c 1000000 /dev/zero >/var/big')).code).toBe(0)
  })

  test('it goes off and on again', async () => {
    await host.powerOff()
    expect(await unreachable()).toContain('timed out')
    expect(host.leaderPid()).toBe(0)
    await host.powerOn()
    expect((await ssh('cat /etc/new')).stdout).toBe('welcome to pod\na\n')
  })

  test('two more boot side by side, one from its saved state', async () => {
    const recipe = { at: Date.now() }
    await host.save({ name: 'self', recipe })
    const from = await savedState('self', recipe)
    expect(from).toBeDefined()
    const others = await Promise.all([bootHost(from === undefined ? {} : { from }), bootHost({ release: 'bookworm' })])
    const [clone, old] = others
    expect((await clone.exec('cat /etc/new; hostname')).stdout).toBe('a\npod\n')
    expect((await old.exec('. /etc/os-release; echo $VERSION_CODENAME')).stdout).toBe('bookworm\n')
    await Promise.all(others.map((other) => other.destroy()))
    for (const layer of from?.layers.slice(0, 1) ?? []) await rm(join(layer, '..'), { recursive: true })
    await host.powerOn()
  })

  test('one whose owner was killed goes by itself, one that is kept stays until it is ended', async () => {
    const isThere = async (number: number) => (await runningHosts()).includes(number)
    const started = async (keep: string) => {
      const script = fileURLToPath(new URL('boot-and-wait.ts', import.meta.url))
      const child = spawn(process.execPath, [launcher, script, keep], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const line = await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve))
      const number = Number(line.toString())
      expect(await isThere(number)).toBe(true)
      const traces = await tracesOf(number)
      child.kill('SIGKILL')
      return traces
    }
    const [lost, kept] = await Promise.all([started('no'), started('keep')])
    expect(await leftInTheEnd(lost)).toEqual([])
    expect(await isThere(kept.number)).toBe(true)
    expect(await leftOf(kept)).toContainEqual(expect.stringMatching(/^process \d+: systemd-nspawn/))
    await endHost(kept.number)
    expect(await leftOf(kept)).toEqual([])
  })

  describe.skipIf(noGit)(title('and the servers it reaches', noGit), () => {
    test('git: in public, with a token, with a deploy key; nothing without; the installer', async () => {
      const git = await gitServer({ hosts: [host], ssh: true })
      const claude = await claudeInstaller([host])
      try {
        const install =
          'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends'
        const installed = await host.exec(`${install} git curl >/dev/null`)
        expect(installed).toMatchObject({ code: 0 })
        const clone = (url: string, env = '') =>
          host.exec(`rm -rf /opt/v; ${env} GIT_TERMINAL_PROMPT=0 git clone -q --branch v1.0.1 ${url} /opt/v &&
            git -C /opt/v rev-parse HEAD && grep -c 'CREATE TABLE IF NOT EXISTS' /opt/v/src/valence/substrate/schema.sql`)
        const right = { code: 0, stdout: `${git.commits['v1.0.1']}\n11\n` }
        expect(await clone(git.publicUrl)).toMatchObject(right)
        expect((await clone(git.privateUrl)).code).not.toBe(0)
        expect(git.requests().at(-1)).toMatchObject({ method: 'GET', authorized: false })
        expect(await clone(git.privateUrl.replace('://', `://x:${git.token}@`))).toMatchObject(right)
        expect(git.requests().at(-1)).toMatchObject({ method: 'POST', authorized: true })

        await writeFile(join(host.root, 'root/deploy'), await readFile(git.ssh?.keyFile ?? ''), { mode: 0o600 })
        await writeFile(join(host.root, 'root/known'), `${git.ssh?.knownHosts}\n`)
        const key = 'ssh -i /root/deploy -o UserKnownHostsFile=/root/known -o BatchMode=yes'
        expect(await clone(git.ssh?.url ?? '', `GIT_SSH_COMMAND='${key}'`)).toMatchObject(right)
        const shell = await host.exec(`${key} -p 8419 root@lab.internal id`)
        expect(shell).toMatchObject({ code: 1, stdout: '' })

        const claudeRun = await host.exec(`curl -fsSL ${claude.url} | bash && ~/.local/bin/claude --version`)
        expect(claudeRun.stdout).toContain('Claude Code)')
        expect(claude.requests()).toEqual(['/install.sh'])
      } finally {
        await git.stop()
        await claude.stop()
      }
    })
  })
})

describe.skipIf(noMoto)(title('moto', noMoto), () => {
  test('answers the aws CLI, tells what was written, forgets on reset', async () => {
    const moto = await startMoto()
    try {
      const aws = (...args: string[]) => run('aws', [...args, '--output', 'json'], { env: moto.env })
      const attribute = ['--attribute-definitions', 'AttributeName=id,AttributeType=S']
      const key = ['--key-schema', 'AttributeName=id,KeyType=HASH', '--billing-mode', 'PAY_PER_REQUEST']
      expect(await aws('dynamodb', 'create-table', '--table-name', 't', ...attribute, ...key)).toMatchObject({
        code: 0,
      })
      expect(JSON.parse((await aws('dynamodb', 'list-tables')).stdout)).toEqual({ TableNames: ['t'] })
      const asked = moto.requests().map(({ operation, writes }) => `${operation.split('.').at(-1)} ${writes}`)
      expect(asked).toEqual(['CreateTable true', 'ListTables false'])
      await moto.reset()
      expect(moto.requests()).toEqual([])
      expect(JSON.parse((await aws('dynamodb', 'list-tables')).stdout)).toEqual({ TableNames: [] })
    } finally {
      await moto.stop()
    }
  })
})

function handshake(address: string): Promise<number> {
  const start = performance.now()
  return new Promise((resolve, reject) => {
    const socket = connect(22, address, () => {
      socket.destroy()
      resolve(performance.now() - start)
    })
    socket.once('error', reject)
  })
}
