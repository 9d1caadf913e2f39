import type { Failure } from '../engine/failure.ts'
import { nearest } from '../env/suggest.ts'
import { commands } from './help.ts'
import { usage } from './options.ts'

/** A usage failure for a tag that no script has. Playbooks have their checks under a tag; here they are a command. */
export function strangeTag(tag: string, known: readonly string[]): Failure {
  const message = `no script is called or tagged "${tag}"`
  const list = `There are: ${known.join(', ')}`
  if (Object.hasOwn(commands, tag))
    return usage(message, `${tag} is a command by itself: npm run ${tag}, with -w WORKSPACE for one of them.\n${list}`)
  const near = nearest(tag, known)
  return usage(message, near ? `Did you mean ${near}?` : list)
}
