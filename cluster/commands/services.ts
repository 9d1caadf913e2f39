import { usage } from '@infra/shared/cli/options'
import { nearest } from '@infra/shared/env/suggest'

/** The parts of the cluster that run, by the words of the commands. */
export const services = {
  bot: { workload: 'deployment/discord-bot', risk: 'restart' },
  sandbox: { workload: 'deployment/dev-sandbox', risk: 'downtime' },
  redis: { workload: 'statefulset/redis', risk: 'downtime' },
} as const

export type Service = keyof typeof services

const aliases: Readonly<Record<string, Service>> = { 'discord-bot': 'bot', 'dev-sandbox': 'sandbox' }

/** The service that a word names. Throws a usage failure for any other, with a suggestion. */
export function serviceOf(word: string): Service {
  const name = aliases[word] ?? word
  if (Object.hasOwn(services, name)) return name as Service
  const names = Object.keys(services)
  const near = nearest(word, names)
  throw usage(`there is no service ${word}`, near ? `Did you mean ${near}?` : `There are: ${names.join(', ')}`)
}
