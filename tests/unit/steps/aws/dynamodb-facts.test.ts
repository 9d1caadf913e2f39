import { nothing, type Output } from '@infra/shared/command/command'
import { pointInTimeRecovery, tableState, tableTags, timeToLive } from '@infra/shared/facts/aws/dynamodb'
import { describe, expect, it } from 'vitest'
import { expiring, off, there } from './dynamodb-tables.ts'

const place = { region: 'ca-central-1' }

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
