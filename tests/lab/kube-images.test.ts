import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BotOptions, botContext } from './kube/contexts.ts'
import { debian } from './kube/images.ts'
import { type KubeLab, startKube } from './kube/kube.ts'
import { pod } from './kube/objects.ts'
import { type Registry, startRegistry } from './kube/registry.ts'
import { type Moto, startMoto } from './moto.ts'
import { requireLab, title } from './prerequisites.ts'
import { type Result, run, until } from './run.ts'

const noImages = requireLab('kube', 'registry', 'moto', 'host')
const minutes = 60_000

// What the bot is given, as its pod has it.
const botEnv = {
  ...{ DISCORD_TOKEN: 't', LITELLM_API_KEY: 'k', AWS_ACCESS_KEY_ID: 'AKIAX', AWS_SECRET_ACCESS_KEY: 's' },
  ...{ DISCORD_BOT_ID: '1', DISCORD_GUILD_ID: '2', LITELLM_BASE_URL: 'http://l', AWS_REGION: 'ca-central-1' },
  ...{ DYNAMODB_SESSIONS_TABLE: 'discord_sessions', DYNAMODB_EXECUTIONS_TABLE: 'discord_executions' },
  ...{ BOT_USERNAME: 'bot', OTHER_BOT_USERNAME: 'other', STALENESS_MINUTES: '30', PORT: '3000' },
}

