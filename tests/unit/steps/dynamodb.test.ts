import { nothing, type Output } from '@infra/shared/command/command'
import type { Decision } from '@infra/shared/engine/step'
import {
  pointInTimeRecovery,
  type TableState,
  type TimeToLive,
  tableState,
  tableTags,
  timeToLive,
} from '@infra/shared/facts/dynamodb'
import { type TableOptions, table } from '@infra/shared/steps/dynamodb'
import { blankAws } from '@infra/shared/targets/aws'
import { describe, expect, it } from 'vitest'

const place = { region: 'ca-central-1' }
const on = blankAws(place)

const wish: TableOptions = {
  name: 'messages',
  hash: 'pk S',
  range: 'sk S',
  indexes: [{ name: 'by-time', hash: 'pk S', range: 'timestamp N', projection: 'ALL' }],
  ttl: 'ttl',
  tags: { Name: 'messages', 'managed-by': 'infra' },
  deletionProtection: true,
}

const there: TableState = {
  arn: 'arn:aws:dynamodb:ca-central-1:123456789012:table/messages',
  status: 'ACTIVE',
  hash: 'pk S',
  range: 'sk S',
  attributes: { pk: 'S', sk: 'S', timestamp: 'N' },
  indexes: { 'by-time': { status: 'ACTIVE', hash: 'pk S', range: 'timestamp N', projection: 'ALL' } },
  onDemand: true,
  deletionProtection: true,
}
const expiring: TimeToLive = { status: 'ENABLED', attribute: 'ttl' }
const off: TimeToLive = { status: 'DISABLED', attribute: undefined }
const absent = { table: null, ttl: null, tags: null }
const whole = { table: there, ttl: expiring, tags: { ...wish.tags, Team: 'bots' } }
const withIndex = (index: Partial<TableState['indexes'][string]>) => ({
  ...whole,
  table: {
    ...there,
    indexes: { 'by-time': { ...there.indexes['by-time'], ...index } as TableState['indexes'][string] },
  },
})

const decide = (now: Record<string, unknown>, want: TableOptions = wish) => table(on, want).plan(now, { pending: [] })
const say = (decision: Decision) =>
  decision.kind === 'changes'
    ? decision.changes.map(({ verb, say, risk }) => `${verb} ${say}${risk === 'safe' ? '' : ` [${risk}]`}`)
    : decision.kind === 'refused'
      ? [`refused: ${decision.reason}`]
      : []

interface Row {
  now: Record<string, unknown>
  wish?: Partial<TableOptions>
  changes: string[]
}

