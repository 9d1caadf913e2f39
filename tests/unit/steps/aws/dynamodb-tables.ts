import type { TableState, TimeToLive } from '@infra/shared/facts/aws/dynamodb'

/** A table as AWS describes it when all is as it shall be. */
export const there: TableState = {
  arn: 'arn:aws:dynamodb:ca-central-1:123456789012:table/messages',
  status: 'ACTIVE',
  hash: 'pk S',
  range: 'sk S',
  attributes: { pk: 'S', sk: 'S', timestamp: 'N' },
  indexes: { 'by-time': { status: 'ACTIVE', hash: 'pk S', range: 'timestamp N', projection: 'ALL' } },
  onDemand: true,
  deletionProtection: true,
}
export const expiring: TimeToLive = { status: 'ENABLED', attribute: 'ttl' }
export const off: TimeToLive = { status: 'DISABLED', attribute: undefined }
