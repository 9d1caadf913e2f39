import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type Canary, digestOf, newCanary } from './canary.ts'
import type { Entrance, Reply, Send } from './entrance.ts'
import { openWebSocket, type WebSocketConnection } from './websocket.ts'

/** Who goes the round. Accounts of this kind are told by their e-mail address, and their password follows from it. */
export interface SmokeAccount {
  readonly email: string
  readonly password: string
  /** The servers that it has left behind. */
  readonly servers?: readonly string[]
}

export type Part = 'account' | 'events' | 'file' | 'acknowledgements'

/** What is told of the parts of the round, and whether to go on. */
export interface SmokeReport {
  done(part: Part, detail: string): void
  /** Throws when the round shall end early. */
  goOn(): void
  /** Where a canary file shall be stored: it is told where it is. */
  readonly keep?: ((canary: Canary) => Promise<void>) | undefined
}

/** How often a limited request is asked again. */
const maxTries = 8

/** The api and the file server as one account sees them. */
class Session {
  readonly #entrance: Entrance
  token = ''
  user = ''

  constructor(entrance: Entrance) {
    this.#entrance = entrance
  }

  /** Asks, and again where that is too often. Throws for any status but the expected one. */
  async ask(method: string, path: string, status: number, json?: unknown, headers: Send['headers'] = {}) {
    const body = json === undefined ? {} : { body: JSON.stringify(json) }
    const type = json === undefined ? {} : { 'content-type': 'application/json' }
    return this.#expect(method, path, status, { method, headers: { ...this.#auth(), ...type, ...headers }, ...body })
  }

