import { type AwsPlace, aws, awsAnswer, awsArn } from '../../command/aws.ts'
import type { Question } from '../../engine/step.ts'

/** An attribute of a key with its type, as in `pk S` (text), `timestamp N` (number), `digest B` (bytes). */
export type KeyAttribute = `${string} ${'S' | 'N' | 'B'}`

export interface Keys {
  readonly hash: string
  readonly range: string | undefined
}

export interface IndexState extends Keys {
  /** `ACTIVE`, `CREATING`, `UPDATING`, `DELETING`. */
  readonly status: string
  /** `ALL`, `KEYS_ONLY`, `INCLUDE`. */
  readonly projection: string
}

export interface TableState extends Keys {
  readonly arn: string
  /** `ACTIVE`, `CREATING`, `UPDATING`, `DELETING`, `ARCHIVED` … */
  readonly status: string
  /** Type by attribute, of all that are part of a key. */
  readonly attributes: Readonly<Record<string, string>>
  /** Global secondary indexes by name. */
  readonly indexes: Readonly<Record<string, IndexState>>
  /** Billed by request, not by provisioned capacity. */
  readonly onDemand: boolean
  readonly deletionProtection: boolean
}

export interface TimeToLive {
  readonly status: 'ENABLED' | 'ENABLING' | 'DISABLED' | 'DISABLING'
  readonly attribute: string | undefined
}

// DescribeTimeToLive, ListTagsOfResource and DescribeContinuousBackups each have a word of their own.
const absent = /^(Resource|Table)NotFound/

/** A table's keys, indexes, billing and state. Null when there is none. DescribeTable. */
export function tableState(place: AwsPlace, name: string): Question<TableState | null> {
  return {
    command: aws(place, 'dynamodb', 'describe-table', { TableName: name }),
    parse: (output) => {
      const answer = awsAnswer<{ Table: TableDescription }>(output, absent)
      return answer && readTable(answer.Table)
    },
  }
}

/** Which attribute holds the second at which an item expires. Null when there is no such table. DescribeTimeToLive. */
export function timeToLive(place: AwsPlace, name: string): Question<TimeToLive | null> {
  return {
    command: aws(place, 'dynamodb', 'describe-time-to-live', { TableName: name }),
    parse: (output) => {
      const answer = awsAnswer<{ TimeToLiveDescription?: TimeToLiveDescription }>(output, absent)
      if (!answer) return null
      const { TimeToLiveStatus: status = 'DISABLED', AttributeName: attribute } = answer.TimeToLiveDescription ?? {}
      return { status, attribute }
    },
  }
}

/** The tags of a table. Null when there is no such table. ListTagsOfResource. */
export function tableTags(place: AwsPlace, name: string): Question<Readonly<Record<string, string>> | null> {
  return {
    command: aws(place, 'dynamodb', 'list-tags-of-resource', {
      ResourceArn: awsArn(place, 'dynamodb', `table/${name}`),
    }),
    parse: (output) => {
      const answer = awsAnswer<{ Tags?: { Key: string; Value: string }[] }>(output, absent)
      return answer && Object.fromEntries((answer.Tags ?? []).map(({ Key, Value }) => [Key, Value]))
    },
  }
}

/** Whether a table can be brought back to any second of the last 35 days. DescribeContinuousBackups. */
export function pointInTimeRecovery(place: AwsPlace, name: string): Question<boolean | null> {
  return {
    command: aws(place, 'dynamodb', 'describe-continuous-backups', { TableName: name }),
    parse: (output) => {
      const answer = awsAnswer<{ ContinuousBackupsDescription?: ContinuousBackups }>(output, absent)
      const recovery = answer?.ContinuousBackupsDescription?.PointInTimeRecoveryDescription
      return answer && recovery?.PointInTimeRecoveryStatus === 'ENABLED'
    },
  }
}

function readTable(table: TableDescription): TableState {
  const attributes = Object.fromEntries(
    (table.AttributeDefinitions ?? []).map(({ AttributeName, AttributeType }) => [AttributeName, AttributeType]),
  )
  const keysOf = (schema: KeySchema): Keys => {
    const [hash = '', range] = (['HASH', 'RANGE'] as const).map((type) => {
      const name = schema.find(({ KeyType }) => KeyType === type)?.AttributeName
      return name && `${name} ${attributes[name] ?? '?'}`
    })
    return { hash, range }
  }
  const indexes = (table.GlobalSecondaryIndexes ?? []).map((index) => {
    const { IndexName, IndexStatus: status = 'ACTIVE', KeySchema, Projection } = index
    return [IndexName, { status, projection: Projection?.ProjectionType ?? 'ALL', ...keysOf(KeySchema) }] as const
  })
  return {
    arn: table.TableArn,
    status: table.TableStatus,
    ...keysOf(table.KeySchema),
    attributes,
    indexes: Object.fromEntries(indexes),
    onDemand: table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST',
    deletionProtection: table.DeletionProtectionEnabled === true,
  }
}

// The parts of AWS's answers that are read.
type KeySchema = { AttributeName: string; KeyType: 'HASH' | 'RANGE' }[]
interface TableDescription {
  TableArn: string
  TableStatus: string
  KeySchema: KeySchema
  AttributeDefinitions?: { AttributeName: string; AttributeType: string }[]
  BillingModeSummary?: { BillingMode?: string }
  DeletionProtectionEnabled?: boolean
  GlobalSecondaryIndexes?: {
    IndexName: string
    IndexStatus?: string
    KeySchema: KeySchema
    Projection?: { ProjectionType?: string }
  }[]
}
interface TimeToLiveDescription {
  TimeToLiveStatus?: TimeToLive['status']
  AttributeName?: string
}
interface ContinuousBackups {
  PointInTimeRecoveryDescription?: { PointInTimeRecoveryStatus?: string }
}
