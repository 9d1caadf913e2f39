/**
 * What Stoat's programs do, seen from outside: a whole round and five faults. Stand-ins and upstream's own programs are
 * judged by the same functions, which throw at the first difference.
 */
import { randomBytes } from 'node:crypto'
import { until } from '../run.ts'
import {
  acknowledge,
  type Client,
  type Exchange,
  expectStatus,
  newClient,
  newServer,
  register,
  sendMessage,
} from './client.ts'
import { declared, inOrder, type Platform, type ProgramName } from './platform.ts'
import { differences } from './recorded.ts'
import { newFileKey } from './settings.ts'
import { smokeRound } from './smoke-round.ts'
import { openSocket } from './websocket.ts'

/** Something that the programs do, or a fault that they have. */
export interface Judgement {
  readonly about: string
  judge(platform: Platform): Promise<unknown>
}

/** All of it, in an order in which none disturbs the next. */
export const judgements: readonly Judgement[] = [
  { about: 'a whole round, from the account to its end', judge: asRecorded },
  { about: 'verify --smoke goes its round, twice, and reads its canary file', judge: smokeRound },
  { about: 'a stranger gets no events', judge: refusesStranger },
  { about: 'health says 200 whatever is missing', judge: alwaysHealthy },
  { about: 'a bad file key drops uploads, another one loses files', judge: dropUploads },
  { about: 'a wrong password of RabbitMQ ends the api', judge: endWithoutBroker },
  { about: 'missing exchanges lose acknowledgements for good', judge: loseAcknowledgements },
  { about: 'nothing connects to RabbitMQ again', judge: neverReconnect },
  { about: 'without Mongo nobody is logged in, after a while', judge: forgetSessions },
]

// The answers are those that upstream's own programs gave.
async function asRecorded(platform: Platform): Promise<void> {
  const found = await differences(await wholeRound(platform))
  if (found.length > 0) throw new Error(found.join('\n'))
}

/** The whole round of somebody who comes, talks, and goes. Answers what was asked and answered. */
export async function wholeRound(platform: Pick<Platform, 'url'>): Promise<readonly Exchange[]> {
  const client = newClient(platform)
  await describesItself(client)
  const password = await register(client)
  const socket = await openSocket(`${platform.url('events')}/?version=1&format=json&token=${client.token}`)
  try {
    await socket.event('Authenticated')
    await socket.event('Ready')
    socket.send({ type: 'Ping', data: 1 })
    await socket.event('Pong')
    const { server, channel } = await newServer(client)
    await socket.event('ServerCreate')
    await exchangesFile(client, channel)
    const word = `word${randomBytes(4).toString('hex')}`
    const message = await sendMessage(client, channel, `a ${word} to search for`)
    await socket.event('Message', 10_000, ({ _id }) => _id === message)
    await finds(client, channel, word, message)
    for (const _ of [1, 2]) same('an acknowledgement', await acknowledge(client, channel, message), 204)
    await uploadsBySize(client)
    await makesRole(client, server)
    await expectStatus(client.ask('api', 'DELETE', `/servers/${server}`, { as: '/servers/S' }), 204)
    const kept = await keepsFile(client)
    await leaves(client, password)
    await expectStatus(client.ask('autumn', 'GET', kept, { as: '/attachments/A/random.bin (of who is gone)' }), 200)
  } finally {
    socket.close()
  }
  return client.exchanges
}

async function describesItself(client: Client): Promise<void> {
  const { body } = await expectStatus(client.ask('api', 'GET', '/'), 200)
  const root = body as {
    revolt?: unknown
    ws?: unknown
    app?: unknown
    vapid?: unknown
    features?: { autumn?: { url?: unknown } }
  }
  for (const value of [root.revolt, root.ws, root.app, root.vapid, root.features?.autumn?.url])
    same('a part of the root', typeof value, 'string')
  for (const name of ['autumn', 'january', 'gifbox'] as const) await expectStatus(client.ask(name, 'GET', '/'), 200)
  const trending = '/trending?locale=en_US'
  await expectStatus(client.ask('gifbox', 'GET', trending), 401)
  await expectStatus(client.ask('api', 'GET', '/users/@me', { as: '/users/@me (nobody)' }), 401)
}