  /** Uploads a file; gives its id. It is called `smoke.bin`. */
  async upload(bytes: Buffer): Promise<string> {
    const mark = randomBytes(12).toString('hex')
    const head = `--${mark}\r\nContent-Disposition: form-data; name="file"; filename="smoke.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`
    const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${mark}--\r\n`)])
    const headers = { ...this.#auth(), 'content-type': `multipart/form-data; boundary=${mark}` }
    const path = '/autumn/attachments'
    return idOf(await this.#expect('POST', path, 200, { method: 'POST', headers, body }), 'id')
  }

  #auth = () => (this.token === '' ? {} : { 'x-session-token': this.token })

  async #expect(method: string, path: string, status: number, options: Send): Promise<Reply> {
    for (let tries = 1; ; tries += 1) {
      const reply = await this.#entrance.send(path, options)
      if (reply.status === status) return reply
      if (reply.status !== 429 || tries === maxTries)
        throw new Error(`${method} ${path.replace(/[0-9A-Z]{20,}/g, '…')} answers ${reply.status} instead of ${status}`)
      await pause(Math.min(Number((json(reply) as { retry_after?: number }).retry_after ?? 1000), 15_000))
    }
  }
}

/** The whole round: an account, events, a server, a message with a file, two acknowledgements. Leaves the account to `leave`. */
export async function goRound(entrance: Entrance, account: SmokeAccount, report: SmokeReport): Promise<void> {
  const session = await enter(entrance, account, report)
  const socket = await openWebSocket(entrance, `/ws?version=1&format=json&token=${encodeURIComponent(session.token)}`)
  try {
    await listen(socket, report)
    const server = await session.ask('POST', '/api/servers/create', 200, { name: 'smoke' })
    const made = json(server) as { server?: { _id: string }; channels?: { _id: string }[] }
    const channel = made.channels?.[0]?._id ?? ''
    report.goOn()
    try {
      await talk(session, socket, channel, report)
    } finally {
      if (made.server) await session.ask('DELETE', `/api/servers/${made.server._id}`, 204)
    }
  } finally {
    socket.close()
  }
}

async function enter(entrance: Entrance, account: SmokeAccount, report: SmokeReport): Promise<Session> {
  const session = new Session(entrance)
  await logIn(session, account)
  await session.ask('GET', '/api/onboard/hello', 200)
  const username = account.email.replace(/@.*/, '').replace(/-/g, '')
  await session.ask('POST', '/api/onboard/complete', 200, { username })
  report.done('account', username)
  report.goOn()
  return session
}

async function listen(socket: WebSocketConnection, report: SmokeReport): Promise<void> {
  await socket.next((text) => text.includes('"Authenticated"'))
  await socket.next((text) => text.includes('"Ready"'))
  socket.send(JSON.stringify({ type: 'Ping', data: 1 }))
  await socket.next((text) => text.includes('"Pong"'))
  report.done('events', 'Authenticated, Ready, Pong')
  report.goOn()
}

async function talk(
  session: Session,
  socket: WebSocketConnection,
  channel: string,
  report: SmokeReport,
): Promise<void> {
  // Random: equal files are kept once, and one that was there before would pass with the store down.
  const bytes = randomBytes(40_000)
  const file = await session.upload(bytes)
  const sent = await session.ask('POST', `/api/channels/${channel}/messages`, 200, {
    content: 'smoke',
    attachments: [file],
  })
  const message = idOf(sent, '_id')
  await socket.next((text) => text.includes('"Message"') && text.includes(message))
  const read = await session.ask('GET', `/autumn/attachments/${file}/smoke.bin`, 200)
  if (!read.body.equals(bytes)) throw new Error('the file that was uploaded comes back as another')
  report.done('file', `${bytes.length} bytes`)
  report.goOn()
  // The first one passes even where the exchanges are missing.
  const second = idOf(await session.ask('POST', `/api/channels/${channel}/messages`, 200, { content: 'again' }), '_id')
  for (const one of [message, second]) await session.ask('PUT', `/api/channels/${channel}/ack/${one}`, 204)
  report.done('acknowledgements', 'two of two')
  if (report.keep) await report.keep(await storeCanary(session))
}

/** Stores a file in the account's own notes, which stay when the account is disabled. */
async function storeCanary(session: Session): Promise<Canary> {
  const bytes = newCanary()
  const file = await session.upload(bytes)
  const notes = idOf(await session.ask('GET', `/api/users/${session.user}/dm`, 200), '_id')
  const message = { content: 'canary', attachments: [file] }
  await session.ask('POST', `/api/channels/${notes}/messages`, 200, message)
  return { path: `/autumn/attachments/${file}/smoke.bin`, sha256: digestOf(bytes) }
}

/** Makes an account, with an invite where that takes one. */
export async function makeAccount(
  entrance: Entrance,
  { email, password }: SmokeAccount,
  invite?: string,
): Promise<void> {
  const given = { email, password, ...(invite !== undefined && { invite }) }
  await new Session(entrance).ask('POST', '/api/auth/account/create', 204, given)
}

async function logIn(session: Session, { email, password }: SmokeAccount): Promise<void> {
  const login = { email, password, friendly_name: 'smoke' }
  const reply = await session.ask('POST', '/api/auth/session/login', 200, login)
  session.token = idOf(reply, 'token')
  session.user = idOf(reply, 'user_id')
}

/** Disables an account for good, however far its round came. */
export async function leave(entrance: Entrance, account: SmokeAccount): Promise<void> {
  const session = new Session(entrance)
  await logIn(session, account)
  for (const server of account.servers ?? []) await session.ask('DELETE', `/api/servers/${server}`, 204)
  const ticket = idOf(await session.ask('PUT', '/api/auth/mfa/ticket', 200, { password: account.password }), 'token')
  await session.ask('POST', '/api/auth/account/disable', 204, undefined, { 'x-mfa-ticket': ticket })
}

function idOf(reply: Reply, key: string): string {
  const value = (json(reply) as Readonly<Record<string, unknown>>)[key]
  if (typeof value !== 'string') throw new Error(`an answer without ${key}`)
  return value
}

function json({ body }: Reply): unknown {
  try {
    return JSON.parse(body.toString()) ?? {}
  } catch {
    return {}
  }
}
