import type { Output } from '../../command/command.ts'
import { valueAt } from '../../command/digitalocean.ts'
import { redact } from '../../command/secret.ts'
import { Failure } from '../../engine/failure.ts'
import { type Doing, lackingScope, refusedToken } from './errors.ts'

/** An answer of the API. */
export interface Reply {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly message: string
  /** Seconds. */
  readonly retryAfter: number
}

/** Reads an answer to its end. Throws for what is not JSON, unless it tells of a fault by its status. */
export async function readReply(response: Response): Promise<Reply> {
  const text = await bounded(response)
  const body = text === '' ? {} : parseObject(text)
  // What is not JSON does not come from the API, but from a proxy or a portal in between; the status tells of a fault.
  if (body === undefined && response.status < 500) throw new Error(`${response.status}, and not JSON`)
  const message = String(body?.message ?? response.statusText)
  const id = body?.request_id === undefined ? '' : ` (request ${String(body.request_id)})`
  const after = Number(response.headers.get('retry-after') ?? 'none')
  const reset = Number(response.headers.get('ratelimit-reset') ?? 'none') - Date.now() / 1000
  const retryAfter = Math.max(1, Math.ceil([after, reset].find(Number.isFinite) ?? 5))
  return { status: response.status, body: body ?? {}, message: message + id, retryAfter }
}

/** The largest answer that is read, in bytes: a page of 200 droplets has less than one million. */
const largest = 32_000_000

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > largest) throw new Error(`an answer of more than ${largest} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Throws where the token is at fault. */
export function judge(doing: Doing, reply: Reply): Reply {
  if (reply.status === 401) throw refusedToken(doing, reply.message)
  if (reply.status === 403) throw lackingScope(doing, reply.message)
  return reply
}

/**
 * The path of the next page. Only that: the token is never sent where an answer says. Throws for what is not a path of the
 * API: appended to its address, `x:1/steal` would lead to another port.
 */
export function nextPage(endpoint: string, { body }: Reply): string | undefined {
  const next = valueAt(body, 'links.pages.next')
  if (typeof next !== 'string') return undefined
  const path = URL.canParse(next, endpoint) ? pathOf(new URL(next, endpoint)) : ''
  if (path.startsWith('/') && new URL(endpoint + path).origin === new URL(endpoint).origin) return path
  throw new Failure('error', 'DigitalOcean names a next page that is none of its API; the token was not sent there', {
    remedy: 'Is DIGITALOCEAN_API_URL the API, and no proxy in between?',
  })
}

const pathOf = ({ pathname, search }: URL) => pathname + search

/** The answer as a command's: 0 or the status, the JSON, the message. */
export function output({ status, body, message }: Reply): Output {
  const good = status >= 200 && status < 300
  return { code: good ? 0 : status, stdout: JSON.stringify(body), stderr: good ? '' : redact(message) }
}
