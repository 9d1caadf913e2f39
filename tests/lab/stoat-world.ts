import { join } from 'node:path'
import { revealText } from '@infra/shared/command/command'
import { manifestText } from '@infra/shared/command/kubectl'
import { runChecks } from '@infra/shared/engine/check'
import { collect } from '@infra/shared/engine/declaration'
import type { Work } from '@infra/shared/engine/plan'
import { sampleEnv } from '@infra/shared/env/sample'
import { namespace } from '@infra/shared/platform/names'
import { namespaceObject } from '@infra/shared/platform/namespace'
import { beforeAll } from 'vitest'
import { networkPolicies } from '../../cluster/manifests/network.ts'
import { redis } from '../../cluster/manifests/redis.ts'
import { openStoat, type StoatContext } from '../../stoat/context.ts'
import { type StoatEnv, stoatSchema } from '../../stoat/env/env.ts'
import stoat from '../../stoat/stoat.ts'
import { startCli } from '../support/cli.ts'
import { bare } from '../support/fixture-workspace.ts'
import { useKube } from './kube-steps.ts'
import { type Result, run } from './run.ts'
import { startStoatImages } from './stoat/images.ts'

const cliFile = join(import.meta.dirname, '../../stoat/cli.ts')

interface Place {
  readonly env?: Readonly<Record<string, string>>
  readonly resolver?: string
}

const resolvingBy = (file: string) => [
  ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c'],
  ...['mount --bind "$0" /etc/resolv.conf && exec "$@"', file],
]

export type StoatLab = ReturnType<typeof useStoat>

