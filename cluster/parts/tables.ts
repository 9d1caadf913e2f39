import { Failure } from '@infra/shared/engine/failure'
import type { KeyAttribute } from '@infra/shared/facts/aws/dynamodb'
import type { TableOptions } from '@infra/shared/steps/aws/dynamodb'

type Tables = readonly Omit<TableOptions, 'tags'>[]

interface Settings {
  readonly DYNAMODB_KEYS?: string | undefined
  readonly DYNAMODB_TTL?: string | undefined
}

/**
 * Tables with the keys and the expiry that the environment says the bot uses. Of an index that has the same hash as its
 * table, the hash follows. Throws where a setting names a table or an index that there is not.
 */
export function asInBot(tables: Tables, env: Settings): Tables {
  const [keys, ttl] = [entriesOf(env.DYNAMODB_KEYS), entriesOf(env.DYNAMODB_TTL)]
  const indexes = tables.flatMap(({ name, indexes = [] }) => indexes.map((index) => `${name}/${index.name}`))
  const names = tables.map(({ name }) => name)
  assertKnown('DYNAMODB_KEYS', keys, [...names, ...indexes])
  assertKnown('DYNAMODB_TTL', ttl, names)
  return tables.map(({ range, ...table }) => {
    const own = keysIn(keys.get(table.name)) ?? { hash: table.hash, ...(range && { range }) }
    const attribute = ttl.get(table.name) ?? table.ttl
    return {
      ...table,
      ...own,
      ...(table.indexes && {
        indexes: table.indexes.map((index) => ({
          ...index,
          ...(index.hash === table.hash && { hash: own.hash }),
          ...keysIn(keys.get(`${table.name}/${index.name}`)),
        })),
      }),
      ...(attribute !== undefined && { ttl: attribute }),
    }
  })
}

/** `TABLE=WHAT,TABLE=WHAT` by table. */
const entriesOf = (text = ''): ReadonlyMap<string, string> =>
  new Map(
    text
      .split(',')
      .filter((entry) => entry !== '')
      .map((entry) => entry.split('=') as [string, string]),
  )

/** `threadId+number:N`: names with a type, text where none is said. */
function keysIn(text: string | undefined): { hash: KeyAttribute; range?: KeyAttribute } | undefined {
  if (text === undefined) return undefined
  const [hash, range] = text.split('+').map((one) => {
    const [name = '', type = 'S'] = one.split(':')
    return `${name} ${type}` as KeyAttribute
  })
  return hash && { hash, ...(range && { range }) }
}

function assertKnown(variable: string, entries: ReadonlyMap<string, string>, known: readonly string[]): void {
  const strange = [...entries.keys()].find((name) => !known.includes(name))
  if (strange !== undefined)
    throw new Failure('error', `${variable} names ${strange}, which is no table of the bot or index of one`, {
      remedy: `There are: ${known.join(', ')}.`,
    })
}
