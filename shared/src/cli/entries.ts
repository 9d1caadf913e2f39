import { entryOf } from '../targets/run-entry.ts'
import { describeHolder } from '../targets/run-identity.ts'
import { commit } from './paths.ts'
import type { Session } from './session.ts'

/** What a target keeps of this run, where it changes something there: who runs what, from which commit. */
export function runEntry({ workspace, command, npm, options }: Session): string {
  const chosen = [
    ...(options.env === undefined ? [] : [`(${options.env})`]),
    ...(options.tags ? ['--tags', options.tags.join()] : []),
    ...(options['skip-tags'] ? ['--skip-tags', options['skip-tags'].join()] : []),
  ]
  const what = [command === 'deploy' ? npm : command, workspace.name, ...chosen].join(' ')
  return entryOf({ what, by: describeHolder(), commit: commit() })
}
