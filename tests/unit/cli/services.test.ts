import { expect, it } from 'vitest'
import { serviceOf } from '../../../cluster/commands/services.ts'

it.each([
  ['bot', 'bot'],
  ['discord-bot', 'bot'],
  ['dev-sandbox', 'sandbox'],
  ['redis', 'redis'],
])('%s is %s', (word, service) => expect(serviceOf(word)).toBe(service))

it.each([
  ['boot', 'Did you mean bot?'],
  ['postgresql', 'There are: bot, sandbox, redis'],
  ['toString', 'There are: bot, sandbox, redis'],
])('%s is none', (word, remedy) => {
  try {
    serviceOf(word)
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({ kind: 'usage', message: `there is no service ${word}`, remedy })
  }
})
