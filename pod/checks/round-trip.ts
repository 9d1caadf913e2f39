import { randomBytes } from 'node:crypto'
import { reveal, type Secret, secret } from '@infra/shared/command/secret'
import { sh } from '@infra/shared/command/sh'
import { rolePsql } from '@infra/shared/command/sql'
import { type Finding, ok, warn } from '@infra/shared/engine/check'
import { Failure } from '@infra/shared/engine/failure'
import { byLine } from '@infra/shared/targets/process'
import { isSsh, type SshTarget } from '@infra/shared/targets/ssh/ssh'
import { payload } from '../backup/backup.ts'
import { recorder, withPath } from '../commands/host.ts'
import type { PodContext } from '../context.ts'
import type { PodEnv } from '../env/env.ts'
import { synapseDatabaseName, synapseRole } from '../synapse/synapse.ts'
import { type Answer, type Asked, askPod } from './https.ts'

/**
 * How often it is tried while Synapse answers 5xx: after a restart of the database each of its connections, of which it
 * has up to ten, fails once.
 */
const attempts = 12

/**
 * The one check that writes, since nothing less proves that the whole works: a user of a random name is registered with
 * the shared secret (on the host itself: the admin API is closed to the world), logs in from outside through nginx, makes
 * a room, sends, reads, leaves, and is deactivated and erased, however far it came.
 */
export async function roundTrip({ env, host }: PodContext): Promise<Finding> {
  if (!isSsh(host)) throw new Failure('error', 'there is no host to connect to')
  const began = Date.now()
  const failed: string[] = []
  for (;;) {
    const visit = await once(env, host).catch((error: Error) => error)
    if (!(visit instanceof Error)) return judgeVisit(visit, Date.now() - began, failed)
    failed.push(visit.message)
    if (failed.length === attempts || !/: 5\d\d /.test(visit.message)) throw visit
  }
}

/** What a round trip that came to its end tells. */
export interface Visit {
  /** Which token served: that of a login, or of the registration. */
  readonly token: 'log in' | 'registration'
  /** Users of round trips that were cut off, the host's part too, who were taken away now. */
  readonly swept: readonly string[]
  /** Users who look like that and were not, each with the reason. */
  readonly left: readonly string[]
}

/** Milliseconds that it took, and what went wrong before, if anything did. */
export function judgeVisit({ token, swept, left }: Visit, ms: number, failed: readonly string[]): Finding {
  const doubts = [
    ...(failed.length > 0 ? [`at attempt ${failed.length + 1}; at first ${failed[0]}`] : []),
    ...(token === 'log in' ? [] : ['too many logins just now (429), so with the token of the registration']),
    ...left.map((line) => `of an earlier round trip, and still there: ${line}`),
  ]
  const said = [
    `${(ms / 1000).toFixed(1)} s`,
    ...doubts,
    ...swept.map((name) => `took away ${name}, which was left over`),
  ]
  return doubts.length > 0 ? warn(said.join('; ')) : ok(said.join('; '))
}

async function once(env: PodEnv, host: SshTarget): Promise<Visit> {
  const guest = await invite(host, env.SYNAPSE_REGISTRATION_SECRET)
  const token = await exchangeMessages(env, guest).catch((error: Error) => error)
  const lines = await guest.leave()
  if (token instanceof Error) throw token
  const told = (word: string) => lines.flatMap((line) => (line.startsWith(word) ? [line.slice(word.length)] : []))
  return { token, swept: told('SWEPT '), left: told('LEFT ') }
}

interface Guest {
  readonly name: string
  readonly password: Secret
  /** Of its registration. */
  readonly token: Secret
  /** Has it deactivated and erased. Gives what the host's part said meanwhile, by the line. */
  leave(): Promise<readonly string[]>
}

/**
 * Registers a user by a program on the host that takes it away when its stdin ends: at the latest when we do, whatever
 * ends us. Throws when that fails: `registration: 500 …`.
 */
