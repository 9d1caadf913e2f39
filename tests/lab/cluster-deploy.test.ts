import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliResult, runAtRoot, runCli, startCli } from '../support/cli.ts'
import { clusterSettings } from './cluster-settings.ts'
import { type EnvironSpies, spyOn } from './environ-spies.ts'
import { expectEnd } from './page-line-runs.ts'
import { onCluster, typed } from './page-lines.ts'
import { untruths } from './plan-truth.ts'
import { lastLog } from './pod-probes.ts'
import { requireLab, title } from './prerequisites.ts'
import type { ClusterWorld } from './rehearse-cluster.ts'
import { openStoat, stoatRehearsal } from './rehearse-stoat.ts'
import { run, until } from './run.ts'

const skip = requireLab(...stoatRehearsal.needs)

/** Of each process of a bot that this user has: whether it may write to the root of its image. */
function botProcesses(uid: string): string[] {
  return readdirSync('/proc').flatMap((id) => {
    try {
      const read = (name: string) => readFileSync(`/proc/${id}/${name}`, 'utf8')
      if (read('cmdline') !== '/bot\0' || !read('status').includes(`\nUid:\t${uid}\t`)) return []
      return /^\S+ \S+ \S+ \S+ \/ (r[ow])/m.exec(read('mountinfo'))?.[1] ?? []
    } catch {
      return []
    }
  })
}

