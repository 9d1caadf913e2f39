import { Failure } from '@infra/shared/engine/failure'
import { readConfig } from '@infra/shared/facts/synapse/config'

const unread = "Synapse's configuration cannot be read"

/**
 * A bash function for programs of the host: `server_name` prints the name that Synapse is configured with, read by YAML's
 * own parser, and nothing where there is no configuration. It fails, and says why, where nobody can read it.
 */
export const serverNameFunction = `server_name() {
  (${readConfig('name', unread).line}) </dev/null || {
    [ $? != 3 ] || echo ${JSON.stringify(`${unread}: no Python on the host`)} >&2
    return 1
  }
}`

/** The error of a program that could not read it, by what it said; `state` is what became of its work. */
export function unreadName(said: string, state: string): Failure | undefined {
  const line = said.split('\n').find((one) => one.startsWith(`${unread}: `))
  if (line === undefined) return undefined
  return new Failure('error', `${line}; ${state}`, {
    remedy: 'Correct that file on the host (npm run ssh -w pod), or move it away where it is of no use.',
  })
}
