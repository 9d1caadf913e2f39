import { type AwsPlace, awsWhere } from '../../command/aws.ts'
import { staleTags, type Tags } from '../../command/aws-tags.ts'
import { type Change, changes, type Decision, refuse, type Step, step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import {
  pointInTimeRecovery,
  type TableState,
  type TimeToLive,
  tableState,
  tableTags,
  timeToLive,
} from '../../facts/aws/dynamodb.ts'
import { describeIndex, keysOf, type TableOptions, tableChanges } from './dynamodb-changes.ts'

export type { TableOptions }

type OnAws = Target & { readonly place: AwsPlace }

interface Now {
  readonly table: TableState | null
  readonly ttl: TimeToLive | null
  readonly tags: Tags | null
  /** Undefined: not asked for. */
  readonly recovery?: boolean | null
}

/**
 * A DynamoDB table, billed by request. What is there is adopted; its data is never put at risk: a table or an index with
 * other keys is refused, and protection that is on stays on.
 */
export function table(on: OnAws, desired: TableOptions): Step {
  const { place } = on
  const { name } = desired
  return step({
    id: `table ${name}`,
    on,
    ask: {
      table: tableState(place, name),
      ttl: timeToLive(place, name),
      tags: tableTags(place, name),
      ...(desired.pointInTimeRecovery && { recovery: pointInTimeRecovery(place, name) }),
    },
    plan: (now) => decide(place, desired, now),
  })
}

function decide(place: AwsPlace, desired: TableOptions, { table, ttl, tags, recovery }: Now): Decision {
  const make = tableChanges(place, desired)
  if (!table) {
    const rest = [
      ...(desired.ttl ? [make.ttl(desired.ttl)] : []),
      ...(desired.pointInTimeRecovery ? [make.recovery()] : []),
    ]
    return changes([make.table(), ...rest], '')
  }
  const wrong =
    refuseTable(place, desired, table) ?? refuseIndexes(place, desired, table) ?? refuseTtl(place, desired, ttl)
  if (wrong) return wrong
  const list: Change[] = []
  if (table.status !== 'ACTIVE') list.push(make.active(table.status))
  if (!table.onDemand) list.push(make.onDemand())
  for (const index of desired.indexes ?? []) {
    const status = table.indexes[index.name]?.status
    if (status === undefined) list.push(make.index(index, table))
    else if (status !== 'ACTIVE') list.push(make.indexActive(index, status))
  }
  const expiring = ttl?.status === 'ENABLED' || ttl?.status === 'ENABLING'
  if (desired.ttl && !expiring) list.push(make.ttl(desired.ttl, 'data'))
  if (!desired.ttl && expiring) list.push(make.noTtl(ttl.attribute ?? ''))
  const stale = staleTags(desired.tags, tags)
  if (Object.keys(stale).length > 0) list.push(make.tags(table.arn, stale, tags))
  if (desired.deletionProtection && !table.deletionProtection) list.push(make.protection())
  if (desired.pointInTimeRecovery && recovery !== true) list.push(make.recovery())
  return changes(list, summary(desired, table))
}

function summary(desired: TableOptions, table: TableState): string {
  const foreign = Object.keys(table.indexes).filter((name) => !desired.indexes?.some((index) => index.name === name))
  return [
    keysOf(table),
    ...(desired.indexes ?? []).map(({ name }) => `index ${name}`),
    desired.ttl ? `expires by ${desired.ttl}` : 'never expires',
    ...(desired.deletionProtection ? ['protected'] : []),
    desired.pointInTimeRecovery ? 'point-in-time recovery' : 'point-in-time recovery left as it is',
    ...foreign.map((name) => `index ${name} is not ours`),
  ].join(', ')
}

function refuseTable(
  place: AwsPlace,
  { name, remedies, indexes = [], ...desired }: TableOptions,
  table: TableState,
): Decision | undefined {
  if (keysOf(table) !== keysOf(desired)) {
    const kept = indexes.flatMap((index) => {
      const now = table.indexes[index.name]
      return now ? [`${name}/${index.name}=${written(now)}`] : []
    })
    const entry = [`${name}=${written(table)}`, ...kept].join(',')
    return refuse(
      `table ${name} has the keys ${keysOf(table)} instead of ${keysOf(desired)}, and a table's keys cannot be changed`,
      `${adding(remedies?.keys, 'the bot uses these keys', entry)}No table is replaced here: where the bot wants the other keys, its items have to be written anew by a program of yours (aws dynamodb scan --table-name ${name} ${awsWhere(place).line} reads them), and the table deleted by you when nothing needs it any more. ${without(remedies)}`.trim(),
    )
  }
  if (['ACTIVE', 'CREATING', 'UPDATING'].includes(table.status)) return undefined
  return refuse(
    `table ${name} is ${table.status}`,
    table.status === 'DELETING'
      ? 'Somebody deletes it. When it is gone, run again: it is made anew, empty.'
      : 'Its encryption key cannot be used: see the table in the AWS console, and mend the KMS key or restore a backup.',
  )
}

/** Keys as a variable takes them: `threadId+number:N`. */
const written = ({ hash, range }: Pick<TableState, 'hash' | 'range'>): string =>
  [hash, ...(range ? [range] : [])].map((one) => one.replace(/ S$/, '').replace(' ', ':')).join('+')

const adding = (variable: string | undefined, where: string, entry: string): string =>
  variable ? `Where ${where}, add ${entry} to ${variable} (a comma between two). ` : ''

const without = (remedies: TableOptions['remedies']): string => (remedies ? `Meanwhile ${remedies.without}.` : '')

function refuseIndexes(
  place: AwsPlace,
  { name, remedies, indexes = [] }: TableOptions,
  table: TableState,
): Decision | undefined {
  for (const index of indexes) {
    const now = table.indexes[index.name]
    if (!now) continue
    const drop = `aws dynamodb update-table --table-name ${name} ${awsWhere(place).line} --global-secondary-index-updates '[{"Delete":{"IndexName":"${index.name}"}}]'`
    const is = describeIndex(now)
    const shall = describeIndex(index)
    if (is !== shall) {
      return refuse(
        `index ${index.name} of ${name} is over ${is} instead of ${shall}, and an index cannot be changed`,
        `${now.projection === index.projection ? adding(remedies?.keys, 'the bot uses these', `${name}/${index.name}=${written(now)}`) : ''}When nothing queries it any more: ${drop}; then run again, and it is built anew from the table. ${without(remedies)}`.trim(),
      )
    }
    if (now.status === 'DELETING')
      return refuse(`index ${index.name} of ${name} is being deleted`, 'When it is gone, run again: it is built anew.')
  }
  return undefined
}

function refuseTtl(
  place: AwsPlace,
  { name, remedies, ttl: desired }: TableOptions,
  ttl: TimeToLive | null,
): Decision | undefined {
  if (!desired || !ttl || ttl.status === 'DISABLED') return undefined
  if (ttl.status === 'DISABLING') {
    return refuse(
      `the expiry of ${name} is being switched off`,
      'AWS takes up to an hour; it can be switched on after that.',
    )
  }
  if (ttl.attribute === desired) return undefined
  return refuse(
    `items of ${name} expire by ${ttl.attribute} instead of ${desired}, and AWS does not change that while it is on`,
    `Which attribute do the items have? ${adding(remedies?.ttl, `it is ${ttl.attribute}`, `${name}=${ttl.attribute}`)}Where it is ${desired}: aws dynamodb update-time-to-live --table-name ${name} ${awsWhere(place).line} --time-to-live-specification Enabled=false,AttributeName=${ttl.attribute}; run again an hour later. ${without(remedies)}`.trim(),
  )
}
