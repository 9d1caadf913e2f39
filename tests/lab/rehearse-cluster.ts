import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { tables } from '../../cluster/scripts/10-dynamodb.ts'
import { clusterSettings } from './cluster-settings.ts'
import { startDigitalOcean } from './digitalocean-fake.ts'
import { botContext } from './kube/contexts.ts'
import { redis, shellWithGit } from './kube/images.ts'
import { type KubeLab, startKube } from './kube/kube.ts'
import { doctlPath } from './kube/programs.ts'
import { type Registry, startRegistry } from './kube/registry.ts'
import { type Moto, startMoto } from './moto.ts'
import { deployTwice, type Rehearsal, type WorkspaceName, type World } from './rehearsal.ts'
import { must } from './run.ts'

const region = clusterSettings.AWS_REGION

/** The cluster: onto a real Kubernetes of one node, with stand-ins for the clouds, the bot and its sandbox. */
export const clusterRehearsal: Rehearsal = {
  needs: ['kube', 'registry', 'doctl', 'moto'],
  introduction: (cache) => `A rehearsal on this machine, without touching any cloud:
  starts    a Kubernetes of one node in a network of its own; fakes of AWS and DigitalOcean; a registry
  deploys   the cluster onto them, twice, verifies it, and destroys it but for its data; bot and sandbox are stand-ins
  builds    Kubernetes from its sources the first time: ten minutes and 2 GB, kept in ${cache}
  leaves    nothing running, unless --keep
`,
  open: openCluster,
}

/** A world for the cluster, with its parts. */
export interface ClusterWorld extends World {
  /** As that of every world; the command that is told is of this workspace. */
  keep(workspace?: WorkspaceName): Promise<string>
  readonly kube: KubeLab
  readonly moto: Moto
  readonly registry: Registry
  /** What leads to the account that the cluster is in. */
  readonly digitalocean: Readonly<Record<'DIGITALOCEAN_TOKEN' | 'DIGITALOCEAN_API_URL', string>>
  /** The folder that the bot's image is made from. */
  readonly botContext: string
}

/** Starts all that a deployment needs; the command line finds it by the world's environment. */
export async function openCluster(): Promise<ClusterWorld> {
  const [kube, fake, doctl] = [await startKube(), await startDigitalOcean(), dirname(await doctlPath())]
  const moto = await startMoto(kube.gateway)
  const registry = await startRegistry(kube, { ecr: moto.endpoint, region })
  const root = await mkdtemp(join(tmpdir(), 'rehearsal-'))
  const context = await botContext()
  for (const image of [await redis(), await shellWithGit()]) await kube.importImage(image)
  fake.backing = { server: kube.server, authority: await readFile(kube.authority, 'utf8'), token: kube.token }
  fake.clusterMs = 5000
  const digitalocean = { DIGITALOCEAN_TOKEN: fake.token, DIGITALOCEAN_API_URL: fake.endpoint }
  const settings = {
    ...clusterSettings,
    ...{ AWS_ENDPOINT_URL: moto.endpoint, ...digitalocean },
    ...{ BOT_CONTEXT: context, DEV_SANDBOX_IMAGE: 'shell-with-git:1', REDIS_IMAGE: 'redis:7' },
    ...{ CONTAINER_CLI: 'buildah', ROLLOUT_TIMEOUT: '240' },
  }
  const lines = Object.entries(settings).map(([name, value]) => `export ${name}="${value}"\n`)
  await writeFile(join(root, '.env.cluster'), lines.join(''), { mode: 0o600 })
  const { REGISTRY_AUTH_FILE: _, ...builder } = registry.env
  const { AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, AWS_EC2_METADATA_DISABLED } = moto.env
  const PATH = [doctl, builder.PATH, kube.env.PATH, moto.env.PATH].join(':')
  const env = { ...builder, PATH, HOME: root, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, AWS_EC2_METADATA_DISABLED }
  const close = async () => {
    await Promise.all([registry.stop(), moto.stop(), fake.stop()])
    await kube.stop()
    await rm(root, { recursive: true, force: true })
  }
  return {
    ...{ kube, moto, registry, digitalocean, botContext: context },
    root,
    env,
    said: `Started Kubernetes at ${kube.server}, AWS at ${moto.endpoint}, DigitalOcean at ${fake.endpoint}.`,
    async run(hands, kept) {
      const { tool, timed } = hands
      await deployTwice(hands, ['--create'], [])
      await tool('output', 'discord_messages_queue_url')
      await tool('status')
      if (kept) return
      await timed('destroy', () => tool('destroy', '--yes'))
      const where = ['--endpoint-url', moto.endpoint, '--region', region, '--output', 'text']
      const listed = await must('aws', ['dynamodb', 'list-tables', '--query', 'TableNames', ...where], {
        env: moto.env,
      })
      const left = listed.trim().split(/\s+/)
      if (left.length !== tables.length) throw new Error(`destroy left ${left.length} tables of ${tables.length}`)
      console.log(`\nThe tables are still there: ${left.join(', ')}`)
    },
    async keep(workspace = 'cluster') {
      // By the last two kubectl signs in, through doctl.
      const doctl = { DIGITALOCEAN_ACCESS_TOKEN: fake.token, DIGITALOCEAN_API_URL: fake.endpoint }
      const lines = Object.entries({ ...env, INFRA_ROOT: root, ...doctl }).map(
        ([name, value]) => `export ${name}='${value}'\n`,
      )
      await writeFile(join(root, 'environment'), lines.join(''), { mode: 0o600 })
      // The fakes end with this process, so it stays until it is told to go.
      console.log(`Kept until Ctrl-C. In another terminal, to run the tool or kubectl against it:
  (. ${root}/environment; npm run status -w ${workspace})
  (. ${root}/environment; KUBECONFIG=${root}/.infra/kubeconfig-discord-bot-cluster kubectl get pods -n discord-bot)`)
      await new Promise((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, resolve)
      })
      await close()
      return 'Ended.'
    },
    close,
  }
}
