import { type Command, revealText, showText } from '@infra/shared/command/command'
import { reveal, secret } from '@infra/shared/command/secret'
import { collect } from '@infra/shared/engine/declaration'
import { blank } from '@infra/shared/targets/blank'
import { expect, test } from 'vitest'
import { takeKeys } from '../../../stoat/backup/put-back.ts'
import { startedAgain } from '../../../stoat/commands/restore.ts'
import type { StoatContext } from '../../../stoat/context.ts'
import { secretContents, stoatSecret } from '../../../stoat/keys.ts'
import stoat from '../../../stoat/stoat.ts'
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

test('a restore makes all that other keys change, so that a plan has nothing to do after it', () => {
  const context = { workspace: 'stoat', kube: blank('kubernetes'), env: stoatEnv(), made: keys, prune: false }
  const work = collect(stoat.scripts, context as unknown as StoatContext, stoat.scripts)
  const follow = work.filter(({ steps }) =>
    steps
      .flatMap(({ ask }) => Object.values(ask))
      .some(({ command: { stdin } }) => stdin && showText(stdin).includes(`-of/${stoatSecret}/`)),
  )
  expect(follow.map(({ script }) => script)).toEqual(startedAgain)
})
