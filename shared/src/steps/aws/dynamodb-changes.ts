import { type AwsPlace, aws, awsError, awsUntil, explainAws, type Json } from '../../command/aws.ts'
import { madeBy, type Tags, tagList, tellTags } from '../../command/aws-tags.ts'
import type { Output } from '../../command/command.ts'
import type { Shell } from '../../command/sh.ts'
import { create, type Risk, remove, update } from '../../engine/step.ts'
import type { IndexState, KeyAttribute, TableState } from '../../facts/aws/dynamodb.ts'

export interface IndexOptions {
  readonly name: string
  readonly hash: KeyAttribute
  readonly range?: KeyAttribute
  readonly projection: 'ALL' | 'KEYS_ONLY'
}

export interface TableOptions {
  readonly name: string
  readonly hash: KeyAttribute
  readonly range?: KeyAttribute
  /** Global secondary indexes. Others that the table has are left alone. */
  readonly indexes?: readonly IndexOptions[]
  /** The attribute that holds the second (since 1970) at which an item expires. Items never expire without. */
  readonly ttl?: string
  /** Tags that it has; others are left alone. */
  readonly tags: Tags
  readonly deletionProtection?: boolean
  /** For what to do about a table that is there with others: the variables of keys and expiry, and how to do without. */
  readonly remedies?: { readonly keys: string; readonly ttl: string; readonly without: string }
  /** Switched on; never switched off, since that throws the backups away. */
  readonly pointInTimeRecovery?: boolean
}

type Input = Readonly<Record<string, Json>>

/** The calls that change one table, and the waits for what AWS does in its own time. */
function callsFor(place: AwsPlace, name: string) {
  const call = (operation: string, input: Input, query: string) =>
    aws(place, 'dynamodb', operation, { TableName: name, ...input }, { query })
  const describe = (query: string) => call('describe-table', {}, query)
  return {
    call,
    updateTable: (input: Input) => call('update-table', input, 'TableDescription.TableStatus'),
    active: awsUntil(describe('Table.TableStatus'), 'ACTIVE', { say: `table ${name}`, seconds: 900 }),
    setTtl(attribute: string, enabled: boolean) {
      const input = { TimeToLiveSpecification: { Enabled: enabled, AttributeName: attribute } }
      return call('update-time-to-live', input, 'TimeToLiveSpecification.Enabled')
    },
    // That of a large table takes hours. AWS goes on when we do not wait any more, and the next run waits again.
    indexActive: (index: IndexOptions): Shell =>
      awsUntil(describe(`Table.GlobalSecondaryIndexes[?IndexName=='${index.name}'].IndexStatus | [0]`), 'ACTIVE', {
        say: `index ${index.name}`,
        seconds: 3 * 3600,
        every: 5,
      }),
  }
}