/** A stranger's websocket is opened, told that its session is unknown, and closed. */
export async function refusesStranger(platform: Pick<Platform, 'url'>): Promise<void> {
  const socket = await openSocket(`${platform.url('events')}/?version=1&format=json&token=bad`)
  const { data } = await socket.event('Error')
  same('the error', (data as { type?: string }).type, 'InvalidSession')
  socket.close()
}

// Answers the path of the file.
async function exchangesFile(client: Client, channel: string): Promise<string> {
  const bytes = randomBytes(3000)
  const { body } = await expectStatus(client.upload(bytes), 200)
  const { id } = body as { id: string }
  const [bare, path] = [`/attachments/${id}`, `/attachments/${id}/random.bin`]
  await expectStatus(client.ask('autumn', 'GET', path, { as: '/attachments/A/random.bin (not attached)' }), 404)
  await sendMessage(client, channel, 'with a file', [id])
  const fetched = await expectStatus(client.ask('autumn', 'GET', path, { as: '/attachments/A/random.bin' }), 200)
  same('the file', fetched.bytes.equals(bytes), true)
  const moved = await expectStatus(client.ask('autumn', 'GET', bare, { as: '/attachments/A' }), 308)
  same('the way to the file', moved.location, path)
  return path
}

// A file in the client's own notes, where it stays. Answers its path.
async function keepsFile(client: Client): Promise<string> {
  const asked = client.ask('api', 'GET', `/users/${client.user}/dm`, { as: '/users/U/dm' })
  const { _id: notes } = (await expectStatus(asked, 200)).body as { _id: string }
  const { body } = await expectStatus(client.upload(randomBytes(1000)), 200)
  const { id } = body as { id: string }
  await sendMessage(client, notes, 'kept', [id])
  return `/attachments/${id}/random.bin`
}

async function finds(client: Client, channel: string, query: string, message: string): Promise<void> {
  const ask = client.ask('api', 'POST', `/channels/${channel}/search`, { json: { query }, as: '/channels/C/search' })
  const { body } = await expectStatus(ask, 200)
  const found = body as { _id: string }[]
  same('what is found', found.map(({ _id }) => _id).join(), message)
}

async function uploadsBySize(client: Client): Promise<void> {
  await expectStatus(client.upload(randomBytes(12_000_000)), 200)
  await expectStatus(client.upload(Buffer.alloc(21_000_000)), 413)
}

async function makesRole(client: Client, server: string): Promise<void> {
  const json = { name: 'role' }
  const made = client.ask('api', 'POST', `/servers/${server}/roles`, { json, as: '/servers/S/roles' })
  const { id } = (await expectStatus(made, 200)).body as { id: string }
  await expectStatus(client.ask('api', 'DELETE', `/servers/${server}/roles/${id}`, { as: '/servers/S/roles/R' }), 204)
}

async function leaves(client: Client, password: string): Promise<void> {
  const ticket = client.ask('api', 'PUT', '/auth/mfa/ticket', { json: { password } })
  const { token } = (await expectStatus(ticket, 200)).body as { token: string }
  const headers = { 'X-MFA-Ticket': token }
  await expectStatus(client.ask('api', 'POST', '/auth/account/disable', { headers }), 204)
  await expectStatus(client.ask('api', 'GET', '/users/@me', { as: '/users/@me (gone)' }), 401)
}

/**
 * Without the workers the exchanges are missing: the first acknowledgement is accepted, all others fail, also when the
 * workers have come. Only another start of the api heals it.
 */
async function loseAcknowledgements(platform: Platform): Promise<void> {
  for (const name of inOrder) await platform.stop(name)
  await platform.stopStore('rabbitmq')
  await platform.wipeStore('rabbitmq')
  await platform.startStore('rabbitmq')
  for (const name of ['api', 'events', 'autumn'] as const) await platform.start(name)
  const client = newClient(platform)
  await register(client)
  const { channel } = await newServer(client)
  const message = await sendMessage(client, channel, 'to be read')
  same('the first acknowledgement', await acknowledge(client, channel, message), 204)
  await until('a failing acknowledgement', 10_000, async () =>
    (await acknowledge(client, channel, message)) === 500 ? true : undefined,
  )
  await sendMessage(client, channel, 'messages go on')
  for (const name of ['crond', 'pushd'] as const) await platform.start(name)
  await declared(platform)
  same('one after the workers came', await acknowledge(client, channel, message), 500)
  await restart(platform, 'api')
  same('one of another start', await acknowledge(client, channel, message), 204)
  for (const name of ['january', 'gifbox'] as const) await platform.start(name)
}

