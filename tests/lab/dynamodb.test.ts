import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { secret } from '@infra/shared/command/secret'
import { apply } from '@infra/shared/engine/apply'
import { runChecks } from '@infra/shared/engine/check'
import { deploy } from '@infra/shared/engine/deploy'
import type { Event } from '@infra/shared/engine/events'
import { Failure } from '@infra/shared/engine/failure'
import { assertSound, changesOf, isConverged, makePlan, type Plan, type Work } from '@infra/shared/engine/plan'
import { type TableOptions, table } from '@infra/shared/steps/dynamodb'
import { type AwsOptions, awsAccount } from '@infra/shared/targets/aws'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { dynamodbChecks } from '../../cluster/checks/dynamodb.ts'
import type { ClusterContext } from '../../cluster/cluster-context.ts'
import dynamodb from '../../cluster/scripts/10-dynamodb.ts'
import { listen } from './http.ts'
import { type Moto, startMoto } from './moto.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'

const skip = requireLab('moto')
const region = 'ca-central-1'
const account = '123456789012' // moto's
const secretKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const keys = { id: secret('AKIAIOSFODNN7EXAMPLE'), secret: secret(secretKey) }

const wish: TableOptions = {
  name: 'messages',
  hash: 'pk S',
  range: 'sk S',
  indexes: [{ name: 'by-time', hash: 'pk S', range: 'timestamp N', projection: 'ALL' }],
  ttl: 'ttl',
  tags: { Name: 'messages', 'managed-by': 'infra' },
  deletionProtection: true,
  pointInTimeRecovery: true,
}

