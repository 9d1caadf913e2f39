import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { type TableOptions, table } from '@infra/shared/steps/aws/dynamodb'
import { type ClusterContext, ownTags } from '../context.ts'
import { asInBot } from '../parts/tables.ts'

/** Names, keys and expiry, as the bot uses them; DYNAMODB_KEYS and DYNAMODB_TTL say otherwise. */
export const tables: readonly Omit<TableOptions, 'tags'>[] = [
  { name: 'discord_sessions', hash: 'thread_id S' },
  {
    name: 'discord_executions',
    hash: 'execution_id S',
    indexes: [{ name: 'thread_id-index', hash: 'thread_id S', projection: 'ALL' }],
    ttl: 'ttl',
  },
  {
    name: 'discord-messages',
    hash: 'pk S',
    range: 'sk S',
    indexes: [{ name: 'TimestampIndex', hash: 'pk S', range: 'timestamp N', projection: 'ALL' }],
    ttl: 'ttl', // written by the bot: 30 days ahead
  },
  { name: 'chat_history', hash: 'date S', range: 'last_message_timestamp N', ttl: 'ttl' },
]

export default script(
  'dynamodb',
  { about: `DynamoDB tables: ${tables.map(({ name }) => name).join(', ')}`, tags: ['aws'] },
  ({ env, aws }: ClusterContext, add) => {
    for (const desired of asInBot(tables, env)) {
      const protection = { deletionProtection: true, pointInTimeRecovery: env.CLUSTER_PITR }
      const remedies = { keys: 'DYNAMODB_KEYS', ttl: 'DYNAMODB_TTL', without: '--skip-tags dynamodb deploys the rest' }
      add(table(aws, { ...desired, ...protection, tags: ownTags(desired.name), remedies }))
    }
  },
)

standalone(import.meta.url)
