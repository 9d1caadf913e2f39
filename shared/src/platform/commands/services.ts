import { usage } from '../../cli/options.ts'
import { nearest } from '../../env/suggest.ts'
import type { RestartOptions } from '../../steps/kubernetes/restart.ts'

/** A part of a workspace that runs: its workload, and what a restart of it means for its users. */
export type Service = Pick<RestartOptions, 'workload' | 'risk'>

/** The services of a workspace, by the words of its commands; `aliases` are other words for them. */
export interface Services {
  readonly services: Readonly<Record<string, Service>>
  readonly aliases?: Readonly<Record<string, string>>
}

/** The service that a word names. Throws a usage failure for any other, with a suggestion. */
export function serviceOf({ services, aliases = {} }: Services, word: string): Service {
  const found = Object.hasOwn(services, aliases[word] ?? word) ? services[aliases[word] ?? word] : undefined
  if (found) return found
  const names = Object.keys(services)
  const near = nearest(word, names)
  throw usage(`there is no service ${word}`, near ? `Did you mean ${near}?` : `There are: ${names.join(', ')}`)
}
