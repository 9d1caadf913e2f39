import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tables } from '../../cluster/scripts/10-dynamodb.ts'
import { type CliResult, runCli } from '../support/cli.ts'
import { clusterSettings } from './cluster-settings.ts'
import { type DigitalOceanFake, startDigitalOcean } from './digitalocean-fake.ts'
import { type Moto, startMoto } from './moto.ts'
import { expectEnd } from './page-line-runs.ts'
import { onAws, typed } from './page-lines.ts'
import { requireLab, title } from './prerequisites.ts'
import { must, run } from './run.ts'

const skip = requireLab('moto')
describe.skipIf(skip)(title('output, status and destroy of the cluster, by its AWS half', skip), () => {
  let moto: Moto
  let fake: DigitalOceanFake
  let root: string
  const scripts = 'dynamodb,sqs,ecr,iam'

  const cliWith = (env: Readonly<Record<string, string | undefined>>, ...args: string[]) =>
    runCli('cluster', args, {
      root,
      env: {
        ...moto.env,
        ...clusterSettings,
        ...{ AWS_SESSION_TOKEN: '', KUBECONFIG: undefined, KUBE_CONTEXT: undefined },
        ...{ DIGITALOCEAN_TOKEN: fake.token, DIGITALOCEAN_API_URL: fake.endpoint },
        ...{ DIGITALOCEAN_ACCESS_TOKEN: undefined, HOME: root, ...env },
      },
    })
  const cli = (...args: string[]) => cliWith({}, ...args)
  const good = (result: CliResult): string => {
    expect(result.code, result.stdout + result.stderr).toBe(0)
    return result.stdout
  }
  const ask = (...args: string[]) =>
    must('aws', [...args, '--endpoint-url', moto.endpoint, '--region', 'ca-central-1', '--output', 'text'], {
      env: moto.env,
    })

  beforeAll(async () => {
    moto = await startMoto()
    fake = await startDigitalOcean() // an account without any cluster
    root = mkdtempSync(join(tmpdir(), 'cluster-'))
    // In the place of docker, which would ask the registry.
    writeFileSync(join(root, 'docker'), '#!/bin/sh\n[ -n "$(cat)" ] && echo "signed in at $5 as $3"\n', { mode: 0o755 })
    // These two were there before, the queue as well.
    await ask('ecr', 'create-repository', '--repository-name', 'dev-sandbox')
    await ask('iam', 'create-user', '--user-name', 'discord-bot')
    await ask('sqs', 'create-queue', '--queue-name', 'agentic-events-dlq')
    good(await cli('deploy', '--tags', scripts, '--yes', '--skip-verification'))
  })
  afterAll(async () => {
    await moto?.stop()
    await fake?.stop()
    rmSync(root, { recursive: true, force: true })
  })

  it('gives one value as it is, for a shell', async () => {
    const url = good(await cli('output', 'discord_messages_queue_url'))
    expect(url).toBe(
      `${await ask('sqs', 'get-queue-url', '--queue-name', 'discord-messages').then((text) => text.trim())}\n`,
    )
    expect(good(await cli('output', 'discord_messages_table_name'))).toBe('discord-messages\n')
    // As it was with Terraform: `output -raw NAME`.
    expect(good(await cli('output', '-raw', 'discord_messages_table_name'))).toBe('discord-messages\n')
    expect(JSON.parse(good(await cli('output', 'region', '--json')))).toBe('ca-central-1')
  })

  it('gives all of them as JSON, and null for what is not there yet', async () => {
    const all = JSON.parse(good(await cli('output', '--json')))
    expect(all).toMatchObject({
      agentic_events_queue_url: expect.stringMatching(/\/agentic-events$/),
      discord_messages_dlq_queue_url: expect.stringMatching(/\/discord-messages-dlq$/),
      discord_bot_repository_url: '123456789012.dkr.ecr.ca-central-1.amazonaws.com/discord-bot',
      account_id: '123456789012',
      cluster_endpoint: null,
    })
    expect(good(await cli('output'))).toContain('cluster_endpoint = (not there yet)')
  })

  it('refuses a name that there is none of, and tells of one that is not known yet', async () => {
    const wrong = await cli('output', 'discord_message_queue_url')
    expect([wrong.code, wrong.stdout]).toEqual([64, ''])
    expect(wrong.stderr).toContain('Did you mean discord_messages_queue_url?')
    const early = await cli('output', 'cluster_endpoint')
    expect([early.code, early.stdout]).toEqual([1, ''])
    expect(early.stderr).toContain('cluster_endpoint is not known yet')
  })

  it.concurrent.each(Object.entries(onAws))('gives the aws CLI what the pages ask it: %s', async (text, line) => {
    const region = 'ca-central-1'
    const env = { ...moto.env, AWS_REGION: region, AWS_DEFAULT_REGION: region, PATH: `${root}:${moto.env.PATH}` }
    // By a variable alone version 1 of the CLI finds every service but SQS.
    const aws = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'
    expectEnd(await run('bash', ['-c', `${aws}; ${typed(text, line)}`], { env }), line)
  })

  it('looks over all of it', async () => {
    const { stdout } = await cli('status')
    expect(stdout).toMatch(/agentic-events-dlq +0 +0/)
    expect(stdout).toMatch(/discord_sessions +ACTIVE +yes/)
    expect(stdout).toMatch(/discord-bot +0 +-/)
    expect(JSON.parse((await cli('status', '--json')).stdout).tables).toHaveLength(tables.length)
  })

  it('needs to know where the cluster is before it destroys anything', async () => {
    for (const args of [['--yes'], ['--check'], ['--yes', '--cluster', 'discord-bot-cluster']]) {
      const blind = await cliWith({ DIGITALOCEAN_TOKEN: undefined }, 'destroy', ...args)
      expect([blind.code, blind.stdout]).toEqual([1, ''])
      expect(blind.stderr).toContain('DIGITALOCEAN_TOKEN is not set: whether there is a cluster discord-bot-cluster')
    }
    const wrong = await cliWith({ AWS_ACCOUNT_ID: '210987654321' }, 'destroy', '--yes')
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('210987654321')])
    expect(await ask('ecr', 'describe-repositories')).toContain('discord-bot')
  })

  it('destroys nothing that holds data, nor what is not ours, nor what was adopted', async () => {
    const shown = await cli('destroy', '--check')
    expect(shown.stderr).toContain('cluster → aws 123456789012 ca-central-1')
    expect(good(shown)).toContain('repository discord-bot, 0 images  (data loss)')
    expect(shown.stdout).toContain('user discord-bot is kept: it was adopted, not made here (no tag created-by=infra)')
    expect(shown.stdout).toContain('table discord_sessions is kept, with what it holds')
    expect(shown.stdout).toContain('repository dev-sandbox is kept: it was adopted, not made here')
    const writes = moto.requests().filter((request) => request.writes).length
    const unasked = await cli('destroy')
    expect(unasked.code).toBe(64)
    expect(moto.requests().filter((request) => request.writes)).toHaveLength(writes)

    good(await cli('destroy', '--yes'))
    expect(await ask('dynamodb', 'list-tables')).toContain('chat_history')
    expect(await ask('sqs', 'list-queues')).toContain('agentic-events-dlq')
    expect(await ask('ecr', 'describe-repositories')).not.toContain('discord-bot')
    expect(await ask('ecr', 'describe-repositories')).toContain('dev-sandbox')
    expect(await ask('iam', 'list-users')).toContain('discord-bot')
    expect((await cli('destroy', '--yes')).stdout).toContain('nothing to change')

    const repository = 'arn:aws:ecr:ca-central-1:123456789012:repository/dev-sandbox'
    await ask('ecr', 'untag-resource', '--resource-arn', repository, '--tag-keys', 'managed-by')
    const named = ['--data', '--confirm', 'repository/dev-sandbox,user/discord-bot']
    expect(good(await cli('destroy', ...named, '--check'))).toContain('repository dev-sandbox is kept: it is not ours')
  })

  it('destroys a user that was named, of a group too, but none that is somebody’s', async () => {
    const named = ['destroy', '--yes', '--data', '--confirm', 'user/discord-bot']
    const user = ['--user-name', 'discord-bot']
    await ask('iam', 'create-group', '--group-name', 'bots')
    await ask('iam', 'add-user-to-group', '--group-name', 'bots', ...user)
    await ask('iam', 'create-access-key', ...user)
    await ask('iam', 'create-login-profile', ...user, '--password', 'Some-pass-word-17')
    const refused = await cli(...named)
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('aws iam delete-login-profile --user-name discord-bot'),
    ])
    // A key that nobody here made is never deleted; the remedy as printed lets the user go.
    expect(await ask('iam', 'list-access-keys', ...user)).toContain('AKIA')
    const [, foreign = ''] =
      refused.stderr.match(/delete-access-key --user-name discord-bot --access-key-id (\w+)/) ?? []
    await ask('iam', 'delete-access-key', ...user, '--access-key-id', foreign)
    await ask('iam', 'delete-login-profile', ...user)
    good(await cli(...named))
    expect(await ask('iam', 'list-users')).not.toContain('discord-bot')
    expect(good(await cli(...named))).toContain('nothing to change')
  })

  it('destroys data by its name only, whatever protects it', async () => {
    for (const [args, said] of [
      [['--data', '--yes'], '--confirm discord_sessions'],
      [['--data', '--yes', '--confirm', 'discord_session'], 'there is nothing called discord_session that holds data'],
      [['--yes', '--confirm', 'discord_sessions'], '--confirm goes with --data'],
      [['--yes', '--cluster', 'other'], '--cluster other is not the name of the cluster'],
    ] as const) {
      const { code, stderr } = await cli('destroy', ...args)
      expect([code, stderr]).toEqual([64, expect.stringContaining(said)])
    }
    const named = ['--data', '--confirm', 'discord_sessions,agentic-events', '--confirm', 'agentic-events-dlq']
    const shown = good(await cli('destroy', '--check', ...named))
    expect(shown).toContain('queue agentic-events-dlq, all its messages (adopted: it was not made here)  (data loss)')
    expect(shown).toContain('queue agentic-events, all its messages  (data loss)')
    good(await cli('destroy', '--yes', ...named))
    expect((await ask('dynamodb', 'list-tables')).split(/\s+/).sort()).toEqual(
      expect.arrayContaining(['chat_history', 'discord-messages', 'discord_executions']),
    )
    expect(await ask('dynamodb', 'list-tables')).not.toContain('discord_sessions')
    expect(await ask('sqs', 'list-queues')).not.toContain('agentic-events')
    expect(await ask('sqs', 'list-queues')).toContain('discord-messages-dlq')
  })
})