describe('a DynamoDB table', () => {
  it.each<[string, Row]>([
    [
      'is made whole where there is none',
      {
        now: absent,
        changes: ['create table messages, index by-time (pk S + sk S)', 'create expiry of messages by ttl'],
      },
    ],
    [
      'is made with recovery when that is wanted',
      {
        now: { ...absent, recovery: null },
        wish: { pointInTimeRecovery: true, indexes: [], ttl: '' },
        changes: ['create table messages (pk S + sk S)', 'create point-in-time recovery of messages'],
      },
    ],
    ['is left alone when all is there, with tags of others', { now: whole, changes: [] }],
    [
      'counts expiry that is being switched on',
      { now: { ...whole, ttl: { status: 'ENABLING', attribute: 'ttl' } }, changes: [] },
    ],
    [
      'lets items of an adopted table expire, which may lose some',
      { now: { ...whole, ttl: off }, changes: ['create expiry of messages by ttl [data]'] },
    ],
    [
      'stops the expiry of a table that keeps its items',
      {
        now: { ...whole, ttl: { status: 'ENABLED', attribute: 'gone' } },
        wish: { ttl: '' },
        changes: ['remove expiry of messages by gone'],
      },
    ],
    [
      'refuses to change the attribute of an expiry that is on',
      {
        now: { ...whole, ttl: { status: 'ENABLED', attribute: 'expires' } },
        changes: [
          'refused: items of messages expire by expires instead of ttl, and AWS does not change that while it is on',
        ],
      },
    ],
    [
      'refuses while the expiry is being switched off',
      {
        now: { ...whole, ttl: { status: 'DISABLING', attribute: 'ttl' } },
        changes: ['refused: the expiry of messages is being switched off'],
      },
    ],
    [
      'corrects its tags and adds the missing',
      {
        now: { ...whole, tags: { Name: 'old', Team: 'bots' } },
        changes: ['update tags of messages: Name old → messages, managed-by=infra'],
      },
    ],
    [
      'switches deletion protection on',
      {
        now: { ...whole, table: { ...there, deletionProtection: false } },
        changes: ['update deletion protection of messages'],
      },
    ],
    [
      'switches recovery on, never off',
      {
        now: { ...whole, recovery: false },
        wish: { pointInTimeRecovery: true },
        changes: ['create point-in-time recovery of messages'],
      },
    ],
    [
      'is billed by request, before an index is added',
      {
        now: { ...whole, table: { ...there, onDemand: false, indexes: {} } },
        changes: [
          'update billing of messages provisioned → by request',
          'create index by-time of messages (pk S + timestamp N, ALL)',
        ],
      },
    ],
    [
      'leaves the index of another alone',
      {
        now: { ...whole, table: { ...there, indexes: { ...there.indexes, theirs: there.indexes['by-time'] } } },
        changes: [],
      },
    ],
    [
      'waits for an index that is being built',
      { now: withIndex({ status: 'CREATING' }), changes: ['update index by-time of messages CREATING → ACTIVE'] },
    ],
    [
      'refuses an index with other keys',
      {
        now: withIndex({ range: undefined }),
        changes: [
          'refused: index by-time of messages is over pk S, ALL instead of pk S + timestamp N, ALL, and an index cannot be changed',
        ],
      },
    ],
    [
      'refuses an index that holds less',
      {
        now: withIndex({ projection: 'KEYS_ONLY' }),
        changes: [
          'refused: index by-time of messages is over pk S + timestamp N, KEYS_ONLY instead of pk S + timestamp N, ALL, and an index cannot be changed',
        ],
      },
    ],
    [
      'refuses an index that is being deleted',
      { now: withIndex({ status: 'DELETING' }), changes: ['refused: index by-time of messages is being deleted'] },
    ],
    [
      'refuses other keys, whatever else differs',
      {
        now: { table: { ...there, hash: 'threadId S', range: 'sortKey S' }, ttl: off, tags: {} },
        changes: [
          "refused: table messages has the keys threadId S + sortKey S instead of pk S + sk S, and a table's keys cannot be changed",
        ],
      },
    ],
    [
      'refuses a key of another type',
      {
        now: { ...whole, table: { ...there, range: 'sk N' } },
        changes: [
          "refused: table messages has the keys pk S + sk N instead of pk S + sk S, and a table's keys cannot be changed",
        ],
      },
    ],
    [
      'waits for a table that is being made',
      {
        now: { ...whole, table: { ...there, status: 'CREATING' } },
        changes: ['update table messages CREATING → ACTIVE'],
      },
    ],
    [
      'refuses a table that is being deleted',
      { now: { ...whole, table: { ...there, status: 'DELETING' } }, changes: ['refused: table messages is DELETING'] },
    ],
  ])('%s', (_, { now, wish: other, changes }) => {
    expect(say(decide(now, { ...wish, ...other }))).toEqual(changes)
  })

  it('says why nothing is to be done, and names the index of another', () => {
    const table = { ...there, indexes: { ...there.indexes, theirs: there.indexes['by-time'] } }
    expect(decide({ ...whole, table })).toEqual({
      kind: 'converged',
      because:
        'pk S + sk S, index by-time, expires by ttl, protected, point-in-time recovery left as it is, index theirs is not ours',
    })
  })

  it('asks about recovery only when it is wanted: each question costs a process', () => {
    expect(Object.keys(table(on, wish).ask)).toEqual(['table', 'ttl', 'tags'])
    expect(Object.keys(table(on, { ...wish, pointInTimeRecovery: true }).ask)).toContain('recovery')
  })

  it('names every attribute of the table when an index is added', () => {
    const decision = decide({ ...whole, table: { ...there, attributes: { pk: 'S', sk: 'S' }, indexes: {} } })
    const line = decision.kind === 'changes' ? decision.changes[0]?.run[0]?.line : ''
    for (const name of ['pk', 'sk', 'timestamp']) expect(line).toContain(`"AttributeName":"${name}","AttributeType"`)
  })
})