describe.skipIf(noImages)(title('images for a lab cluster', noImages), () => {
  let kube: KubeLab
  let moto: Moto
  let registry: Registry
  let image: string

  const must = async (work: Promise<Result>): Promise<string> => {
    const { code, stdout, stderr } = await work
    if (code !== 0) throw new Error(stderr)
    return stdout
  }
  const kubectl = (...args: string[]) => must(kube.kubectl(args))
  const apply = (object: object) => must(kube.kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(object)))
  const buildah = (args: readonly string[], input?: string) =>
    run('buildah', args, { env: registry.env, ...(input === undefined ? {} : { input }) })
  const aws = async (...args: string[]) => {
    // Said aloud: SQS does not listen to the variable.
    const where = ['--endpoint-url', moto.endpoint, '--region', 'ca-central-1', '--output', 'json']
    const text = await must(run('aws', [...args, ...where], { env: moto.env }))
    return text === '' ? undefined : JSON.parse(text)
  }
  const push = async (tag: string, options: BotOptions = {}) => {
    const name = `${registry.host}/discord-bot:${tag}`
    await must(buildah(['bud', '-t', name, await botContext(options)]))
    await must(buildah(['push', name]))
    return name
  }
  const botPod = (name: string, from: string, env: Readonly<Record<string, string>>, more: object = {}) => {
    const variables = Object.entries({ ...env, AWS_ENDPOINT_URL: moto.endpoint }).map(([key, value]) => ({
      name: key,
      value,
    }))
    const readinessProbe = { httpGet: { path: '/ready', port: 3000 }, periodSeconds: 1 }
    const container = { name: 'bot', image: from, imagePullPolicy: 'Always', env: variables, readinessProbe }
    return pod(name, container, { restartPolicy: 'Never', ...more })
  }
  const withLogin = { imagePullSecrets: [{ name: 'ecr-registry' }] }
  const refused = (name: string) =>
    until(`the refusal of ${name}`, 20_000, async () => {
      const message = 'jsonpath={.status.containerStatuses[0].state.waiting.message}'
      const text = await kubectl('get', 'pod', name, '-o', message)
      return /no basic auth credentials|401 Unauthorized/.test(text) ? true : undefined
    })

  beforeAll(async () => {
    kube = await startKube()
    moto = await startMoto(kube.gateway)
    registry = await startRegistry(kube, { ecr: moto.endpoint })
    const key = (name: string) =>
      ['--attribute-definitions', `AttributeName=${name},AttributeType=S`].concat(
        ...['--key-schema', `AttributeName=${name},KeyType=HASH`, '--billing-mode', 'PAY_PER_REQUEST'],
      )
    await Promise.all([
      aws('dynamodb', 'create-table', '--table-name', 'discord_sessions', ...key('thread_id')),
      aws('dynamodb', 'create-table', '--table-name', 'discord_executions', ...key('execution_id')),
      aws('sqs', 'create-queue', '--queue-name', 'discord-messages'),
      aws('sqs', 'create-queue', '--queue-name', 'agentic-events'),
    ])
  })
  afterAll(async () => {
    await registry?.stop()
    await moto?.stop()
    await kube?.stop()
  })

  test('nothing is pushed without a login, or to a repository that ECR does not have', async () => {
    await expect(push('early')).rejects.toThrow(/authentication required|unauthorized/)
    const login = (password: string) =>
      buildah(['login', '--username', 'AWS', '--password-stdin', registry.host], password)
    expect((await login('wrong')).code).not.toBe(0)
    const { authorizationData } = await aws('ecr', 'get-authorization-token')
    const [user, password] = Buffer.from(authorizationData[0].authorizationToken, 'base64').toString().split(':')
    expect([user, password]).toEqual([registry.user, registry.password()])
    expect((await login(password ?? '')).stderr).toBe('')
    await expect(push('early')).rejects.toThrow("The repository with name 'discord-bot' does not exist")
  })

  test('what is pushed is in the registry, and in ECR by the same digest', async () => {
    await aws('ecr', 'create-repository', '--repository-name', 'discord-bot')
    const name = await push('v1')
    const { imageDetails } = await aws('ecr', 'describe-images', '--repository-name', 'discord-bot')
    expect(imageDetails).toMatchObject([{ imageTags: ['v1'] }])
    image = name.replace(/:v1$/, `@${imageDetails[0].imageDigest}`)
    expect((await registry.ask('GET', '/v2/discord-bot/manifests/v1')).status).toBe(200)
    expect((await registry.ask('GET', `/v2/discord-bot/manifests/${imageDetails[0].imageDigest}`)).status).toBe(200)
  })

  test('a pod gets it by its pull secret, and not without', async () => {
    await apply(botPod('stranger', image, botEnv))
    await refused('stranger')
    await login(registry.password())
    await apply(botPod('bot', image, botEnv, withLogin))
    await kubectl('wait', '--for=condition=Ready', 'pod/bot', '--timeout=600s')
    const before = registry.password()
    await registry.setPassword('the next one')
    await apply(botPod('late', image, botEnv, withLogin))
    await refused('late')
    await registry.setPassword(before)
  })

  async function login(password: string): Promise<void> {
    const auths = { [registry.host]: { username: 'AWS', password } }
    await apply({
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'ecr-registry', namespace: 'default' } },
      ...{ type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': JSON.stringify({ auths }) } },
    })
  }

  test('the stand-in bot writes its session, and answers a message with an execution and an event', async () => {
    const scan = async (table: string) => (await aws('dynamodb', 'scan', '--table-name', table)).Items
    expect(await scan('discord_sessions')).toMatchObject([{ thread_id: { S: 'bot-bot' } }])
    const url = async (name: string) => (await aws('sqs', 'get-queue-url', '--queue-name', name)).QueueUrl
    await aws('sqs', 'send-message', '--queue-url', await url('discord-messages'), '--message-body', 'hello')
    await until('the execution', minutes, async () =>
      (await scan('discord_executions')).length > 0 ? true : undefined,
    )
    const received = await aws(
      'sqs',
      'receive-message',
      '--queue-url',
      await url('agentic-events'),
      '--wait-time-seconds',
      '5',
    )
    expect(received.Messages).toMatchObject([{ Body: 'hello' }])
    expect(await kubectl('logs', 'bot')).toBe('bot: bot listens on port 3000\nbot: ready\n')
    const proxy = '/api/v1/namespaces/default/pods/bot:3000/proxy'
    expect(await kubectl('get', '--raw', `${proxy}/health`)).toBe('ok\n')
    expect(await kubectl('get', '--raw', `${proxy}/ready`)).toBe('ready\n')
  })

  test('it names what it misses; a bad release crashes, or never gets ready', async () => {
    const { DISCORD_TOKEN: _, ...without } = botEnv
    const never = await push('never', { behaviour: 'never-ready' })
    const crash = await push('crash', { behaviour: 'crash' })
    await apply(botPod('without', image, without, withLogin))
    await apply(botPod('crash', crash, botEnv, withLogin))
    await apply(botPod('never', never, botEnv, withLogin))
    for (const name of ['without', 'crash'])
      await kubectl('wait', '--for=jsonpath={.status.phase}=Failed', `pod/${name}`, '--timeout=600s')
    expect(await kubectl('logs', 'without')).toBe('bot: these environment variables are missing: DISCORD_TOKEN\n')
    expect(await kubectl('logs', 'crash')).toBe('bot: this release is broken\n')
    const logs = until('the log', minutes, async () => {
      const text = (await kube.kubectl(['logs', 'never'])).stdout
      return text.includes('this release never gets ready') ? true : undefined
    })
    await logs
    const ready = 'jsonpath={.status.containerStatuses[0].ready}'
    expect(await kubectl('get', 'pod', 'never', '-o', ready)).toBe('false')
  })

  test('a real Dockerfile is built over Debian', async () => {
    await registry.addBase(await debian())
    const folder = await mkdtemp(join(tmpdir(), 'lab-image-'))
    try {
      const lines = [
        'FROM debian:trixie-slim',
        'RUN useradd --create-home --uid 1000 dev',
        'USER dev',
        'WORKDIR /home/dev',
      ]
      await writeFile(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`)
      const name = `${registry.host}/dev-sandbox:v1`
      await must(buildah(['bud', '-t', name, folder]))
      await aws('ecr', 'create-repository', '--repository-name', 'dev-sandbox')
      await must(buildah(['push', name]))
      await apply(
        pod(
          'sandbox',
          { name: 'sandbox', image: name, command: ['sh', '-c', 'id -un; pwd'] },
          { ...withLogin, restartPolicy: 'Never' },
        ),
      )
      await kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/sandbox', '--timeout=600s')
      expect(await kubectl('logs', 'sandbox')).toBe('dev\n/home/dev\n')
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
