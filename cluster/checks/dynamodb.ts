import { type Check, check, fail, ok, warn } from '@infra/shared/engine/check'
import { tableState, timeToLive } from '@infra/shared/facts/dynamodb'
import type { ClusterContext } from '../cluster-context.ts'
import { tables } from '../scripts/10-dynamodb.ts'

/** What the bot needs of its tables: that each answers, has its keys and indexes, and lets items expire. */
export function dynamodbChecks({ aws }: ClusterContext): readonly Check[] {
  return tables.map(({ name, hash, range, indexes = [], ttl }) =>
    check(aws, {
      id: `dynamodb.${name}`,
      about: `table ${name} is active with its keys${indexes.length > 0 ? ' and indexes' : ''}`,
      remedy: 'npm run plan -w cluster -- --tags dynamodb tells what differs; deploy makes it.',
      ask: { table: tableState(aws.place, name), expiry: timeToLive(aws.place, name) },
      judge({ table, expiry }) {
        if (!table) return fail('there is no such table')
        if (table.status !== 'ACTIVE') return fail(`it is ${table.status}`)
        if (table.hash !== hash || table.range !== range) return fail(`its keys are ${table.hash} ${table.range ?? ''}`)
        const idle = indexes.find((index) => table.indexes[index.name]?.status !== 'ACTIVE')
        if (idle) return fail(`index ${idle.name} is ${table.indexes[idle.name]?.status ?? 'not there'}`)
        const expires = expiry?.status.startsWith('ENABL') ? expiry.attribute : undefined
        if (expires !== ttl) return fail(expires ? `items expire by ${expires}` : 'items never expire')
        if (!table.deletionProtection) return warn('active, but not protected from deletion')
        return ok(expires ? `active, expires by ${expires}` : 'active')
      },
    }),
  )
}