async function invite(host: SshTarget, shared: Secret): Promise<Guest> {
  const lines: string[] = []
  const errors = recorder()
  const line = withPath(sh`cd / && exec python3 -I -c ${payload('round-trip.py')}`.line)
  let begin = () => {}
  const firstOutput = new Promise<void>((resolve) => {
    begin = resolve
  })
  const hear = byLine((said) => {
    lines.push(said)
    begin()
  })
  const running = await host.attach({ line, as: 'root', stdout: hear, stderr: errors.take })
  const psql = rolePsql(synapseRole, synapseDatabaseName)
  running.write(`${JSON.stringify({ shared: reveal(shared), psql })}\n`)
  await Promise.race([firstOutput, running.ended])
  const [greeting] = lines
  if (greeting === undefined) {
    if ((await running.ended) === 255) throw host.broken(errors.said(), 'registering a user')
    const why = lastOf(errors.said())
    const other = 'Synapse on the host has another SYNAPSE_REGISTRATION_SECRET'
    throw new Failure('error', /HMAC/i.test(why) ? other : `registration: ${why}`)
  }
  const { name, password, token } = JSON.parse(greeting) as Record<'name' | 'password' | 'token', string>
  return {
    name,
    password: secret(password),
    token: secret(token),
    async leave() {
      running.end()
      if ((await running.ended) === 0) return lines.slice(1)
      throw new Failure('error', `the user ${name} could not be taken away again: ${lastOf(errors.said())}`)
    },
  }
}

const lastOf = (said: string) => said.trim().split('\n').at(-1) || 'no answer'

/** Everything from outside. Says which token served: that of a login, or of the registration. */
async function exchangeMessages(env: PodEnv, { name, password, token }: Guest): Promise<Visit['token']> {
  const login = await logIn(env, name, password)
  await speak(env, login ?? token)
  return login ? 'log in' : 'registration'
}

/** Logs in; undefined when the server has had too many logins from here just now. */
async function logIn(env: PodEnv, user: string, password: Secret): Promise<Secret | undefined> {
  const body = { type: 'm.login.password', identifier: { type: 'm.id.user', user }, password }
  const answer = await askPod(env, '/_matrix/client/v3/login', { method: 'POST', body })
  if (answer.status === 429) return undefined
  return secret(String(must('login', answer).access_token))
}

/** Makes a room, sends a message, finds it in a sync, leaves. */
async function speak(env: PodEnv, token: Secret): Promise<void> {
  const call = async (what: string, path: string, how: Asked) =>
    must(what, await askPod(env, `/_matrix/client/v3${path}`, { token, ...how }))
  const made = await call('making a room', '/createRoom', { method: 'POST', body: { preset: 'private_chat' } })
  const room = encodeURIComponent(String(made.room_id))
  const body = `verify ${randomBytes(6).toString('hex')}`
  const sent = await call('sending', `/rooms/${room}/send/m.room.message/1`, {
    method: 'PUT',
    body: { msgtype: 'm.text', body },
  })
  const synced = await call('reading', '/sync?timeout=0&set_presence=offline', {})
  if (!holds(synced, String(made.room_id), String(sent.event_id), body))
    throw new Failure('error', 'reading: the message that was sent is not there')
  await call('leaving', `/rooms/${room}/leave`, { method: 'POST', body: {} })
}

/** Whether a sync has this message in this room. */
export function holds(sync: Readonly<Record<string, unknown>>, room: string, id: string, body: string): boolean {
  type Event = { event_id?: string; content?: { body?: string } }
  const rooms = sync.rooms as { join?: Record<string, { timeline?: { events?: Event[] } }> } | undefined
  const events = rooms?.join?.[room]?.timeline?.events ?? []
  return events.some((event) => event.event_id === id && event.content?.body === body)
}

function must(what: string, { status, json }: Answer): Readonly<Record<string, unknown>> {
  if (status === 200 && json) return json
  throw new Failure('error', `${what}: ${status} ${String(json?.errcode ?? '')} ${String(json?.error ?? '')}`.trim())
}
