import type { TableState } from '@infra/shared/facts/aws/dynamodb'
import { type TableOptions, table } from '@infra/shared/steps/aws/dynamodb'
import { blankAws } from '@infra/shared/targets/aws/aws'
import { describe, expect, it } from 'vitest'
import { say } from './aws-say.ts'
import { expiring, off, there } from './dynamodb-tables.ts'

const place = { region: 'ca-central-1' }
const on = blankAws(place)

const desired: TableOptions = {
  name: 'messages',
  hash: 'pk S',
  range: 'sk S',
  indexes: [{ name: 'by-time', hash: 'pk S', range: 'timestamp N', projection: 'ALL' }],
  ttl: 'ttl',
  tags: { Name: 'messages', 'managed-by': 'infra' },
  deletionProtection: true,
}

const absent = { table: null, ttl: null, tags: null }
const whole = { table: there, ttl: expiring, tags: { ...desired.tags, Team: 'bots' } }
const withIndex = (index: Partial<TableState['indexes'][string]>) => ({
  ...whole,
  table: {
    ...there,
    indexes: { 'by-time': { ...there.indexes['by-time'], ...index } as TableState['indexes'][string] },
  },
})

const decide = (now: Record<string, unknown>, want: TableOptions = desired) =>
  table(on, want).plan(now, { pending: [] })
interface Row {
  now: Record<string, unknown>
  desired?: Partial<TableOptions>
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
        desired: { pointInTimeRecovery: true, indexes: [], ttl: '' },
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
        desired: { ttl: '' },
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
        desired: { pointInTimeRecovery: true },
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
  ])('%s', (_, { now, desired: other, changes }) => {
    expect(say(decide(now, { ...desired, ...other }))).toEqual(changes)
  })

  it('names the variables by which the bot may keep what it has, and how to deploy the rest', () => {
    const remedies = { keys: 'KEYS', ttl: 'TTL', without: '--skip-tags dynamodb deploys the rest' }
    const remedyOf = (now: Record<string, unknown>) => {
      const decision = decide({ ...whole, ...now }, { ...desired, remedies })
      return decision.kind === 'refused' ? decision.remedy : ''
    }
    const other = { ...there, hash: 'threadId S', range: 'number N' }
    const index = { ...there.indexes['by-time'], hash: 'threadId S' } as TableState['indexes'][string]
    const rest = 'Meanwhile --skip-tags dynamodb deploys the rest.'
    expect(remedyOf({ table: other })).toContain(
      'add messages=threadId+number:N,messages/by-time=pk+timestamp:N to KEYS',
    )
    expect(remedyOf({ table: { ...there, indexes: { 'by-time': index } } })).toContain(
      'add messages/by-time=threadId+timestamp:N to KEYS',
    )
    const late = { ttl: { status: 'ENABLED', attribute: 'expires' } }
    expect(remedyOf(late)).toContain('add messages=expires to TTL')
    for (const now of [{ table: other }, { table: { ...there, indexes: { 'by-time': index } } }, late])
      expect(remedyOf(now).endsWith(rest)).toBe(true)
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
    expect(Object.keys(table(on, desired).ask)).toEqual(['table', 'ttl', 'tags'])
    expect(Object.keys(table(on, { ...desired, pointInTimeRecovery: true }).ask)).toContain('recovery')
  })

  it('names every attribute of the table when an index is added', () => {
    const decision = decide({ ...whole, table: { ...there, attributes: { pk: 'S', sk: 'S' }, indexes: {} } })
    const line = decision.kind === 'changes' ? decision.changes[0]?.run[0]?.line : ''
    for (const name of ['pk', 'sk', 'timestamp']) expect(line).toContain(`"AttributeName":"${name}","AttributeType"`)
  })
})