/** For a suite: a real cluster with the images of Stoat, and with what the workspace cluster has made in it. */
export function useStoat() {
  const lab = useKube()
  const before = process.env.PATH

  beforeAll(async () => {
    // kubectl of the lab's version, for the targets that the workspace opens itself.
    process.env.PATH = `${lab.kube.env.PATH}:${before}`
    await startStoatImages(lab.kube)
  })

  const envOf = (more: Partial<StoatEnv>): StoatEnv => ({
    ...sampleEnv(stoatSchema),
    KUBECONFIG: lab.kube.kubeconfig,
    KUBE_CONTEXT: 'lab',
    STOAT_TLS: 'none',
    STOAT_GATEWAY: 'cluster-ip',
    STOAT_IMAGES: 'stoat',
    ROLLOUT_TIMEOUT: 600,
    ...more,
  })
  const context = (more: Partial<StoatEnv> = {}, hasBackup = false): StoatContext => {
    const opening = { offline: false, folder: lab.folder, prune: false, afterCluster: false, smoke: false }
    return openStoat({ env: envOf(more), hasBackup, ...opening })
  }
  const workOf = (of: StoatContext, scripts: readonly string[]): Work[] =>
    collect(
      stoat.scripts,
      of,
      stoat.scripts.filter(({ name }) => scripts.length === 0 || scripts.includes(name)),
    )
  const operator = () => ({
    command: [process.execPath, '--import', 'tsx', cliFile],
    env: {
      ...bare(),
      PATH: process.env.PATH ?? '',
      INFRA_ROOT: lab.folder,
      HOME: lab.folder,
      KUBECONFIG: lab.kube.kubeconfig,
      KUBE_CONTEXT: 'lab',
      STOAT_DOMAIN: 'stoat.example.com',
      STOAT_TLS: 'none',
      STOAT_GATEWAY: 'cluster-ip',
      STOAT_IMAGES: 'stoat',
      ROLLOUT_TIMEOUT: '240',
    },
  })
  /** With more variables, and where a file of name servers takes the place of the machine's. */
  const cliIn = ({ env = {}, resolver }: Place, ...args: string[]): Promise<Result> => {
    const { command, env: usual } = operator()
    const [program = '', ...words] = [...(resolver === undefined ? [] : resolvingBy(resolver)), ...command, ...args]
    return run(program, words, { env: { ...usual, ...env } })
  }
  /** kubectl in the namespace; `last` is one more word, with blanks in it. */
  const inSpace = async (line: string, last?: string): Promise<string> => {
    const words = ['-n', namespace, ...line.split(' '), ...(last === undefined ? [] : [last])]
    const { code, stdout, stderr } = await lab.kube.kubectl(words)
    if (code !== 0) throw new Error(`kubectl ${line}: ${stderr}`)
    return stdout.trim()
  }

  return {
    ...lab,
    get kube() {
      return lab.kube
    },
    context,
    inSpace,
    work: (more: Partial<StoatEnv> = {}, ...scripts: string[]): Work[] => workOf(context(more), scripts),
    /** The same where somebody says that there is a backup. */
    upgrade: (more: Partial<StoatEnv> = {}): Work[] => workOf(context(more, true), []),
    /** What the workspace cluster makes for Stoat: the namespace, who may connect to whom, Redis. */
    async withRedis(): Promise<void> {
      const storage = { size: '1Gi', storageClass: 'do-block-storage', claim: 'data' }
      const objects = [
        namespaceObject,
        ...networkPolicies({ litellm: 'http://litellm.ai-platform.svc:4000', sandboxReads: true }),
        ...redis({ image: 'redis:7', ...storage }),
      ]
      await lab.kubectl('apply --server-side --force-conflicts -f -', revealText(manifestText(objects)))
      await inSpace('rollout status statefulset/redis --timeout=600s')
    },
    /** How the checks come out that begin so: `ok gateway.api: version 0.13.7, by port-forward`. */
    async verify(more: Partial<StoatEnv> = {}, ...starts: string[]): Promise<string[]> {
      const found: string[] = []
      const checks = stoat.checks(context(more)).filter(({ id }) => starts.every((start) => id.startsWith(start)))
      await runChecks(checks, (event) => {
        if (event.type === 'check') found.push(`${event.outcome} ${event.id}: ${event.detail}`)
      })
      return found
    },
    /** When the only pod of an app became ready, in milliseconds since 1970. */
    async readyAt(app: string): Promise<number> {
      const path = 'jsonpath={.items[0].status.conditions[?(@.type=="Ready")].lastTransitionTime}'
      return Date.parse(await inSpace(`get pods -l app=${app} -o ${path}`))
    },
    /** When the container of the only pod of an app started. */
    async startedAt(app: string): Promise<number> {
      const path = 'jsonpath={.items[0].status.containerStatuses[0].state.running.startedAt}'
      return Date.parse(await inSpace(`get pods -l app=${app} -o ${path}`))
    },
    cliIn,
    /** Runs a command of the workspace as its operator would. */
    cli: (...args: string[]): Promise<Result> => cliIn({}, ...args),
    /** Starts `verify --smoke`, and of its checks only those that a round makes or reads. */
    smoke: (more: Readonly<Record<string, string>> = {}) =>
      startCli('stoat', ['verify', '--smoke', '--only', 'smoke,gateway.canary', '--json'], {
        root: lab.folder,
        env: { ...operator().env, ...more },
      }),
    /** What there is of rounds that have not ended. */
    async leftBySmoke(): Promise<{ accounts: number; servers: number }> {
      const [accounts, servers] = ['accounts.countDocuments({ disabled: false })', 'servers.countDocuments({})']
      return JSON.parse(await this.inDatabase(`{ accounts: db.${accounts}, servers: db.${servers} }`))
    },
    /** The variables of its operator, and how the workspace is called. */
    operator,
    /** What an expression is in the database, as JSON. */
    async inDatabase(expression: string): Promise<string> {
      const script = `print(JSON.stringify(${expression}))`
      const words = ['exec', '-n', namespace, 'stoat-mongodb-0', '--', 'mongosh', '--quiet', 'revolt', '--eval', script]
      const { stdout, stderr, code } = await lab.kube.kubectl(words)
      if (code !== 0) throw new Error(stderr)
      return stdout.trim()
    },
  }
}
