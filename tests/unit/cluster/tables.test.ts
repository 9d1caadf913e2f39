import { sampleEnv } from '@infra/shared/env/sample'
import { blankAws } from '@infra/shared/targets/aws/aws'
import { expect, test } from 'vitest'
import type { ClusterContext } from '../../../cluster/context.ts'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { asInBot } from '../../../cluster/parts/tables.ts'
import dynamodb, { tables } from '../../../cluster/scripts/10-dynamodb.ts'

const found = (env: Parameters<typeof asInBot>[1], name: string) =>
  asInBot(tables, env).find((table) => table.name === name)

test('the tables are those of the script where nothing else is said', () => {
  expect(asInBot(tables, {})).toEqual(tables)
})

test('keys, of indexes too, and the attribute of the expiry are what the environment says', () => {
  const env = {
    DYNAMODB_KEYS:
      'discord-messages=threadId+sortKey,discord-messages/TimestampIndex=threadId+timestamp:N,chat_history=day',
    DYNAMODB_TTL: 'discord-messages=expires_at',
  }
  expect(found(env, 'discord-messages')).toMatchObject({
    ...{ hash: 'threadId S', range: 'sortKey S', ttl: 'expires_at' },
    indexes: [{ name: 'TimestampIndex', hash: 'threadId S', range: 'timestamp N' }],
  })
  expect(found(env, 'chat_history')).toEqual({ name: 'chat_history', hash: 'day S', ttl: 'ttl' })
  const [session] = tables
  expect(found(env, session?.name ?? '')).toEqual(session)
})

test('an index that has the hash of its table follows it', () => {
  const env = { DYNAMODB_KEYS: 'discord-messages=threadId+sortKey' }
  expect(found(env, 'discord-messages')?.indexes).toMatchObject([{ hash: 'threadId S', range: 'timestamp N' }])
})

test('what is no table or index of the bot is refused, with those that are', () => {
  expect(() => asInBot(tables, { DYNAMODB_KEYS: 'messages=a' })).toThrow(
    'DYNAMODB_KEYS names messages, which is no table',
  )
  expect(() => asInBot(tables, { DYNAMODB_TTL: 'discord-messages/TimestampIndex=a' })).toThrow(/^DYNAMODB_TTL names/)
})

test('a refused table names the variable that keeps it, and how to deploy the rest', () => {
  const context = { env: sampleEnv(clusterSchema), aws: blankAws({ region: 'ca-central-1' }) }
  const [step] = dynamodb.steps(context as unknown as ClusterContext)
  const table = { arn: 'arn', status: 'ACTIVE', hash: 'other S', attributes: {}, indexes: {}, onDemand: true }
  const decision = step?.plan({ table, ttl: null, tags: {} }, { pending: [] })
  const remedy = decision?.kind === 'refused' ? decision.remedy : ''
  expect(remedy).toContain('add discord_sessions=other to DYNAMODB_KEYS')
  expect(remedy).toContain('--skip-tags dynamodb')
})
