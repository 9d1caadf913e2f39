import { cpSync, lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { clusterSettings } from '../lab/cluster-settings.ts'
import { startKube } from '../lab/kube/kube.ts'
import { startMoto } from '../lab/moto.ts'
import { nodeFolders } from '../lab/node-versions.ts'
import { clonePod, convergedPod, writeEnv } from '../lab/pod-setup.ts'
import { missing } from '../lab/prerequisites.ts'
import { run } from '../lab/run.ts'
import { type CliResult, launcher, plainEnv, project, runCli } from '../support/cli.ts'
import { type Delayed, delayed } from './delay.ts'
import { inTurn, median, ratioLine } from './measure.ts'

const names = ['pod', 'cluster', 'stoat'] as const

/** A plan of all workspaces against that of the slowest alone, near and far away; what becomes of them in the table; help. */
export async function benchRoot(): Promise<void> {
  const lacking = missing('host', 'git', 'acme', 'kube', 'moto', 'nodes')
  if (lacking.length > 0) return console.log(`root: needs ${lacking.map(({ what }) => what).join(', ')}: left out`)
  await benchHelpOf('node24', 0.25)
  await benchHelpOf('node20', 0.4)
  const world = await open()
  try {
    for (const ms of [0, 100]) {
      await world.delay(ms)
      const works = { all: () => world.plan('all'), ...Object.fromEntries(names.map((n) => [n, () => world.plan(n)])) }
      const times = await inTurn(5, works)
      const slowest = [...names].sort((a, b) => median(times[b] ?? []) - median(times[a] ?? []))[0] ?? 'pod'
      const what = `plan of all / ${slowest} alone, at ${ms} ms`
      console.log(ratioLine(what, times.all ?? [], times[slowest] ?? [], ms === 0 ? undefined : 1.2))
    }
    await world.delay(0)
    await benchTable(world)
  } finally {
    await world.close()
  }
}

/** Seconds of the help at the root, on a Node, beside npm's own start. */
async function benchHelpOf(node: 'node20' | 'node24', most: number): Promise<void> {
  const program = join((await nodeFolders())[node], 'node')
  const words = [launcher, join(project, 'infra.ts'), 'plan', '--help']
  const help = async () => {
    const { code, stderr } = await run(program, words, { env: plainEnv() as Record<string, string> })
    if (code !== 0) throw new Error(`bench: --help ended with ${code}: ${stderr}`)
  }
  const { help: times = [] } = await inTurn(7, { help })
  const verdict = median(times) <= most ? 'ok' : 'MISSED'
  const all = times.map((seconds) => seconds.toFixed(2)).join(' ')
  console.log(`help of all, ${node}: ${all} s (at most ${most}: ${verdict})`)
}

type World = Awaited<ReturnType<typeof open>>

/** A converged pod, an AWS and a cluster that hold nothing yet, each behind a delay. */
async function open() {
  const [pod, kube, moto] = [await clonePod(await convergedPod()), await startKube(), await startMoto()]
  const api = new URL(kube.server)
  const relays = { api: await relayTo(api), aws: await relayTo(new URL(moto.endpoint)) }
  const kubeconfig = join(pod.root, 'kubeconfig')
  const config = parse(readFileSync(kube.kubeconfig, 'utf8')) as { clusters: { cluster: Record<string, string> }[] }
  for (const { cluster } of config.clusters)
    Object.assign(cluster, { server: `https://127.0.0.1:${relays.api.port}`, 'tls-server-name': api.hostname })
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 })
  const way = { KUBECONFIG: kubeconfig, KUBE_CONTEXT: 'lab' }
  // Alone it would be refused: there is no Redis in the cluster.
  const ofStoat = { STOAT_DOMAIN: 'stoat.lab.example.org', STOAT_REDIS_URL: 'redis://redis.lab.example.org:6379/' }
  const images = { DISCORD_BOT_IMAGE: 'bot:1', DEV_SANDBOX_IMAGE: 'sandbox:1' }
  const AWS_ENDPOINT_URL = `http://127.0.0.1:${relays.aws.port}`
  await writeEnv(join(pod.root, '.env.cluster'), { ...clusterSettings, ...way, ...images, AWS_ENDPOINT_URL })
  await writeEnv(join(pod.root, '.env.stoat'), { ...way, ...ofStoat })
  const env = { PATH: `${moto.env.PATH}:${kube.env.PATH}` }
  return {
    root: pod.root,
    async delay(ms: number) {
      for (const relay of Object.values(relays)) relay.delay(ms)
      await pod.host.latency(ms)
    },
    /** Plans one of them, or all, from the environment files of a folder. */
    async plan(workspace: (typeof names)[number] | 'all', root = pod.root, codes: readonly number[] = [0]) {
      const file = workspace === 'all' ? { file: 'infra.ts' } : {}
      const ran = await runCli(workspace, ['plan'], { root, env, ...file })
      if (!codes.includes(ran.code)) throw new Error(`bench: plan ended with ${ran.code}: ${ran.stderr}${ran.stdout}`)
      return ran
    },
    async close() {
      for (const relay of Object.values(relays)) relay.close()
      await Promise.all([pod.close(), kube.stop(), moto.stop()])
    },
  }
}

const relayTo = ({ hostname, port }: URL): Promise<Delayed> => delayed(hostname, Number(port))

/** The table of a plan of all: with none, one, two and three configured, one unreachable, one invalid. */
async function benchTable(world: World): Promise<void> {
  const cases: readonly (readonly [string, readonly string[], Readonly<Record<string, string>>])[] = [
    ['none configured', [], {}],
    ['one configured', ['pod'], {}],
    ['two configured', ['pod', 'cluster'], {}],
    ['three configured', names, {}],
    ['one unreachable', names, { pod: 'VALENCE_SSH_PORT=1\n' }],
    ['one invalid', names, { stoat: 'STOAT_DOMAIN=nonsense\n' }],
  ]
  for (const [what, configured, more] of cases) {
    const root = mkdtempSync(join(tmpdir(), 'bench-root-'))
    try {
      cpSync(join(world.root, '.infra'), join(root, '.infra'), {
        recursive: true,
        filter: (path) => !lstatSync(path).isSocket(),
      })
      for (const name of configured) {
        const text = readFileSync(join(world.root, `.env.${name}`), 'utf8')
        writeFileSync(join(root, `.env.${name}`), text + (more[name] ?? ''), { mode: 0o600 })
      }
      tell(what, await world.plan('all', root, [0, 1, 4]))
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  }
}

function tell(what: string, { code, ms, stdout, stderr }: CliResult): void {
  const table = stdout.includes('\nworkspace ') ? stdout.slice(stdout.lastIndexOf('\nworkspace ')) : `\n${stderr}`
  console.log(
    `plan of all, ${what}: exit ${code}, ${(ms / 1000).toFixed(1)} s${table.trimEnd().replaceAll('\n', '\n  ')}`,
  )
}