describe("the aws CLI's answers", () => {
  const ok = (stdout: object): Output => ({ code: 0, stdout: JSON.stringify(stdout), stderr: '' })
  const error = (stderr: string, code = 255): Output => ({ code, stdout: '', stderr })
  const tableOf = tableState(place, 'messages')

  it('tell a table', () => {
    expect(tableOf.parse(ok(recorded))).toEqual({ ...there, indexes: { 't-index': recordedIndex }, ...recordedKeys })
  })

  it('tell that there is none, in the words of each call', () => {
    const words = [
      'An error occurred (ResourceNotFoundException) when calling the DescribeTable operation: Requested resource not found: Table: messages not found',
      'An error occurred (ResourceNotFound) when calling the DescribeTimeToLive operation: Table not found',
      'An error occurred (TableNotFoundException) when calling the DescribeContinuousBackups operation: Table not found: messages',
      '\naws: [ERROR]: An error occurred (ResourceNotFoundException) when calling the ListTagsOfResource operation: Requested resource not found\n',
    ]
    for (const question of [tableOf, timeToLive(place, 'm'), tableTags(place, 'm'), pointInTimeRecovery(place, 'm')]) {
      for (const said of words) expect(question.parse(error(said))).toBeNull()
      expect(question.parse(nothing)).toBeNull()
    }
  })

  it('tell neither when we may not ask', () => {
    const denied = error(
      'An error occurred (AccessDeniedException) when calling the DescribeTable operation: User: arn:aws:iam::123456789012:user/ana is not authorized to perform: dynamodb:DescribeTable',
      254,
    )
    expect(() => tableOf.parse(denied)).toThrow(/^AccessDeniedException: User: .* is not authorized/)
    expect(() => tableOf.parse(error('Segmentation fault', 139))).toThrow('Segmentation fault')
  })

  it('tell expiry, tags and recovery', () => {
    const ttl = timeToLive(place, 'messages')
    expect(ttl.parse(ok({ TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' } }))).toEqual(
      expiring,
    )
    expect(ttl.parse(ok({ TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } }))).toEqual(off)
    expect(tableTags(place, 'messages').parse(ok({ Tags: [{ Key: 'Name', Value: 'x' }] }))).toEqual({ Name: 'x' })
    const backups = (status: string) =>
      ok({
        ContinuousBackupsDescription: {
          ContinuousBackupsStatus: 'ENABLED',
          PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: status },
        },
      })
    expect(pointInTimeRecovery(place, 'messages').parse(backups('ENABLED'))).toBe(true)
    expect(pointInTimeRecovery(place, 'messages').parse(backups('DISABLED'))).toBe(false)
  })
})

const recordedIndex = { status: 'ACTIVE', projection: 'ALL', hash: 't S', range: undefined }
const recordedKeys = {
  arn: 'arn:aws:dynamodb:ca-central-1:123456789012:table/ttt',
  hash: 'a S',
  range: undefined,
  attributes: { a: 'S', t: 'S' },
}
// As recorded, less what is not read.
const recorded = {
  Table: {
    AttributeDefinitions: [
      { AttributeName: 'a', AttributeType: 'S' },
      { AttributeName: 't', AttributeType: 'S' },
    ],
    TableName: 'ttt',
    KeySchema: [{ AttributeName: 'a', KeyType: 'HASH' }],
    TableStatus: 'ACTIVE',
    CreationDateTime: 1795313454.369922,
    ProvisionedThroughput: { NumberOfDecreasesToday: 0, ReadCapacityUnits: 0, WriteCapacityUnits: 0 },
    TableSizeBytes: 0,
    ItemCount: 0,
    TableArn: 'arn:aws:dynamodb:ca-central-1:123456789012:table/ttt',
    BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    LocalSecondaryIndexes: [],
    GlobalSecondaryIndexes: [
      {
        IndexName: 't-index',
        KeySchema: [{ AttributeName: 't', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'ALL' },
        IndexStatus: 'ACTIVE',
        ProvisionedThroughput: { ReadCapacityUnits: 0, WriteCapacityUnits: 0 },
        WarmThroughput: { ReadUnitsPerSecond: 12000, WriteUnitsPerSecond: 4000, Status: 'ACTIVE' },
      },
    ],
    DeletionProtectionEnabled: true,
  },
}
