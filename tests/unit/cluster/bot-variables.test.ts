import { isSecret, secret } from '@infra/shared/command/secret'
import { sampleEnv } from '@infra/shared/env/sample'
import { expect, test } from 'vitest'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { botSecrets, botVariables } from '../../../cluster/parts/bot-variables.ts'

const env = sampleEnv(clusterSchema)

test('what is declared for the bot reaches it: as it is, or by its Secret', () => {
  const variables = botVariables({ ...env, BOT_USERNAME: 'agentic' })
  expect(variables).toMatchObject({
    DISCORD_BOT_ID: env.DISCORD_BOT_ID,
    STALENESS_MINUTES: 30,
    BOT_USERNAME: 'agentic',
    AWS_REGION: 'ca-central-1',
  })
  expect(Object.values(variables).filter(isSecret)).toEqual([])
  expect(Object.keys(botSecrets(env))).toEqual(['DISCORD_TOKEN', 'LITELLM_API_KEY'])
})

test('neither its image nor the rights of the deployment reach it', () => {
  const operator = { AWS_ACCESS_KEY_ID: secret('AKIAOPERATOR'), AWS_SECRET_ACCESS_KEY: secret('key-of-the-operator') }
  const given = { ...env, ...operator, DISCORD_BOT_IMAGE: 'bot:1' }
  const names = Object.keys({ ...botVariables(given), ...botSecrets(given) })
  expect(names.filter((name) => /^(AWS_(ACCESS|SECRET|SESSION)|.*_IMAGE$|DIGITALOCEAN)/.test(name))).toEqual([])
  const own = { BOT_AWS_ACCESS_KEY_ID: secret('AKIABOT-0'), BOT_AWS_SECRET_ACCESS_KEY: secret('key-of-the-bot') }
  expect(botSecrets({ ...given, ...own }).AWS_ACCESS_KEY_ID).toBe(own.BOT_AWS_ACCESS_KEY_ID)
})