/** After RabbitMQ's restart nothing connects again: messages go on, acknowledgements fail until the api is restarted. */
async function neverReconnect(platform: Platform): Promise<void> {
  const client = newClient(platform)
  await register(client)
  const { channel } = await newServer(client)
  const message = await sendMessage(client, channel, 'to be read')
  await platform.stopStore('rabbitmq')
  await platform.startStore('rabbitmq')
  await sendMessage(client, channel, 'messages go on')
  same('an acknowledgement', await acknowledge(client, channel, message), 500)
  for (const name of ['crond', 'pushd', 'api'] as const) await restart(platform, name)
  same('one after the restart', await acknowledge(client, channel, message), 204)
}

/** A key that is none drops each upload without an answer; another key makes old files unreadable. Health stays 200. */
async function dropUploads(platform: Platform): Promise<void> {
  const client = newClient(platform)
  await register(client)
  const { channel } = await newServer(client)
  const path = await exchangesFile(client, channel)
  const good = platform.settings().fileKey
  try {
    await platform.configure({ fileKey: 'c2hvcnQ=' })
    await restart(platform, 'autumn')
    const dropped = await client.upload(randomBytes(1000))
    same('the answer to an upload', dropped.status, 0)
    await expectStatus(client.ask('autumn', 'GET', '/'), 200)
    await platform.configure({ fileKey: newFileKey() })
    await restart(platform, 'autumn')
    await expectStatus(client.ask('autumn', 'GET', path, { as: '/attachments/A/random.bin (another key)' }), 500)
  } finally {
    await platform.configure({ fileKey: good })
    await restart(platform, 'autumn')
  }
  await expectStatus(client.ask('autumn', 'GET', path, { as: '/attachments/A/random.bin (the key again)' }), 200)
}

/** Without Mongo the api says for a minute nothing, then that nobody is logged in; then it heals by itself. */
async function forgetSessions(platform: Platform): Promise<Readonly<{ milliseconds: number }>> {
  const client = newClient(platform)
  await register(client)
  await expectStatus(client.ask('api', 'GET', '/users/@me'), 200)
  await platform.stopStore('mongo')
  const { milliseconds } = await expectStatus(
    client.ask('api', 'GET', '/users/@me', { as: '/users/@me (no Mongo)' }),
    401,
  )
  if (milliseconds < 25_000) throw new Error(`an answer came after ${milliseconds} ms already`)
  await platform.startStore('mongo')
  await until('the session again', 60_000, async () =>
    (await client.ask('api', 'GET', '/users/@me')).status === 200 ? true : undefined,
  )
  return { milliseconds }
}

/** `GET /` answers 200 whatever is missing. */
async function alwaysHealthy(platform: Platform): Promise<void> {
  const client = newClient(platform)
  for (const name of ['mongo', 'redis', 's3', 'rabbitmq'] as const) {
    await platform.stopStore(name)
    for (const program of ['api', 'autumn', 'january', 'gifbox'] as const)
      await expectStatus(client.ask(program, 'GET', '/', { timeoutMs: 60_000 }), 200)
    await platform.startStore(name)
  }
}

/** With a wrong password for RabbitMQ the api ends at once, and with an error. */
async function endWithoutBroker(platform: Platform): Promise<number> {
  const right = platform.settings().rabbitPassword
  try {
    await platform.configure({ rabbitPassword: 'wrong' })
    const code = await platform.ends('api', 200_000)
    if (code === undefined || code === 0) throw new Error(`the api ended with ${code}`)
    return code
  } finally {
    await platform.configure({ rabbitPassword: right })
    await restart(platform, 'api')
  }
}

async function restart(platform: Platform, name: ProgramName): Promise<void> {
  await platform.stop(name)
  await platform.start(name)
  if (name === 'crond' || name === 'pushd') await declared(platform)
}

function same(what: string, now: unknown, wanted: unknown): void {
  if (now !== wanted) throw new Error(`${what}: expected ${wanted}, got ${now}`)
}
