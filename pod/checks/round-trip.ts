import { randomBytes } from 'node:crypto'
import { text } from '@infra/shared/command/command'
import { derive, type Secret, secret } from '@infra/shared/command/secret'
import { sh, withStdin } from '@infra/shared/command/sh'
import { type Finding, ok, warn } from '@infra/shared/engine/check'
import { Failure } from '@infra/shared/engine/failure'
import type { PodEnv } from '../env.ts'
import type { PodContext } from '../pod-context.ts'
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
export async function roundTrip(context: PodContext): Promise<Finding> {
  const began = Date.now()
  const failed: string[] = []
  for (;;) {
    const spoken = await once(context).catch((error: Error) => error)
    if (spoken instanceof Error) {
      failed.push(spoken.message)
      if (failed.length === attempts || !/: 5\d\d /.test(spoken.message)) throw spoken
      continue
    }
    const took = `${((Date.now() - began) / 1000).toFixed(1)} s`
    if (failed.length > 0) return warn(`${took}, at attempt ${failed.length + 1}; at first ${failed[0]}`)
    return spoken === 'log in'
      ? ok(took)
      : warn(`${took}; too many logins just now (429), so with the token of the registration`)
  }
}

async function once({ env, host }: PodContext): Promise<'log in' | 'registration'> {
  const name = `verify-${randomBytes(6).toString('hex')}`
  const password = secret(randomBytes(24).toString('base64url'))
  const user: User = { name, password, shared: env.SYNAPSE_REGISTRATION_SECRET }
  const registered = secret(await onHost(host, 'register', user))
  const spoken = await converse(env, user, registered).catch((error: Error) => error)
  await onHost(host, 'deactivate', { ...user, token: registered })
  if (spoken instanceof Error) throw spoken
  return spoken
}

interface User {
  readonly name: string
  readonly password: Secret
  /** The registration secret. */
  readonly shared: Secret
  readonly token?: Secret
}

// Both on the host, past nginx: so the user goes again even when nothing can be reached from outside. The signature needs
// a nonce that the server gives; that somebody wants to be deactivated his own password proves.
const program = `import hashlib, hmac, json, sys, urllib.error, urllib.request
wish = json.load(sys.stdin)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

def call(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    head = {"Content-Type": "application/json"}
    if "token" in wish:
        head["Authorization"] = "Bearer " + wish["token"]
    try:
        return 200, json.load(opener.open(urllib.request.Request("http://127.0.0.1:8008" + path, data, head), timeout=20))
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or "{}")

def must(answer):
    code, body = answer
    if code != 200:
        sys.exit(f"{code} {body.get('errcode', '')} {body.get('error', '')}")
    return body

def register():
    path = "/_synapse/admin/v1/register"
    nonce = must(call(path))["nonce"]
    said = chr(0).join([nonce, wish["name"], wish["password"], "notadmin"])
    mac = hmac.new(wish["shared"].encode(), said.encode(), hashlib.sha1).hexdigest()
    user = {"nonce": nonce, "username": wish["name"], "password": wish["password"], "admin": False, "mac": mac}
    print(must(call(path, user))["access_token"])

def deactivate():
    path = "/_matrix/client/v3/account/deactivate"
    who = {"type": "m.id.user", "user": wish["name"]}
    auth = {"type": "m.login.password", "identifier": who, "password": wish["password"]}
    code, body = call(path, {"erase": True, "auth": auth})
    if code == 401 and "session" in body:
        code, body = call(path, {"erase": True, "auth": {**auth, "session": body["session"]}})
    must((code, body))
    if call("/_matrix/client/v3/account/whoami")[0] != 401:
        sys.exit("the token still works")
    print("gone")

try:
    {"register": register, "deactivate": deactivate}[sys.argv[1]]()
except OSError as error:
    sys.exit(f"Synapse does not answer on localhost: {error}")`

/** Registers the user (gives the access token) or takes it away, over the connection to the host. */
async function onHost(
  host: PodContext['host'],
  act: 'register' | 'deactivate',
  user: User,
  attempt = 1,
): Promise<string> {
  const open = (reveal: (wrapped: Secret) => string) =>
    JSON.stringify({
      name: user.name,
      password: reveal(user.password),
      shared: reveal(user.shared),
      ...(user.token && { token: reveal(user.token) }),
    })
  const [answer] = await host.run(
    [withStdin(sh`cd / && python3 -I -c ${program} ${act}`, text`${derive(open)}`)],
    () => {},
  )
  const said = answer?.stdout.trim() ?? ''
  if (answer?.code === 0 && said !== '') return said
  const why = answer?.stderr.trim().split('\n').at(-1) ?? 'no answer'
  if (act === 'deactivate' && /^5\d\d /.test(why) && attempt < attempts) return onHost(host, act, user, attempt + 1)
  if (act === 'deactivate') throw new Failure('error', `the user ${user.name} could not be taken away again: ${why}`)
  throw new Failure(
    'error',
    /HMAC/i.test(why) ? 'Synapse on the host has another SYNAPSE_REGISTRATION_SECRET' : `registration: ${why}`,
  )
}

/** Everything from outside. Says which token served: that of a login, or of the registration. */
async function converse(env: PodEnv, { name, password }: User, registered: Secret): Promise<'log in' | 'registration'> {
  const login = await logIn(env, name, password)
  await speak(env, login ?? registered)
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
