import { apply } from '@infra/shared/engine/apply'
import { runChecks } from '@infra/shared/engine/check'
import { deploy } from '@infra/shared/engine/deploy'
import type { Event } from '@infra/shared/engine/events'
import { isConverged, makePlan } from '@infra/shared/engine/plan'
import { describe, expect, it } from 'vitest'
import { tables } from '../../cluster/scripts/10-dynamodb.ts'
import { account, failureOf, quiet, region, sampleArguments, secretKey, told, useAws } from './aws-lab.ts'
import { requireLab, title } from './prerequisites.ts'

const skip = requireLab('moto')
const yes = { ...quiet, agree: async () => {} }
const arn = (service: string, name: string) => `arn:aws:${service}:${region}:${account}:${name}`

// One account through its whole life, test after test.
describe.skipIf(skip)(title('the AWS half of the cluster', skip), () => {
  const lab = useAws({ keep: true })
  const { send, writes } = lab
  const url = (name: string) => `${lab.moto.endpoint}/${account}/${name}`
  const attributesOf = async (name: string) => {
    const asked = { QueueUrl: url(name), AttributeNames: ['All'] }
    type Answer = { Attributes: Record<string, string> }
    return (await send<Answer>('sqs', 'get-queue-attributes', asked)).Attributes
  }

  it('is made from nothing, then there is nothing to do and nothing is written', async () => {
    const { work } = lab.cluster({}, { account: undefined })
    const seen = sampleArguments()
    let planned: string[] = []
    const made = await deploy(work, {
      ...quiet,
      agree: async (plan) => {
        planned = told(plan)
        expect(writes()).toEqual([])
      },
    })
    const afterTables = planned.slice(planned.findIndex((line) => line.startsWith('create queue ')))
    expect(afterTables).toEqual([
      'create queue agentic-events-dlq (kept for 14 days)',
      'create queue agentic-events (kept for 14 days, dead letters to agentic-events-dlq after 3)',
      'create queue discord-messages-dlq (kept for 14 days)',
      'create queue discord-messages (kept for 14 days, dead letters to discord-messages-dlq after 3)',
      'create repository discord-bot',
      'create lifecycle of discord-bot: keep the last 10 images',
      'create repository dev-sandbox',
      'create lifecycle of dev-sandbox: keep the last 5 images',
      'create user discord-bot',
      'create policy discord-bot of user discord-bot',
    ])
    expect(made).toBe(planned.length)
    const args = await seen.stop()
    expect(args.filter((line) => line.includes(secretKey))).toEqual([])
    const [before, count] = [writes().length, lab.moto.requests().length]
    expect(before).toBe(planned.length)
    const again = await makePlan(lab.cluster().work, () => {})
    expect(told(again)).toEqual([])
    expect(isConverged(again)).toBe(true)
    expect(writes().length).toBe(before)
    // Who we are (to begin with, and for the policy), tables and 2 repositories of 3 questions, 4 queues of 2, user and policy.
    expect(lab.moto.requests().length - count).toBe(2 + (tables.length + 2) * 3 + 4 * 2 + 2)
  })

  it('is what the original says', async () => {
    const attributes = await attributesOf('agentic-events')
    expect(attributes).toMatchObject({
      DelaySeconds: '0',
      MaximumMessageSize: '262144',
      MessageRetentionPeriod: '1209600',
      ReceiveMessageWaitTimeSeconds: '0',
      VisibilityTimeout: '30',
    })
    expect(JSON.parse(attributes.RedrivePolicy ?? '')).toEqual({
      deadLetterTargetArn: arn('sqs', 'agentic-events-dlq'),
      maxReceiveCount: 3,
    })
    const dead = await attributesOf('agentic-events-dlq')
    expect(JSON.parse(dead.RedriveAllowPolicy ?? '')).toEqual({
      redrivePermission: 'byQueue',
      sourceQueueArns: [arn('sqs', 'agentic-events')],
    })
    const scanned = { imageTagMutability: 'MUTABLE', imageScanningConfiguration: { scanOnPush: true } }
    const { repositories } = await send<{ repositories: object[] }>('ecr', 'describe-repositories', {})
    expect(repositories).toMatchObject([
      { repositoryName: 'discord-bot', ...scanned },
      { repositoryName: 'dev-sandbox', ...scanned },
    ])
    const { PolicyDocument } = await send<{ PolicyDocument: { Statement: { Resource: string[] | string }[] } }>(
      'iam',
      'get-user-policy',
      { UserName: 'discord-bot', PolicyName: 'discord-bot' },
    )
    const resources = PolicyDocument.Statement.flatMap(({ Resource }) => Resource)
    expect(resources).toContain(arn('dynamodb', 'table/discord_executions/index/*'))
    expect(resources).toContain(arn('sqs', 'discord-messages'))
    expect(resources.filter((resource) => resource.includes('$') || resource.includes('-dlq'))).toEqual([])
  })

  it('passes all its checks, which leave nothing behind', async () => {
    await send('sqs', 'send-message', { QueueUrl: url('agentic-events-dlq'), MessageBody: "somebody's" })
    const found: Event[] = []
    const { checks } = lab.cluster()
    const counts = await runChecks(checks, (event) => void found.push(event))
    const wrong = found.flatMap((event) => (event.type === 'check' && event.outcome !== 'ok' ? [event] : []))
    expect(wrong).toMatchObject([
      {
        id: 'sqs.agentic-events-dlq.round-trip',
        outcome: 'warn',
        detail: 'sent, received, deleted; 1 dead letters wait to be looked at',
      },
    ])
    expect(counts).toEqual({ ok: checks.length - 1, warn: 1, fail: 0, skipped: 0 })
    const { Items } = await send<{ Items: unknown[] }>('dynamodb', 'scan', { TableName: 'discord_executions' })
    expect(Items).toEqual([])
    const left = async (name: string) => {
      const { ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible } = await attributesOf(name)
      return Number(ApproximateNumberOfMessages) + Number(ApproximateNumberOfMessagesNotVisible)
    }
    expect(await Promise.all(['agentic-events', 'agentic-events-dlq', 'discord-messages-dlq'].map(left))).toEqual([
      0, 1, 0,
    ])
  })

  it('shows every damage as itself and mends it', async () => {
    const QueueUrl = url('discord-messages')
    const dead = url('discord-messages-dlq')
    const repositoryName = 'discord-bot'
    const of = { UserName: 'discord-bot' }
    const rules = [
      {
        rulePriority: 7,
        selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 10 },
        action: { type: 'expire' },
      },
    ]
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
    })
    const damages: [service: string, operation: string, input: Record<string, never | unknown>, change: string][] = [
      [
        'sqs',
        'set-queue-attributes',
        { QueueUrl, Attributes: { VisibilityTimeout: '20', MessageRetentionPeriod: '600' } },
        'update queue discord-messages: retention 600 → 1209600, visibility 20 → 30',
      ],
      [
        'sqs',
        'set-queue-attributes',
        {
          QueueUrl,
          Attributes: {
            RedrivePolicy: JSON.stringify({
              deadLetterTargetArn: arn('sqs', 'agentic-events-dlq'),
              maxReceiveCount: 9,
            }),
          },
        },
        'update queue discord-messages: dead letters agentic-events-dlq after 9 → discord-messages-dlq after 3',
      ],
      [
        'sqs',
        'set-queue-attributes',
        { QueueUrl: dead, Attributes: { RedriveAllowPolicy: JSON.stringify({ redrivePermission: 'denyAll' }) } },
        'update queue discord-messages-dlq: takes the dead letters of discord-messages only',
      ],
      [
        'sqs',
        'tag-queue',
        { QueueUrl, Tags: { Environment: 'test' } },
        'update tags of discord-messages: Environment test → production',
      ],
      [
        'ecr',
        'put-image-tag-mutability',
        { repositoryName, imageTagMutability: 'IMMUTABLE' },
        'update tags of images in discord-bot IMMUTABLE → MUTABLE',
      ],
      [
        'ecr',
        'put-image-scanning-configuration',
        { repositoryName, imageScanningConfiguration: { scanOnPush: false } },
        'update scan on push of discord-bot on',
      ],
      [
        'ecr',
        'put-lifecycle-policy',
        { repositoryName, lifecyclePolicyText: JSON.stringify({ rules }) },
        'update lifecycle of discord-bot: keep the last 10 images [data]',
      ],
      [
        'ecr',
        'untag-resource',
        { resourceArn: arn('ecr', 'repository/discord-bot'), tagKeys: ['managed-by'] },
        'update tags of discord-bot: managed-by=infra',
      ],
      [
        'iam',
        'put-user-policy',
        { ...of, PolicyName: 'discord-bot', PolicyDocument },
        'update policy discord-bot of user discord-bot',
      ],
      [
        'iam',
        'delete-user-policy',
        { ...of, PolicyName: 'discord-bot' },
        'create policy discord-bot of user discord-bot',
      ],
    ]
    for (const [service, operation, input, change] of damages) {
      await send(service, operation, input as never)
      const { work } = lab.cluster()
      const [plan, count] = [await makePlan(work, () => {}), writes().length]
      expect(told(plan)).toEqual([change])
      // Ends by asking all again: nothing may be left to do.
      expect(await apply(plan, work, quiet)).toBe(1)
      expect(writes().length).toBe(count + 1)
    }
  })

  it('warns of rights that others gave to its user', async () => {
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' },
    })
    await send('iam', 'put-user-policy', { UserName: 'discord-bot', PolicyName: 'more', PolicyDocument })
    const found: Event[] = []
    const checks = lab.cluster().checks.filter(({ id }) => id === 'iam.user')
    expect(await runChecks(checks, (event) => void found.push(event))).toMatchObject({ warn: 1 })
    expect(found).toContainEqual(expect.objectContaining({ detail: 'it has more: more' }))
  })

  it('adopts what others made, and leaves what is theirs', async () => {
    await lab.moto.reset()
    await send('sqs', 'create-queue', {
      QueueName: 'agentic-events',
      Attributes: { VisibilityTimeout: '30', MessageRetentionPeriod: '1209600', MaximumMessageSize: '262144' },
      tags: { Team: 'bots', Name: 'agentic-events' },
    })
    await send('ecr', 'create-repository', {
      repositoryName: 'discord-bot',
      imageScanningConfiguration: { scanOnPush: true },
      tags: [{ Key: 'Team', Value: 'bots' }],
    })
    const rules = [
      {
        rulePriority: 3,
        description: 'in other words',
        selection: { countNumber: 10, countType: 'imageCountMoreThan', tagStatus: 'any' },
        action: { type: 'expire' },
      },
    ]
    const lifecyclePolicyText = JSON.stringify({ rules })
    await send('ecr', 'put-lifecycle-policy', { repositoryName: 'discord-bot', lifecyclePolicyText })
    const { work } = lab.cluster()
    const chosen = work.filter(({ script }) => script === 'sqs' || script === 'ecr')
    const plan = await makePlan(chosen, () => {})
    expect(
      told(plan).filter((change) => /agentic-events[: ]|discord-bot/.test(change) && !/create queue/.test(change)),
    ).toEqual([
      'update queue agentic-events: dead letters nowhere → agentic-events-dlq after 3',
      'update tags of agentic-events: Environment=production, managed-by=infra',
      'update tags of discord-bot: Name=discord-bot, Environment=production, managed-by=infra',
    ])
    await apply(plan, chosen, quiet)
    const tags = await send<{ Tags: object }>('sqs', 'list-queue-tags', { QueueUrl: url('agentic-events') })
    expect(tags.Tags).toMatchObject({ Team: 'bots' })
  })

  it('refuses what cannot be changed, before anything is; what is encrypted otherwise stays so', async () => {
    await lab.moto.reset()
    const encryptionConfiguration = { encryptionType: 'KMS' }
    await send('ecr', 'create-repository', { repositoryName: 'dev-sandbox', encryptionConfiguration })
    await send('sqs', 'create-queue', { QueueName: 'agentic-events', Attributes: { VisibilityTimeout: '300' } })
    await send('dynamodb', 'create-table', {
      TableName: 'discord_sessions',
      AttributeDefinitions: [{ AttributeName: 'other', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'other', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    })
    const { work } = lab.cluster()
    const count = writes().length
    const failure = await failureOf(deploy(work, yes))
    expect(failure.message).toMatch(/^table discord_sessions has the keys other S instead of thread_id S/)
    expect(failure.remedy).toContain('Meanwhile --skip-tags dynamodb deploys the rest.')
    expect(writes().length).toBe(count)
    const rest = work.filter(({ script }) => script !== 'dynamodb')
    const plan = await makePlan(rest, () => {})
    expect(told(plan)).toContainEqual(expect.stringMatching(/agentic-events: .*visibility 300 → 30 \(who .*\[data\]$/))
    const notes = plan.steps.flatMap(({ decision }) => (decision?.kind === 'changes' ? (decision.notes ?? []) : []))
    expect(notes).toContain('repository dev-sandbox is encrypted by KMS, which is left as it is')
    // The account stands in what is shown of the policy, although its user is yet to be made.
    expect(JSON.stringify(plan.steps)).toContain(`\\\\"arn:aws:sqs:${region}:${account}:agentic-events`)
  })

  it('needs no user with keys of your own', async () => {
    const { work, checks } = lab.cluster({ BOT_AWS_ACCESS_KEY_ID: {} as never })
    expect(work.find(({ script }) => script === 'iam')?.steps).toEqual([])
    expect(checks.some(({ id }) => id.startsWith('iam'))).toBe(false)
  })
})