/** The changes that can be made to one table, each with the wait for what AWS does in its own time. */
export function tableChanges(place: AwsPlace, desired: TableOptions) {
  const { name, indexes = [] } = desired
  const of = `of ${name}`
  const { call, updateTable, active, setTtl, indexActive } = callsFor(place, name)

  return {
    table() {
      const what = [`table ${name}`, ...indexes.map((index) => `index ${index.name}`)].join(', ')
      const input = {
        AttributeDefinitions: definitions([desired, ...indexes]),
        KeySchema: keySchema(desired),
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: desired.deletionProtection === true,
        Tags: tagList({ ...desired.tags, ...madeBy }),
        ...(indexes.length > 0 && { GlobalSecondaryIndexes: indexes.map(indexInput) }),
      }
      const make = call('create-table', input, 'TableDescription.TableStatus')
      return create(`${what} (${keysOf(desired)})`, [make, active], { explain })
    },

    active: (status: string) => update(`table ${name} ${status} → ACTIVE`, active, { explain }),

    onDemand() {
      const run = [updateTable({ BillingMode: 'PAY_PER_REQUEST' }), active]
      return update(`billing ${of} provisioned → by request`, run, { explain })
    },

    index(index: IndexOptions, { attributes }: TableState) {
      const known = Object.entries(attributes).map(([attribute, type]) => `${attribute} ${type}`)
      const make = updateTable({
        AttributeDefinitions: definitions([index], known),
        GlobalSecondaryIndexUpdates: [{ Create: indexInput(index) }],
      })
      return create(`index ${index.name} ${of} (${describeIndex(index)})`, [make, indexActive(index), active], {
        explain,
      })
    },

    indexActive: (index: IndexOptions, status: string) =>
      update(`index ${index.name} ${of} ${status} → ACTIVE`, indexActive(index), { explain }),

    ttl: (attribute: string, risk: Risk = 'safe') =>
      create(`expiry ${of} by ${attribute}`, setTtl(attribute, true), { risk, explain }),

    noTtl: (attribute: string) => remove(`expiry ${of} by ${attribute}`, setTtl(attribute, false), { explain }),

    tags: (arn: string, tags: Tags, now: Tags | null) =>
      update(`tags ${of}: ${tellTags(tags, now)}`, tagTable(place, name, arn, tags), { explain }),

    protection() {
      return update(`deletion protection ${of}`, [updateTable({ DeletionProtectionEnabled: true }), active], {
        explain,
      })
    },

    recovery() {
      const status = 'ContinuousBackupsDescription.ContinuousBackupsStatus'
      // A new table has none for its first moments.
      const possible = awsUntil(call('describe-continuous-backups', {}, status), 'ENABLED', {
        say: `backups ${of}`,
        seconds: 300,
      })
      const specification = { PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }
      const on = call('update-continuous-backups', specification, status)
      return create(`point-in-time recovery ${of}`, [possible, on], { explain })
    },
  }
}

/** `pk S + sk S`: how the keys of a table or an index are told. */
export const keysOf = ({ hash, range }: { hash: string; range?: string | undefined }): string =>
  range ? `${hash} + ${range}` : hash

/** `thread_id S, ALL`: keys and projection of an index. */
export const describeIndex = (index: IndexOptions | IndexState): string => `${keysOf(index)}, ${index.projection}`

type KeyOptions = Pick<TableOptions, 'hash' | 'range'>

const split = (attribute: string) => {
  const at = attribute.lastIndexOf(' ')
  return { AttributeName: attribute.slice(0, at), AttributeType: attribute.slice(at + 1) }
}

const keySchema = ({ hash, range }: KeyOptions) => [
  { AttributeName: split(hash).AttributeName, KeyType: 'HASH' },
  ...(range ? [{ AttributeName: split(range).AttributeName, KeyType: 'RANGE' }] : []),
]

const indexInput = (index: IndexOptions) => ({
  IndexName: index.name,
  KeySchema: keySchema(index),
  Projection: { ProjectionType: index.projection },
})

/** The attributes that are part of these keys, each once; `known` are those of the table already. */
const definitions = (keys: readonly KeyOptions[], known: readonly string[] = []) =>
  [...new Set([...known, ...keys.flatMap(({ hash, range }) => (range ? [hash, range] : [hash]))])].map(split)

function explain(output: Output): string | undefined {
  const unknown = output.stderr.match(/Unknown parameter in input: "(\w+)"/)
  if (unknown) return `this aws CLI is too old: it does not know ${unknown[1]}`
  const error = awsError(output)
  if (error?.code === 'ResourceInUseException') return `another change of the table is under way: ${error.message}`
  if (/multiple times within a fixed interval/.test(error?.message ?? ''))
    return 'AWS lets the expiry be changed once an hour, and it was changed less than an hour ago'
  return explainAws(output)
}

function tagTable(place: AwsPlace, name: string, arn: string, tags: Tags): Shell[] {
  const tag = aws(place, 'dynamodb', 'tag-resource', { ResourceArn: arn, Tags: tagList(tags) })
  // AWS tags in its own time: what it lists right after may be the old.
  const pairs = Object.entries(tags)
  const matches = pairs.map(([key, value]) => `(Key=='${key}' && Value=='${value}')`).join(' || ')
  const query = `length(Tags[?${matches}])`
  const listed = aws(place, 'dynamodb', 'list-tags-of-resource', { ResourceArn: arn }, { query })
  return [tag, awsUntil(listed, String(pairs.length), { say: `tags of ${name} listed`, seconds: 60 })]
}
