import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { aws as call, type Json } from '@infra/shared/command/aws'
import { type Secret, secret } from '@infra/shared/command/secret'
import { type Check, runChecks } from '@infra/shared/engine/check'
import { collect } from '@infra/shared/engine/declaration'
import type { Work } from '@infra/shared/engine/plan'
import { sampleEnv } from '@infra/shared/env/sample'
import type { AwsTarget } from '@infra/shared/targets/aws/aws'
import { afterAll, beforeAll } from 'vitest'
import cluster from '../../cluster/cluster.ts'
import { openAws } from '../../cluster/context.ts'
import { type ClusterEnv, clusterSchema } from '../../cluster/env/env.ts'
import { account, region } from './aws-lab.ts'
import { type BotOptions, botContext } from './kube/contexts.ts'
import { redis, shellWithAws, shellWithGit } from './kube/images.ts'
import { type KubeLab, startKube } from './kube/kube.ts'
import { type Registry, startRegistry } from './kube/registry.ts'
import { type Moto, startMoto } from './moto.ts'
import { must, run } from './run.ts'

export const secrets = {
  DISCORD_TOKEN: 'MTMzMTQ3NDM5ODI5NjcyNzU4Mg.GlAbCd.0123456789abcdefghijklmnopqrstuvwx',
  LITELLM_API_KEY: 'sk-litellm-9f8a7b6c5d4e',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

/** For a suite: a real cluster, a registry and a fake AWS, with all that the cluster's workloads build on in place. */
export function useWorkloads() {
  const folder = mkdtempSync(join(tmpdir(), 'workloads-'))
  const before = { ...process.env }
  let kube: KubeLab
  let moto: Moto
  let registry: Registry

  const envOf = (more: Partial<ClusterEnv>) =>
    ({
      ...sampleEnv(clusterSchema),
      AWS_REGION: region,
      AWS_ACCOUNT_ID: account,
      AWS_ENDPOINT_URL: moto.endpoint,
      AWS_ACCESS_KEY_ID: secret('AKIAIOSFODNN7EXAMPLE'),
      AWS_SECRET_ACCESS_KEY: secret(secrets.AWS_SECRET_ACCESS_KEY),
      KUBECONFIG: kube.kubeconfig,
      KUBE_CONTEXT: 'lab',
      DISCORD_TOKEN: secret(secrets.DISCORD_TOKEN),
      LITELLM_API_KEY: secret(secrets.LITELLM_API_KEY),
      BOT_USERNAME: 'bot',
      OTHER_BOT_USERNAME: 'other',
      REDIS_IMAGE: 'redis:7',
      DEV_SANDBOX_IMAGE: 'shell-with-git:1',
      ECR_REFRESH_IMAGE: 'shell-with-aws:1',
      ROLLOUT_TIMEOUT: 600,
      ...more,
    }) as ClusterEnv

  const open = (more: Partial<ClusterEnv> = {}, own: Record<string, boolean> = {}) =>
    cluster.open({ env: envOf(more) as never, offline: false, folder, workspaceOptions: own })
  const tagged = (wanted: readonly string[], more?: Partial<ClusterEnv>, own?: Record<string, boolean>): Work[] =>
    collect(
      cluster.scripts,
      open(more, own).context,
      cluster.scripts.filter(({ tags }) => tags.some((tag) => wanted.includes(tag))),
    )

  const built = new Set<string>()
  /** Makes a release the latest: one that was before is the same image again. */
  const push = async (options: BotOptions = {}) => {
    const buildah = (args: string[], input?: string) =>
      must('buildah', args, { env: registry.env, ...(input === undefined ? {} : { input }) })
    const release = `localhost/bot-${options.behaviour ?? 'good'}`
    if (!built.has(release)) await buildah(['bud', '-t', release, await botContext(options)])
    built.add(release)
    await buildah(['login', '--username', 'AWS', '--password-stdin', registry.host], registry.password())
    await buildah(['push', release, `docker://${registry.host}/discord-bot:latest`])
  }

  beforeAll(async () => {
    kube = await startKube()
    moto = await startMoto(kube.gateway)
    const { PATH: _, AWS_ENDPOINT_URL: __, ...rest } = moto.env
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
    Object.assign(process.env, rest, { PATH: `${kube.env.PATH}:${moto.env.PATH}` })
    registry = await startRegistry(kube, { account, region, ecr: moto.endpoint })
    for (const image of [await redis(), await shellWithGit(), await shellWithAws()]) await kube.importImage(image)
    await makeAws(openAws(envOf({}), false, folder))
    await push()
  })
  afterAll(async () => {
    process.env = before
    await registry?.stop()
    await moto?.stop()
    await kube?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const kubectl = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await kube.kubectl(args)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout.trim()
  }
  /** Asks moto by the CLI. */
  const aws = async <T>(...args: string[]): Promise<T> => {
    const where = ['--endpoint-url', moto.endpoint, '--region', region, '--output', 'json']
    const { stdout, stderr, code } = await run('aws', [...args, ...where], { env: moto.env })
    if (code !== 0) throw new Error(stderr)
    return JSON.parse(stdout || 'null') as T
  }

  return {
    kubectl,
    aws,
    /** The ids of the bot's access keys, as IAM has them. */
    async keysInIam(): Promise<string[]> {
      type Keys = { AccessKeyMetadata: { AccessKeyId: string }[] }
      const { AccessKeyMetadata } = await aws<Keys>('iam', 'list-access-keys', '--user-name', 'discord-bot')
      return AccessKeyMetadata.map(({ AccessKeyId }) => AccessKeyId)
    },
    /** The id of the access key in the bot's Secret. */
    async keyInSecret(): Promise<string> {
      const at = ['-n', 'discord-bot', '-o', 'jsonpath={.data.AWS_ACCESS_KEY_ID}']
      return Buffer.from(await kubectl('get', 'secret', 'discord-bot-secrets', ...at), 'base64').toString()
    },
    get kube() {
      return kube
    },
    get moto() {
      return moto
    },
    push,
    get registry() {
      return registry
    },
    /** The work of the scripts 60 to 90. */
    work: (more?: Partial<ClusterEnv>, own?: Record<string, boolean>) => tagged(['workloads'], more, own),
    /** The work of the scripts of these names or tags. */
    tagged,
    /** The findings of the checks that begin so. */
    async verify(...starts: string[]): Promise<string[]> {
      const found: string[] = []
      const checks: Check[] = cluster
        .checks(open().context)
        .filter(({ id }) => starts.some((start) => id.startsWith(start)))
      await runChecks(checks, (event) => {
        if (event.type === 'check') found.push(`${event.outcome} ${event.id}`)
      })
      return found
    },
    async writesOf(work: () => Promise<unknown>) {
      const mark = await kube.auditMark()
      await work()
      return (await kube.auditWrites(mark)).filter(({ user }) => user === 'lab-admin')
    },
  }
}

/** What the bot uses of AWS, made past the CLI, which takes a second for each. */
async function makeAws(aws: AwsTarget): Promise<void> {
  const make = async (service: string, operation: string, input: Readonly<Record<string, Json>>) => {
    const { code, stderr } = await aws.send(call(aws.place, service, operation, input))
    if (code !== 0) throw new Error(`${operation}: ${stderr}`)
  }
  const table = (TableName: string, AttributeName: string) =>
    make('dynamodb', 'create-table', {
      TableName,
      AttributeDefinitions: [{ AttributeName, AttributeType: 'S' }],
      KeySchema: [{ AttributeName, KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    })
  await table('discord_sessions', 'thread_id')
  await table('discord_executions', 'execution_id')
  for (const QueueName of ['discord-messages', 'agentic-events']) await make('sqs', 'create-queue', { QueueName })
  await make('ecr', 'create-repository', { repositoryName: 'discord-bot' })
  await make('iam', 'create-user', { UserName: 'discord-bot' })
}

export const asSecret = (value: string): Secret => secret(value)
