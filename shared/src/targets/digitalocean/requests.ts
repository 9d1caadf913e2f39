import type { Output } from '../../command/command.ts'
import { realDigitalOcean } from '../../command/digitalocean.ts'
import type { Secret } from '../../command/secret.ts'
import { Failure } from '../../engine/failure.ts'
import type { Listener } from '../../engine/target.ts'
import type { Send } from './client.ts'
import { type Doing, faulty, limited, silent } from './errors.ts'
import { judge, nextPage, output, type Reply, readReply } from './reply.ts'

/** Seconds before another attempt after no answer or a fault at their end. Only where nothing could be done twice. */
const pauses = [1, 3, 8]

/** The longest wait that is granted to "too many requests", in seconds, and how often. */
const longest = 120
const waits = 5

/** How requests reach the API. */
export interface Requests {
  /** One request, sent again where that does no harm. Throws a Failure for a fault of the way there, or of the token. */
  send(method: string, path: string, body: string | undefined, hear: Listener): Promise<Reply>
  /** A question, all its pages in one answer. */
  get(path: string, hear: Listener): Promise<Output>
}

/** The requests of one account at an endpoint. `wait` takes seconds. */
export function openRequests(token: Secret, endpoint: string, wait: (seconds: number) => Promise<unknown>): Requests {
  let loaded: Promise<Send> | undefined
  const load = () => {
    loaded ??= import('./client.ts').then(({ dotsSender }) => dotsSender(token))
    return loaded
  }
  const send: Requests['send'] = async (method, path, body, hear) => {
    const doing: Doing = {
      endpoint,
      real: endpoint === realDigitalOcean,
      request: `${method} ${path}`,
      writes: method !== 'GET',
    }
    const transmit = await load()
    for (let attempt = 0, waited = 0; ; ) {
      const reply = await transmit(method, endpoint + path, body)
        .then(readReply)
        .catch((error: unknown) => ({ error }))
      if ('status' in reply && reply.status === 429) {
        if (waited++ >= waits) throw limited(doing)
        const seconds = Math.min(longest, reply.retryAfter)
        hear(`DigitalOcean asks for fewer requests: again in ${seconds} seconds`)
        await wait(seconds)
        continue
      }
      if ('status' in reply && reply.status < 500) return judge(doing, reply)
      const seconds = method === 'POST' ? undefined : pauses[attempt++]
      if (seconds === undefined)
        throw 'status' in reply ? faulty(doing, reply.status, reply.message) : silent(doing, reply.error)
      await wait(seconds)
    }
  }
  return { send, get: (path, hear) => allPages(send, endpoint, path, hear) }
}

/** Of 200 items each: far more than an account may have. */
const mostPages = 100

async function allPages(send: Requests['send'], endpoint: string, path: string, hear: Listener): Promise<Output> {
  const first = await send('GET', path, undefined, hear)
  let next = nextPage(endpoint, first)
  for (let page = 2; next !== undefined; page += 1) {
    if (page > mostPages)
      throw new Failure('error', `DigitalOcean's answer to GET ${path} has no end: ${mostPages} pages`, {
        remedy: 'Is DIGITALOCEAN_API_URL the API, and no proxy in between?',
      })
    const reply = await send('GET', next, undefined, hear)
    if (reply.status !== 200) return output(reply)
    append(first.body, reply.body)
    const after = nextPage(endpoint, reply)
    if (after === next) break
    next = after
  }
  return output(first)
}

/** Adds the items of a page's lists to those of the first page. */
function append(first: Reply['body'], page: Reply['body']): void {
  for (const [key, value] of Object.entries(page)) {
    const list = first[key]
    if (Array.isArray(value) && Array.isArray(list)) list.push(...value)
  }
}
