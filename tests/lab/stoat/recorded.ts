import { readFile, writeFile } from 'node:fs/promises'
import type { Exchange } from './client.ts'

const file = new URL('recorded/v0.13.8.json', import.meta.url)

// Fields whose very words matter; of all other text only that it is text.
const words = /^(type|result|channel_type|tag|filename|relationship|content_type|autumn|january|message)$/

/** Keeps what upstream's own programs answered in a whole round, without what is only of that run. */
export const record = (exchanges: readonly Exchange[]): Promise<void> =>
  writeFile(file, `${JSON.stringify(exchanges.map(simplified), null, 2)}\n`)

const simplified = ({ request, status, body }: Exchange): Exchange => ({ request, status, body: simple(body, '') })

function simple(value: unknown, key: string): unknown {
  if (typeof value === 'string') return words.test(key) ? value : 'text'
  if (Array.isArray(value)) return value.slice(0, 1).map((item) => simple(item, key))
  if (typeof value !== 'object' || value === null) return value
  // Upstream gives them in another order each time.
  const sorted = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(sorted.map(([name, item]) => [name, simple(item, name)]))
}

/** What differs from upstream's recorded answers: another order or status, or a field that upstream has not. */
export async function differences(exchanges: readonly Exchange[]): Promise<readonly string[]> {
  const recorded: readonly Exchange[] = JSON.parse(await readFile(file, 'utf8'))
  const lines = (all: readonly Exchange[]) => all.map(({ request, status }) => `${request} ${status}`).join('\n')
  if (lines(exchanges) !== lines(recorded)) return [`expected\n${lines(recorded)}\ngot\n${lines(exchanges)}`]
  return exchanges.flatMap((one, index) => unlike(simplified(one).body, recorded[index]?.body, one.request))
}

// A part of what upstream says is enough: a stand-in says less, but nothing else.
function unlike(now: unknown, then: unknown, where: string): string[] {
  if (now === undefined) return []
  if (Array.isArray(now) && Array.isArray(then))
    return now.length > 0 && then.length > 0 ? unlike(now[0], then[0], `${where}[0]`) : []
  if (!isObject(now) || !isObject(then))
    return typeof now === 'number' ? compare(typeof now, typeof then, where) : compare(now, then, where)
  return Object.entries(now).flatMap(([name, value]) =>
    name in then ? unlike(value, then[name], `${where}.${name}`) : [`${where}.${name}: upstream has no such field`],
  )
}

const compare = (now: unknown, then: unknown, where: string): string[] =>
  now === then ? [] : [`${where}: ${JSON.stringify(now)}, upstream: ${JSON.stringify(then)}`]

const isObject = (value: unknown): value is Readonly<{ [name: string]: unknown }> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
