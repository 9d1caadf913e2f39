import { type Command, revealText } from '@infra/shared/command/command'
import { reveal, secret } from '@infra/shared/command/secret'
import { expect, test } from 'vitest'
import { takeKeys } from '../../../stoat/backup/put-back.ts'
import type { StoatContext } from '../../../stoat/context.ts'
import { secretContents } from '../../../stoat/keys.ts'
import { keys, stoatEnv } from './env.ts'

test('the keys of an archive take the place of the cluster’s, and no password of the environment does yet', async () => {
  const base64 = (value: string) => Buffer.from(value).toString('base64')
  const held = Object.entries(secretContents(stoatEnv(), keys)).map(([name, value]) => [name, base64(reveal(value))])
  const env = stoatEnv({ STOAT_RABBITMQ_PASS: secret('another-broker-1'), STOAT_MINIO_PASS: secret('another-store-1') })
  const sent: string[] = []
  const kube = {
    ...{ name: 'kubernetes', blank: false, close: async () => {} },
    ask: async (commands: readonly Command[]) =>
      commands.map(() => ({ code: 0, stdout: JSON.stringify({ data: Object.fromEntries(held) }), stderr: '' })),
    run: async (commands: readonly Command[]) => {
      sent.push(...commands.map(({ stdin }) => (stdin ? revealText(stdin) : '')))
      return commands.map(() => ({ code: 0, stdout: '', stderr: '' }))
    },
  }
  const archived = { encryption: secret(Buffer.alloc(32, 'a').toString('base64')), vapid: keys.vapid }
  await takeKeys({ kube, env, made: keys } as unknown as StoatContext, archived)
  const { data } = JSON.parse(sent.join('')) as { data: Record<string, string> }
  // The stores run with the other values until they start anew.
  expect(Object.keys(data).sort()).toEqual(['Revolt.overrides.toml', 'encryption_key', 'vapid_private_key'])
  expect(data.encryption_key).toBe(base64(reveal(archived.encryption)))
  expect(Buffer.from(data['Revolt.overrides.toml'] ?? '', 'base64').toString()).toContain(reveal(archived.encryption))
})