describe.skipIf(skip)(title('the cluster by its command line, from nothing to nothing', skip), () => {
  let world: ClusterWorld
  let spies: EnvironSpies
  /** Exported in the terminal, and nobody's business here. */
  const marker = 'of-somebody-elses-work'
  const password = 'q7Xw-2mKp_9vTz.LhB4'
  const env = () => ({ ...world.env, PATH: `${spies.bin}:${world.env?.PATH}`, SOME_API_KEY: marker })
  const options = () => ({ root: world.root, env: env() })
  const cli = (...args: string[]) => runCli('cluster', args, options())
  const good = (result: CliResult): string => {
    expect(result.code, result.stdout + result.stderr).toBe(0)
    return result.stdout
  }

  /** Runs a command of all workspaces, as it is typed at the root. */
  const atRoot = async (command: string, ...words: string[]) => {
    const result = await runAtRoot(command, words, options())
    good(result)
    return result.stdout + result.stderr
  }

  beforeAll(async () => {
    world = await openStoat()
    spies = await spyOn(['kubectl', 'aws', 'doctl', 'buildah'], world.root, world.env?.PATH ?? '')
    // Of both, from nothing: what Stoat needs of the cluster is made in the same run.
    const shown = await atRoot('plan', '--create')
    expect(shown).toMatch(/\n {2}~\S? {1,2}redis, after cluster/)
    expect(shown).toMatch(/^pod {2,}not configured, skipped/m)
    // In another order than the scripts': one that lacks an edge between two steps fails here.
    const words = ['deploy', '--create', '--yes', '--skip-verification']
    good(await runCli('cluster', words, { ...options(), shuffle: 'last' }))
    // What was announced is what was made.
    expect(untruths(await lastLog(world))).toEqual([])
  })
  afterAll(() => world?.close())

  it('finds nothing to do afterwards, and all that verify looks at in order', async () => {
    expect((await cli('deploy', '--yes')).stderr).toContain('nothing changed')
    const verified = good(await cli('verify'))
    expect(verified).toMatch(/\n\S*cluster: \d+ passed {2}/)
    expect(good(await cli('output', 'cluster_endpoint'))).toMatch(/^https:\/\/10\.77\.\d+\.2:6443\n$/)
  })

  it('builds and rolls out in one deploy what was edited, as its plan says', async () => {
    const image = async () => {
      const path = 'jsonpath={.spec.template.spec.containers[0].image}'
      return (await world.kube.kubectl(['get', 'deployment/discord-bot', '-n', 'discord-bot', '-o', path])).stdout
    }
    const before = await image()
    await appendFile(join(world.botContext, 'Dockerfile'), 'LABEL release=2\n')
    const shown = good(await cli('plan'))
    expect(shown).toMatch(/\+ {2}image discord-bot:[0-9a-f]{16} \(buildah/)
    expect(shown).toMatch(
      /~\? deployment discord-bot: its new image {2}\(restart\)\n *~\? deployment discord-bot rolled out/,
    )
    good(await cli('deploy', '--yes', '--skip-verification'))
    expect(untruths(await lastLog(world))).toEqual([])
    const now = await image()
    expect([now === before, now.replace(/@.*/, '')]).toEqual([false, before.replace(/@.*/, '')])
    expect((await cli('deploy', '--yes')).stderr).toContain('nothing changed')
  })

  it('knows itself who deployed what, from which commit', async () => {
    const past = JSON.parse(good(await cli('history', '--json')))
    expect(past.at(-1)).toEqual({
      at: expect.stringMatching(/Z$/),
      what: 'deploy cluster',
      by: expect.stringMatching(/^\S+@\S+ pid \d+$/),
      commit: expect.stringMatching(/^[0-9a-f]{12}$/),
      result: expect.stringMatching(/^\d+ changes? made$/),
    })
    expect(past.map(({ what }: { what: string }) => what)).toContain('deploy cluster')
    const count = past.length
    good(await cli('deploy', '--yes'))
    expect(JSON.parse(good(await cli('history', '--json')))).toHaveLength(count)
  })

  it('shows what runs: pods, images, logs', async () => {
    const status = JSON.parse(good(await cli('status', '--json')))
    expect(status.workloads.map(({ name, ready }: Record<string, string>) => `${name} ${ready}`).sort()).toEqual([
      'deployment/dev-sandbox 1/1',
      'deployment/discord-bot 1/1',
      'statefulset/redis 1/1',
    ])
    expect(good(await cli('images'))).toMatch(/discord-bot +[0-9a-f]{16} latest +sha256:[0-9a-f]{12} .* discord-bot-/)
    expect(good(await cli('logs', 'redis'))).toContain('Ready to accept connections')
    const wrong = await cli('logs', 'boot')
    expect([wrong.code, wrong.stderr]).toEqual([64, expect.stringContaining('Did you mean bot?')])
    expect(
      good(await cli('logs', 'redis', '--since', '1h', '-n', '1'))
        .trim()
        .split('\n'),
    ).toHaveLength(1)
    expect((await cli('logs', 'redis', '--previous')).stderr).toContain('Has it ever been restarted?')
  })

  it('follows logs until Ctrl-C, and leaves nothing behind', async () => {
    const run = startCli('cluster', ['logs', 'redis', '-f'], options())
    await until('the first line', 30_000, async () => (run.said().includes('Ready to accept') ? true : undefined))
    run.kill('SIGINT')
    expect((await run.ended).code).toBe(130)
  })

  it('restarts one part when it is agreed to', async () => {
    const before = JSON.parse(good(await cli('status', '--json'))).pods
    expect((await cli('restart', 'bot')).code).toBe(64) // nobody can be asked
    const restarted = await cli('restart', 'bot', '--yes')
    good(restarted)
    expect(restarted.stdout).toContain('restart deployment/discord-bot  (restart)')
    const after = JSON.parse(good(await cli('status', '--json'))).pods
    const named = (pods: { name: string }[], app: string) =>
      pods.map(({ name }) => name).filter((name) => name.startsWith(app))
    expect(named(after, 'discord-bot')).not.toEqual(named(before, 'discord-bot'))
    expect(named(after, 'redis')).toEqual(named(before, 'redis'))
  })

  it('waits for nobody who is gone, and is kept out by who is not', async () => {
    const held = async (seen: Date) => {
      const spec = {
        holderIdentity: 'ana@laptop pid 7',
        leaseDurationSeconds: 120,
        renewTime: seen.toISOString().replace('Z', '000Z'),
      }
      const lease = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'infra', namespace: 'kube-system' },
        spec,
      }
      const { code, stderr } = await world.kube.kubectl(['create', '-f', '-'], JSON.stringify(lease))
      expect(code, stderr).toBe(0)
    }
    const locked = async () => (await world.kube.kubectl(['get', 'lease', 'infra', '-n', 'kube-system'])).code === 0
    expect(await locked()).toBe(false)
    await held(new Date())
    const out = await cli('restart', 'redis', '--yes')
    expect([out.code, out.stderr]).toEqual([5, expect.stringContaining('another run holds the lock: ana@laptop pid 7')])
    expect((await cli('unlock', '--yes')).stderr).toContain('of ana@laptop pid 7')
    expect(await locked()).toBe(false)
    await held(new Date(Date.now() - 130_000))
    good(await cli('restart', 'redis', '--yes'))
    expect(await locked()).toBe(false)
  })

  it('builds the image anew when told to', async () => {
    expect(good(await cli('images', '--build', '--yes'))).toMatch(/discord-bot +[0-9a-f]{16} latest/)
  })

  it('has Stoat deployed onto it by one command for all, which finds nothing to do a second time', async () => {
    expect(await atRoot('deploy', '--yes')).toMatch(/^stoat {2,}deployed .*\d+ passed/m)
    const again = await atRoot('deploy', '--yes')
    for (const name of ['cluster', 'stoat']) expect(again).toMatch(new RegExp(`^${name} {2,}nothing to change`, 'm'))
    await atRoot('verify')
  })

  it('gives Redis a password in one command for all, with which it, the bot and Stoat start anew', async () => {
    const ping = async (...start: string[]) => {
      const words = ['exec', '-n', 'discord-bot', 'redis-0', '--', ...start, 'redis-cli', 'ping']
      return (await world.kube.kubectl(words)).stdout.trim()
    }
    /** The ids of the newest pods of all apps. */
    const pods = async () => {
      const path = '{range .items[*]}{.metadata.labels.app} {.metadata.uid}{"\\n"}{end}'
      const words = ['get', 'pods', '-n', 'discord-bot', '--sort-by=.metadata.creationTimestamp']
      const { stdout } = await world.kube.kubectl([...words, '-o', `jsonpath=${path}`])
      return new Map(stdout.split('\n').map((line) => line.split(' ') as [string, string]))
    }
    const before = await pods()
    const open = ['env', '-u', 'REDISCLI_AUTH']
    expect(await ping(...open)).toBe('PONG')
    const more = { REDIS_PASSWORD: password, BOT_USER: '54321', BOT_WRITABLE_ROOT: 'true' }
    const lines = Object.entries(more).map(([name, value]) => `export ${name}=${value}\n`)
    await appendFile(join(world.root, '.env.cluster'), lines.join(''))
    expect(botProcesses('54321')).toEqual([])
    const said = await atRoot('deploy', '--yes')
    const after = await pods()
    for (const app of ['redis', 'discord-bot', 'stoat-api', 'stoat-events', 'stoat-crond', 'stoat-pushd'])
      expect(after.get(app), app).not.toBe(before.get(app))
    for (const app of ['dev-sandbox', 'stoat-mongodb', 'stoat-web', 'stoat-january'])
      expect(after.get(app), app).toBe(before.get(app))
    expect(said).not.toContain(password)
    expect([await ping(...open), await ping()]).toEqual([expect.stringContaining('NOAUTH'), 'PONG'])
    expect(botProcesses('54321')).toEqual(['rw'])
    good(await runCli('stoat', ['verify', '--smoke', '--only', 'smoke'], options()))
    await atRoot('plan', '--detailed-exitcode')
  })

  it.each(Object.entries(onCluster))('does what the pages say: %s', async (text, line) => {
    const { DIGITALOCEAN_TOKEN: DIGITALOCEAN_ACCESS_TOKEN, ...account } = world.digitalocean
    const KUBECONFIG = join(world.root, '.infra/kubeconfig-discord-bot-cluster')
    const env = { ...world.env, KUBECONFIG, DIGITALOCEAN_ACCESS_TOKEN, ...account }
    const words = ['-s', 'INT', line.follows ? '2' : '60', 'bash', '-c', typed(text, line)]
    expectEnd(await run('timeout', words, { cwd: world.root, env }), line)
  })

  it('has started no program with more of the environment than it needs', async () => {
    const { AWS_SECRET_ACCESS_KEY: aws, DISCORD_TOKEN, LITELLM_API_KEY } = clusterSettings
    const account = world.digitalocean.DIGITALOCEAN_TOKEN
    const needs: Readonly<Record<string, readonly string[]>> = { aws: [aws], doctl: [account], kubectl: [account] }
    const seen = await spies.seen()
    expect(new Set(seen.map(({ program }) => program))).toEqual(new Set(['aws', 'buildah', 'doctl', 'kubectl']))
    const found = seen.flatMap(({ program, environ }) =>
      [marker, DISCORD_TOKEN, LITELLM_API_KEY, password, aws, account]
        .filter((value) => !needs[program]?.includes(value) && environ.includes(value))
        .map((value) => `${value} in the environment of ${program}`),
    )
    expect([...new Set(found)]).toEqual([])
  })

  it('is destroyed with its volumes and its cluster by their names, even after a kill', async () => {
    const args = [
      'destroy',
      '--data',
      '--confirm',
      'data-redis-0,dev-sandbox-workspaces',
      '--cluster',
      'discord-bot-cluster',
    ]
    const shown = good(await cli(...args, '--check'))
    expect(shown).toContain('volume data-redis-0 (1Gi), all it holds  (data loss)')
    expect(shown).toContain('kubernetes cluster discord-bot-cluster (2 nodes, tor1), all that runs in it  (data loss)')
    expect(shown).toContain('table chat_history is kept')
    const killed = startCli('cluster', [...args, '--yes'], options())
    await until('the first removals', 60_000, async () => (killed.said().includes('✓ stateful set') ? true : undefined))
    killed.kill('SIGKILL')
    await killed.ended
    good(await cli(...args, '--yes'))
    expect(existsSync(join(world.root, '.infra/kubeconfig-discord-bot-cluster'))).toBe(false)
    expect(good(await cli(...args, '--check'))).toContain('nothing to change')
    expect((await cli('plan', '--tags', 'kubernetes')).stderr).toContain('there is no Kubernetes cluster')
  })
})
