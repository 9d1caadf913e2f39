import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { apply } from '@infra/shared/engine/apply'
import { runChecks } from '@infra/shared/engine/check'
import { deploy } from '@infra/shared/engine/deploy'
import { isConverged, makePlan } from '@infra/shared/engine/plan'
import { describe, expect, it } from 'vitest'
import { dynamodbChecks } from '../../cluster/checks/dynamodb.ts'
import type { ClusterContext } from '../../cluster/context.ts'
import { clusterSchema } from '../../cluster/env/env.ts'
import dynamodb, { tables } from '../../cluster/scripts/10-dynamodb.ts'
import { launcher } from '../support/cli.ts'
import { account, desired, failureOf, quiet, region, sampleArguments, secretKey, told, useAws } from './aws-lab.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'

const skip = requireLab('moto')
describe.skipIf(skip)(title('DynamoDB by the aws CLI', skip), () => {
  const lab = useAws()
  const { open, dynamo, writes, tableWork } = lab

  it('makes the tables of the cluster, then finds nothing to do', async () => {
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
    expect(planned).toEqual(
      expect.arrayContaining([
        'create table discord_sessions (thread_id S)',
        'create table discord_executions, index thread_id-index (execution_id S)',
        'create expiry of discord_executions by ttl',
        'create table discord-messages, index TimestampIndex (pk S + sk S)',
        'create expiry of discord-messages by ttl',
        'create table chat_history (date S + last_message_timestamp N)',
        'create expiry of chat_history by ttl',
      ]),
    )
    expect(planned.filter((line) => line.startsWith('create table '))).toHaveLength(tables.length)
    expect(made).toBe(planned.length)
    const args = await seen.stop()
    expect(args.some((line) => line.includes('create-table'))).toBe(true)
    expect(args.filter((line) => line.includes(secretKey))).toEqual([])
    expect(args.filter((line) => / describe-/.test(line) && !line.includes('--query'))).toEqual([])

    const asked = lab.moto.requests().length
    const again = await makePlan(work, () => {})
    expect(isConverged(again)).toBe(true)
    expect(lab.moto.requests().length - asked).toBe(3 * tables.length) // keys, expiry, tags
    expect(writes().length).toBe(planned.length)
    const checks = dynamodbChecks(context)
    expect(await runChecks(checks, () => {})).toEqual({ ok: checks.length, warn: 0, fail: 0, skipped: 0 })
    await dynamo('UpdateTable', { TableName: 'chat_history', DeletionProtectionEnabled: false })
    await dynamo('DeleteTable', { TableName: 'chat_history' })
    expect(await runChecks(checks, () => {})).toEqual({ ok: checks.length - 1, warn: 0, fail: 1, skipped: 0 })
  })

  it('shows every damage as itself and mends it', async () => {
    const work = tableWork()
    await deploy(work, { ...quiet, agree: async () => {} })
    const TableName = desired.name
    const ResourceArn = `arn:aws:dynamodb:${region}:${account}:table/${TableName}`
    const recovery = { TableName, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false } }
    const damages: [operation: string, input: object, change: string][] = [
      [
        'UpdateTimeToLive',
        { TableName, TimeToLiveSpecification: { Enabled: false, AttributeName: 'ttl' } },
        'create expiry of messages by ttl [data]',
      ],
      // moto keeps the old tag beside a new one of the same key, so it is taken away first.
      ['UntagResource', { ResourceArn, TagKeys: ['managed-by', 'Name'] }, ''],
      [
        'TagResource',
        { ResourceArn, Tags: [{ Key: 'Name', Value: 'x' }] },
        'update tags of messages: Name x → messages, managed-by=infra',
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
      if (change === '') continue
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
      TableName: desired.name,
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
    await dynamo('PutItem', { TableName: desired.name, Item: { pk: { S: '1' }, sk: { S: '2' } } })
    let planned: string[] = []
    await deploy(tableWork(), {
      ...quiet,
      agree: async (plan) => {
        planned = told(plan)
      },
    })
    expect(planned).toEqual([
      'create expiry of messages by ttl [data]',
      'update tags of messages: managed-by=infra',
      'update deletion protection of messages',
      'create point-in-time recovery of messages',
    ])
    const { Tags } = await dynamo<{ Tags: unknown[] }>('ListTagsOfResource', {
      ResourceArn: `arn:aws:dynamodb:${region}:${account}:table/${desired.name}`,
    })
    expect(Tags).toHaveLength(3)
    const { Table } = await dynamo<{ Table: { GlobalSecondaryIndexes: unknown[]; ItemCount: number } }>(
      'DescribeTable',
      { TableName: desired.name },
    )
    expect([Table.GlobalSecondaryIndexes.length, Table.ItemCount]).toEqual([2, 1])
  })

  it('refuses a table with other keys, and changes nothing of it', async () => {
    await dynamo('CreateTable', {
      TableName: desired.name,
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

  it('takes tables as the original made them, once the variables are set that the refusals name', async () => {
    const made = async (TableName: string, keys: string[], index?: [string, string, string]) =>
      dynamo('CreateTable', {
        TableName,
        AttributeDefinitions: [
          ...new Set([...keys.map((key) => `${key} S`), ...(index ? [`${index[1]} S`, `${index[2]} N`] : [])]),
        ].map(attribute),
        KeySchema: keySchema(keys[0] as string, keys[1]),
        BillingMode: 'PAY_PER_REQUEST',
        ...(index && {
          GlobalSecondaryIndexes: [
            { IndexName: index[0], KeySchema: keySchema(index[1], index[2]), Projection: { ProjectionType: 'ALL' } },
          ],
        }),
      })
    await made('discord-messages', ['threadId', 'sortKey'], ['TimestampIndex', 'threadId', 'timestamp'])
    await made('chat_history', ['day'])
    await dynamo('PutItem', { TableName: 'discord-messages', Item: { threadId: { S: '1' }, sortKey: { S: '2' } } })
    const TimeToLiveSpecification = { Enabled: true, AttributeName: 'expires_at' }
    await dynamo('UpdateTimeToLive', { TableName: 'discord-messages', TimeToLiveSpecification })
    const env: Record<string, string | boolean> = { AWS_REGION: region, CLUSTER_PITR: false }
    const context = () => ({ env, aws: open() }) as unknown as ClusterContext
    const work = () => [{ script: 'dynamodb', steps: dynamodb.steps(context()) }]
    const refused = () => failureOf(deploy(work(), { ...quiet, agree: async () => {} }))
    /** Sets what a remedy says, as an operator would. */
    const follow = (remedy = '') => {
      for (const [, entry = '', name = ''] of remedy.matchAll(/add (\S+) to (DYNAMODB_\w+)/g))
        env[name] = [...(env[name] ? [env[name]] : []), entry].join(',')
      for (const name of ['DYNAMODB_KEYS', 'DYNAMODB_TTL'] as const)
        expect(clusterSchema.variables[name].safeParse(env[name]).success).toBe(true)
    }
    const keys = await refused()
    expect(keys.message).toBe(
      "table discord-messages has the keys threadId S + sortKey S instead of pk S + sk S, and a table's keys cannot be changed",
    )
    expect(keys.remedy).toContain('Meanwhile --skip-tags dynamodb deploys the rest.')
    follow(keys.remedy)
    expect(env.DYNAMODB_KEYS).toBe(
      'discord-messages=threadId+sortKey,discord-messages/TimestampIndex=threadId+timestamp:N,chat_history=day',
    )
    const expiry = await refused()
    expect(expiry.message).toMatch(/^table discord-messages: items of discord-messages expire by expires_at/)
    follow(expiry.remedy)
    await deploy(work(), { ...quiet, agree: async () => {} })
    expect(isConverged(await makePlan(work(), () => {}))).toBe(true)
    const checks = dynamodbChecks(context())
    expect(await runChecks(checks, () => {})).toEqual({ ok: checks.length, warn: 0, fail: 0, skipped: 0 })
    const { Count } = await dynamo<{ Count: number }>('Scan', { TableName: 'discord-messages' })
    expect(Count).toBe(1)
    env.DYNAMODB_KEYS = 'messages=a'
    expect(() => work()).toThrow('DYNAMODB_KEYS names messages, which is no table')
  })

  it('heals a run that was killed after the table was made', async () => {
    const run = join(import.meta.dirname, 'dynamodb-run.ts')
    const child = spawn(
      process.execPath,
      [launcher, run, '--endpoint', lab.moto.endpoint, '--table', JSON.stringify(desired)],
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
})

const attribute = (text: string) => {
  const [AttributeName, AttributeType] = text.split(' ')
  return { AttributeName, AttributeType }
}
const keySchema = (hash: string, range?: string) => [
  { AttributeName: hash, KeyType: 'HASH' },
  ...(range ? [{ AttributeName: range, KeyType: 'RANGE' }] : []),
]
