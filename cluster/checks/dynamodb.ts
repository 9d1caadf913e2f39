import { randomUUID } from 'node:crypto'
import { awsAnswer, aws as call } from '@infra/shared/command/aws'
import { type Check, check, type Finding, fail, ok, warn } from '@infra/shared/engine/check'
import {
  type KeyAttribute,
  type TableState,
  type TimeToLive,
  tableState,
  timeToLive,
} from '@infra/shared/facts/aws/dynamodb'
import type { ClusterContext } from '../context.ts'
import { asInBot } from '../parts/tables.ts'
import { tables } from '../scripts/10-dynamodb.ts'

/** What the bot needs of its tables: that each answers, has its keys and indexes, and lets items expire. */
export function dynamodbChecks(context: ClusterContext): readonly Check[] {
  return [...tableChecks(context), itemCheck(context)]
}

function tableChecks({ aws, env }: ClusterContext): readonly Check[] {
  return asInBot(tables, env).map((desired) => {
    const { name, indexes = [] } = desired
    return check(aws, {
      id: `dynamodb.${name}`,
      about: `table ${name} is active with its keys${indexes.length > 0 ? ' and indexes' : ''}`,
      remedy: 'npm run plan -w cluster -- --tags dynamodb tells what differs; deploy makes it.',
      ask: { table: tableState(aws.place, name), expiry: timeToLive(aws.place, name) },
      judge: ({ table, expiry }) => judgeTable(desired, table, expiry),
    })
  })
}

function judgeTable(
  { hash, range, indexes = [], ttl }: (typeof tables)[number],
  table: TableState | null,
  expiry: TimeToLive | null,
): Finding {
  if (!table) return fail('there is no such table')
  if (table.status !== 'ACTIVE') return fail(`it is ${table.status}`)
  if (table.hash !== hash || table.range !== range) return fail(`its keys are ${table.hash} ${table.range ?? ''}`)
  const idle = indexes.find((index) => table.indexes[index.name]?.status !== 'ACTIVE')
  if (idle) return fail(`index ${idle.name} is ${table.indexes[idle.name]?.status ?? 'not there'}`)
  const expires = expiry?.status.startsWith('ENABL') ? expiry.attribute : undefined
  if (expires !== ttl) return fail(expires ? `items expire by ${expires}` : 'items never expire')
  if (!table.deletionProtection) return warn('active, but not protected from deletion')
  return ok(expires ? `active, expires by ${expires}` : 'active')
}

/** Writes, reads and deletes a marked item; it expires within the hour should we be ended in between. */
function itemCheck({ aws, env }: ClusterContext): Check {
  const table = 'discord_executions'
  const {
    hash,
    range,
    ttl: expires = 'ttl',
  } = asInBot(tables, env).find(({ name }) => name === table) ?? { hash: 'id S' }
  return {
    id: 'dynamodb.item',
    about: `an item of ${table} is written, read and deleted`,
    remedy: 'May these credentials put, get and delete items? aws dynamodb put-item says what stands against it.',
    writes: true,
    async probe(): Promise<Finding> {
      const Key = Object.fromEntries([hash, ...(range ? [range] : [])].map(markedKey))
      const mark = { S: 'written by infra verify' }
      const expiry = { [expires]: { N: String(Math.floor(Date.now() / 1000) + 3600) } }
      const send = async <T>(operation: string, input: Parameters<typeof call>[3]) => {
        const output = await aws.send(call(aws.place, 'dynamodb', operation, { TableName: table, ...input }))
        return awsAnswer<T>(output, /^ResourceNotFoundException$/)
      }
      if (!(await send('put-item', { Item: { ...Key, mark, ...expiry } }))) return fail('there is no such table')
      const read = await send<{ Item?: { mark?: { S: string } } }>('get-item', { Key, ConsistentRead: true })
      await send('delete-item', { Key })
      return read?.Item?.mark?.S === mark.S ? ok('written, read, deleted') : fail('written, but not read again')
    },
  }
}

/** A value of a key that no item of the bot has. */
function markedKey(attribute: KeyAttribute): [string, { [type: string]: string }] {
  const [name = '', type = 'S'] = attribute.split(' ')
  const text = `infra-verify-${randomUUID()}`
  const value = { S: text, B: Buffer.from(text).toString('base64'), N: `-${Date.now()}` }[type] ?? text
  return [name, { [type]: value }]
}
