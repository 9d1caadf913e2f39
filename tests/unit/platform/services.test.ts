import { serviceOf } from '@infra/shared/platform/commands/services'
import { expect, it } from 'vitest'
import { clusterServices } from '../../../cluster/commands/services.ts'

it.each([
  ['bot', 'bot'],
  ['discord-bot', 'bot'],
  ['dev-sandbox', 'sandbox'],
  ['redis', 'redis'],
])('%s is %s', (word, service) => expect(serviceOf(clusterServices, word)).toBe(clusterServices.services[service]))

it.each([
  ['boot', 'Did you mean bot?'],
  ['postgresql', 'There are: bot, sandbox, redis'],
  ['toString', 'There are: bot, sandbox, redis'],
])('%s is none', (word, remedy) => {
  try {
    serviceOf(clusterServices, word)
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({ kind: 'usage', message: `there is no service ${word}`, remedy })
  }
})
