import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Platform, ProgramName } from './platform.ts'

/** An answer of a program. `status` is 0 where it gave none, and `failure` says why. */
export type Answer = {
  readonly status: number
  readonly body: unknown
  readonly bytes: Buffer
  readonly location: string | undefined
  readonly milliseconds: number
  readonly failure?: string
}

/** What is kept of a round: one line per request, in order. */
export type Exchange = { readonly request: string; readonly status: number; readonly body: unknown }

export type Client = {
  token: string | undefined
  /** The id of its user. */
  user: string
  readonly exchanges: Exchange[]
  /** Asks, waits where it asks too often, and notes the answer. */
  ask(program: ProgramName, method: string, path: string, options?: Options): Promise<Answer>
  /** Uploads these bytes as an attachment. */
  upload(bytes: Buffer, name?: string): Promise<Answer>
}

type Options = {
  readonly json?: unknown
  readonly form?: FormData
  readonly headers?: Readonly<{ [name: string]: string }>
  /** How the request is noted, where its path has names of this run. */
  readonly as?: string
  readonly timeoutMs?: number
}

/** A client of the platform, nobody until it has a token. */
export function newClient(platform: Pick<Platform, 'url'>): Client {
  const client: Client = {
    token: undefined,
    user: '',
    exchanges: [],
    ask: async (program, method, path, options = {}) => {
      const url = `${platform.url(program)}${path}`
      for (;;) {
        const answer = await once(url, method, client.token, options)
        if (answer.status === 429) {
          await setTimeout((answer.body as { retry_after?: number }).retry_after ?? 1000)
          continue
        }
        client.exchanges.push({
          request: `${program} ${method} ${options.as ?? path}`,
          status: answer.status,
          body: answer.body,
        })
        return answer
      }
    },
    upload: (bytes, name = 'random.bin') => {
      const form = new FormData()
      form.append('file', new Blob([new Uint8Array(bytes)]), name)
      const as = `/attachments (${bytes.length} bytes)`
      return client.ask('autumn', 'POST', '/attachments', { form, as })
    },
  }
  return client
}

async function once(url: string, method: string, token: string | undefined, options: Options): Promise<Answer> {
  const { json, form, headers = {}, timeoutMs = 100_000 } = options
  const began = Date.now()
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
    headers: {
      ...(token === undefined ? {} : { 'X-Session-Token': token }),
      ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    ...(form === undefined ? {} : { body: form }),
  }).catch((error: Error) => error)
  const none = { body: undefined, bytes: Buffer.alloc(0), location: undefined }
  if (response instanceof Error)
    return { ...none, status: 0, milliseconds: Date.now() - began, failure: `${response.cause ?? response}` }
  const bytes = Buffer.from(await response.arrayBuffer().catch(() => new ArrayBuffer(0)))
  return {
    status: response.status,
    bytes,
    body: parsed(bytes),
    location: response.headers.get('location') ?? undefined,
    milliseconds: Date.now() - began,
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

/** Registers somebody new, who has a token and a name afterwards. Answers the password. */
export async function register(client: Client): Promise<string> {
  const name = `lab${randomBytes(4).toString('hex')}`
  const [email, password] = [`${name}@example.org`, randomBytes(12).toString('hex')]
  await expectStatus(client.ask('api', 'POST', '/auth/account/create', { json: { email, password } }), 204)
  const login = { email, password, friendly_name: 'lab' }
  const { body } = await expectStatus(client.ask('api', 'POST', '/auth/session/login', { json: login }), 200)
  const session = body as { token: string; user_id: string }
  client.token = session.token
  client.user = session.user_id
  await expectStatus(client.ask('api', 'GET', '/onboard/hello'), 200)
  await expectStatus(client.ask('api', 'POST', '/onboard/complete', { json: { username: name } }), 200)
  return password
}

/** A server of the client's own and its first channel. */
export async function newServer(client: Client): Promise<{ server: string; channel: string }> {
  const { body } = await expectStatus(client.ask('api', 'POST', '/servers/create', { json: { name: 'lab' } }), 200)
  const { server, channels } = body as { server: { _id: string }; channels: { _id: string }[] }
  return { server: server._id, channel: channels[0]?._id ?? '' }
}

/** Sends a message. Answers its id. */
export async function sendMessage(
  client: Client,
  channel: string,
  content: string,
  attachments: string[] = [],
): Promise<string> {
  const json = { content, ...(attachments.length > 0 ? { attachments } : {}) }
  const as = '/channels/C/messages'
  const { body } = await expectStatus(client.ask('api', 'POST', `/channels/${channel}/messages`, { json, as }), 200)
  return (body as { _id: string })._id
}

/** Marks a message as read. Answers the status. */
export const acknowledge = async (client: Client, channel: string, message: string): Promise<number> =>
  (await client.ask('api', 'PUT', `/channels/${channel}/ack/${message}`, { as: '/channels/C/ack/M' })).status

/** The answer, or an error that says what came instead. */
export async function expectStatus(asked: Promise<Answer>, status: number): Promise<Answer> {
  const answer = await asked
  if (answer.status === status) return answer
  const said = answer.failure ?? answer.bytes.toString().slice(0, 300)
  throw new Error(`expected ${status}, got ${answer.status} after ${answer.milliseconds} ms: ${said}`)
}