describe.skipIf(skip)(title('DynamoDB by the aws CLI', skip), { timeout: 240_000 }, () => {
  let moto: Moto
  const before = { ...process.env }
  const open = (options: Partial<AwsOptions> = {}) =>
    awsAccount({ region, account, endpoint: moto.endpoint, keys, ...options })
  const writes = () => moto.requests().filter((request) => request.writes)
  const tableWork = (want = wish, options: Partial<AwsOptions> = {}): Work[] => [
    { script: 'dynamodb', steps: [table(open(options), want)] },
  ]

  beforeAll(async () => {
    moto = await startMoto()
    const { PATH, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, AWS_EC2_METADATA_DISABLED } = moto.env
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
    Object.assign(process.env, { PATH, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, AWS_EC2_METADATA_DISABLED })
  }, 240_000)
  beforeEach(() => moto.reset())
  afterAll(async () => {
    process.env = before
    await moto?.stop()
  })

  /** Asks moto itself, without the half second of a CLI. */
  async function dynamo<T>(operation: string, input: object): Promise<T> {
    const response = await fetch(moto.endpoint, {
      method: 'POST',
      headers: {
        'x-amz-target': `DynamoDB_20120810.${operation}`,
        'content-type': 'application/x-amz-json-1.0',
        authorization: `AWS4-HMAC-SHA256 Credential=x/20260101/${region}/dynamodb/aws4_request, SignedHeaders=host, Signature=x`,
      },
      body: JSON.stringify(input),
    })
    if (!response.ok) throw new Error(`${operation}: ${await response.text()}`)
    return (await response.json()) as T
  }

  it('makes the four tables of the cluster, then finds nothing to do', async () => {
    const context = { env: { AWS_REGION: region, CLUSTER_PITR: false }, aws: open() } as unknown as ClusterContext
    const work = [{ script: 'dynamodb', steps: dynamodb.steps(context) }]
    const seen = sampleArguments()
    let planned: string[] = []
    let writesOfPlan = -1
    const made = await deploy(work, {
      ...quiet,
      agree: async (plan) => {
        planned = told(plan)
        writesOfPlan = writes().length
      },
    })
    expect(writesOfPlan).toBe(0)
    expect(planned).toEqual([
      'create table discord_sessions (thread_id S)',
      'create table discord_executions, index thread_id-index (execution_id S)',
      'create expiry of discord_executions by ttl',
      'create table discord-messages, index TimestampIndex (pk S + sk S)',
      'create expiry of discord-messages by ttl',
      'create table chat_history (date S + last_message_timestamp N)',
      'create expiry of chat_history by ttl',
    ])
    expect(made).toBe(planned.length)
    const args = await seen.stop()
    expect(args.some((line) => line.includes('create-table'))).toBe(true)
    expect(args.filter((line) => line.includes(secretKey))).toEqual([])

    const asked = moto.requests().length
    const again = await makePlan(work, () => {})
    expect(isConverged(again)).toBe(true)
    expect(moto.requests().length - asked).toBe(12) // 4 tables: keys, expiry, tags
    expect(writes().length).toBe(planned.length)
    expect(await runChecks(dynamodbChecks(context), () => {})).toEqual({ ok: 4, warn: 0, fail: 0, skipped: 0 })
    await dynamo('UpdateTable', { TableName: 'chat_history', DeletionProtectionEnabled: false })
    await dynamo('DeleteTable', { TableName: 'chat_history' })
    expect(await runChecks(dynamodbChecks(context), () => {})).toEqual({ ok: 3, warn: 0, fail: 1, skipped: 0 })
  })

  it('shows every damage as itself and mends it', async () => {
    const work = tableWork()
    await deploy(work, { ...quiet, agree: async () => {} })
    const TableName = wish.name
    const ResourceArn = `arn:aws:dynamodb:${region}:${account}:table/${TableName}`
    const recovery = { TableName, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false } }
    const damages: [operation: string, input: object, change: string][] = [
      [
        'UpdateTimeToLive',
        { TableName, TimeToLiveSpecification: { Enabled: false, AttributeName: 'ttl' } },
        'create expiry of messages by ttl [data]',
      ],
      ['UntagResource', { ResourceArn, TagKeys: ['managed-by'] }, 'update tags of messages: managed-by=infra'],
      [
        'TagResource',
        { ResourceArn, Tags: [{ Key: 'Name', Value: 'x' }] },
        'update tags of messages: Name x → messages',
      ],
      ['UpdateTable', { TableName, DeletionProtectionEnabled: false }, 'update deletion protection of messages'],
      ['UpdateContinuousBackups', recovery, 'create point-in-time recovery of messages'],
      [
        'UpdateTable',
        {
          TableName,
          BillingMode: 'PROVISIONED',
          ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
        },
        'update billing of messages provisioned → by request',
      ],
      [
        'UpdateTable',
        { TableName, GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: 'by-time' } }] },
        'create index by-time of messages (pk S + timestamp N, ALL)',
      ],
    ]
    for (const [operation, input, change] of damages) {
      await dynamo(operation, input)
      const count = writes().length
      const plan = await makePlan(work, () => {})
      expect(told(plan)).toEqual([change])
      expect(writes().length).toBe(count)
      // Ends by asking all again: nothing may be left to do.
      expect(await apply(plan, work, quiet)).toBe(1)
    }
  })

  it('adopts a table of another, changing only what differs', async () => {
    await dynamo('CreateTable', {
      TableName: wish.name,
      AttributeDefinitions: ['pk S', 'sk S', 'timestamp N', 'owner S'].map(attribute),
      KeySchema: keySchema('pk', 'sk'),
      BillingMode: 'PAY_PER_REQUEST',
      Tags: [
        { Key: 'Name', Value: 'messages' },
        { Key: 'Team', Value: 'bots' },
      ],
      GlobalSecondaryIndexes: [
        { IndexName: 'by-time', KeySchema: keySchema('pk', 'timestamp'), Projection: { ProjectionType: 'ALL' } },
        { IndexName: 'by-owner', KeySchema: keySchema('owner'), Projection: { ProjectionType: 'ALL' } },
      ],
    })
    await dynamo('PutItem', { TableName: wish.name, Item: { pk: { S: '1' }, sk: { S: '2' } } })
    let planned: string[] = []
    await deploy(tableWork(), { ...quiet, agree: async (plan) => void (planned = told(plan)) })
    expect(planned).toEqual([
      'create expiry of messages by ttl [data]',
      'update tags of messages: managed-by=infra',
      'update deletion protection of messages',
      'create point-in-time recovery of messages',
    ])
    const { Tags } = await dynamo<{ Tags: unknown[] }>('ListTagsOfResource', {
      ResourceArn: `arn:aws:dynamodb:${region}:${account}:table/${wish.name}`,
    })
    expect(Tags).toHaveLength(3)
    const { Table } = await dynamo<{ Table: { GlobalSecondaryIndexes: unknown[]; ItemCount: number } }>(
      'DescribeTable',
      { TableName: wish.name },
    )
    expect([Table.GlobalSecondaryIndexes.length, Table.ItemCount]).toEqual([2, 1])
  })

  it('refuses a table with other keys, and changes nothing of it', async () => {
    await dynamo('CreateTable', {
      TableName: wish.name,
      AttributeDefinitions: ['threadId S', 'sortKey S'].map(attribute),
      KeySchema: keySchema('threadId', 'sortKey'),
      BillingMode: 'PAY_PER_REQUEST',
    })
    const count = writes().length
    const failure = await failureOf(deploy(tableWork(), { ...quiet, agree: async () => {} }))
    expect(failure.message).toMatch(/has the keys threadId S \+ sortKey S instead of pk S \+ sk S/)
    expect(failure.remedy).toMatch(/No table is replaced here/)
    expect(writes().length).toBe(count)
  })

  it('heals a run that was killed after the table was made', async () => {
    const run = join(import.meta.dirname, 'dynamodb-run.ts')
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', run, '--endpoint', moto.endpoint, '--table', JSON.stringify(wish)],
      { stdio: 'inherit' },
    )
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await until('the table to be made', 120_000, async () => writes().length > 0 || undefined)
    child.kill('SIGKILL')
    await ended
    expect(writes().map(({ operation }) => operation)).toEqual(['DynamoDB_20120810.CreateTable'])
    const work = tableWork()
    const plan = await makePlan(work, () => {})
    expect(told(plan)).toEqual(['create expiry of messages by ttl [data]', 'create point-in-time recovery of messages'])
    expect(await apply(plan, work, quiet)).toBe(2)
  })

  it('says each fault on the way in one clear error', async () => {
    const fault = (options: Partial<AwsOptions>) => failureOf(makePlan(tableWork(wish, options), () => {}))
    expect(await fault({ keys: undefined })).toMatchObject({
      kind: 'unreachable',
      message: 'there are no AWS credentials',
    })
    expect(await fault({ endpoint: 'http://127.0.0.1:1' })).toMatchObject({
      kind: 'unreachable',
      message: 'http://127.0.0.1:1 does not answer as AWS does',
    })
    expect(await fault({ account: '999999999999' })).toMatchObject({
      kind: 'error',
      message: `these credentials belong to AWS account ${account}, not to 999999999999`,
    })
    const path = process.env.PATH
    process.env.PATH = '/nowhere'
    expect(await fault({}).finally(() => Object.assign(process.env, { PATH: path }))).toMatchObject({
      kind: 'error',
      message: 'the aws CLI is not installed',
    })
    expect(writes()).toEqual([])
  })

  it('comes again when it is throttled, and says so when that does not end', async () => {
    let busy = 0
    // Stands before moto and turns calls away.
    const gate = await listen(['127.0.0.1'], 0, (request, response) => {
      const away = busy > 0
      if (away) busy -= 1
      void (async () => {
        const chunks: Buffer[] = []
        for await (const chunk of request) chunks.push(chunk as Buffer)
        const { host: _, 'content-length': __, connection: ___, ...headers } = request.headers
        const reply = away
          ? {
              status: 400,
              body: '{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"Rate exceeded"}',
            }
          : await fetch(moto.endpoint, {
              method: 'POST',
              headers: headers as Record<string, string>,
              body: Buffer.concat(chunks),
            }).then(async (answer) => ({ status: answer.status, body: await answer.text() }))
        response.writeHead(reply.status, { 'content-type': 'application/x-amz-json-1.0' }).end(reply.body)
      })()
    })
    const options = { endpoint: `http://127.0.0.1:${gate.port}`, pauses: [0.1] }
    try {
      busy = 4 // the CLI itself tries three times
      const plan = await makePlan(tableWork({ ...wish, pointInTimeRecovery: false }, options), () => {})
      assertSound(plan)
      busy = Number.POSITIVE_INFINITY
      expect(await failureOf(makePlan(tableWork(wish, options), () => {}))).toMatchObject({
        kind: 'unreachable',
        message: 'AWS asks for fewer calls (throttling), again and again',
      })
    } finally {
      await gate.stop()
    }
  })
})

const quiet = { emit: (_: Event) => {}, stopping: () => false, holder: 'the test', lockTimeout: 0 }

const told = (plan: Plan) =>
  plan.steps.flatMap((planned) =>
    changesOf(planned).map(({ verb, say, risk }) => `${verb} ${say}${risk === 'safe' ? '' : ` [${risk}]`}`),
  )

const attribute = (text: string) => {
  const [AttributeName, AttributeType] = text.split(' ')
  return { AttributeName, AttributeType }
}
const keySchema = (hash: string, range?: string) => [
  { AttributeName: hash, KeyType: 'HASH' },
  ...(range ? [{ AttributeName: range, KeyType: 'RANGE' }] : []),
]

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (error) => error,
  )
  if (error instanceof Failure) return error
  throw error
}

/** The command lines of all processes of this machine, looked at again and again. */
function sampleArguments() {
  const seen = new Set<string>()
  const timer = setInterval(() => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))
      } catch {} // ended meanwhile
    }
  }, 100)
  return {
    stop: async () => {
      clearInterval(timer)
      return [...seen]
    },
  }
}
