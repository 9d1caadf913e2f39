import { sampleEnv } from '@infra/shared/env/sample'
import { variablesOf } from '@infra/shared/env/variable'
import { expect, test } from 'vitest'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { botVariables } from '../../../cluster/parts/bot-variables.ts'

/** What the bot does not get by its environment: secrets, which come from its Secret, and what makes its image. */
const elsewhere = ['DISCORD_TOKEN', 'LITELLM_API_KEY', 'DISCORD_BOT_IMAGE']

test('every variable of the Discord bot reaches it', () => {
  const group = variablesOf(clusterSchema).filter(({ meta }) => meta.group === 'Discord bot')
  const names = group.map(({ name }) => name).filter((name) => !elsewhere.includes(name))
  expect(Object.keys(botVariables(sampleEnv(clusterSchema)))).toEqual(expect.arrayContaining(names))
  expect(names.length).toBeGreaterThan(4)
})
