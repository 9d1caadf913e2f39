import { request } from 'node:https'
import type { Pod } from './pod-setup.ts'
import { labDomain } from './prepare.ts'

/** An answer of the pod as the world gets it. */
export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
  /** The serial number of the certificate that it came with. */
  readonly serial: string
}

export type Call = {
  readonly method?: string
  readonly body?: unknown
  readonly token?: string
  readonly port?: number
}

/** Asks the pod over https, from outside, with the lab's authority as the only one that is trusted. */
export async function ask(
  pod: Pod,
  path: string,
  { method = 'GET', body, token, port = 443 }: Call = {},
): Promise<Answer> {
  const ca = [...(await pod.roots())]
  const headers = { host: labDomain, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
  return new Promise((resolve, reject) => {
    const options = { host: pod.host.address, port, path, method, headers, ca, servername: labDomain, agent: false }
    const asked = request({ ...options, timeout: 200_000 }, (answer) => {
      const peer = answer.socket as unknown as { getPeerCertificate(): { serialNumber?: string } }
      const serial = peer.getPeerCertificate().serialNumber ?? ''
      let text = ''
      answer.setEncoding('utf8').on('data', (piece) => {
        text += piece
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, serial }))
    })
    asked.on('error', reject)
    asked.on('timeout', () => asked.destroy(new Error(`no answer to ${path}`)))
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** Logs in by the pod's nginx; gives the access token, or the error code of Matrix. */
export async function login(pod: Pod, user: string, password: string): Promise<{ token?: string; errcode?: string }> {
  const identifier = { type: 'm.id.user', user }
  const body = { type: 'm.login.password', identifier, password }
  const { text } = await ask(pod, '/_matrix/client/v3/login', { method: 'POST', body })
  const { access_token: token, errcode } = JSON.parse(text) as { access_token?: string; errcode?: string }
  return { ...(token && { token }), ...(errcode && { errcode }) }
}

/** A room, and the token of somebody who is in it. */
export type Room = { readonly id: string; readonly token: string }

/** Logs in and makes a room. */
export async function openRoom(pod: Pod, user: string, password: string): Promise<Room> {
  const { token = '' } = await login(pod, user, password)
  const { room_id: id } = await asked<{ room_id: string }>(pod, 'createRoom', { method: 'POST', token, body: {} })
  return { id, token }
}

/** Says something in a room. */
export async function say(pod: Pod, { id, token }: Room, text: string): Promise<void> {
  const body = { msgtype: 'm.text', body: text }
  await asked(pod, `rooms/${encodeURIComponent(id)}/send/m.room.message/${Date.now()}`, { method: 'PUT', token, body })
}

/** What was said in a room, the oldest first. */
export async function heard(pod: Pod, { id, token }: Room): Promise<string[]> {
  const path = `rooms/${encodeURIComponent(id)}/messages?dir=f&limit=100`
  const { chunk } = await asked<{ chunk: { type: string; content: { body: string } }[] }>(pod, path, { token })
  return chunk.filter(({ type }) => type === 'm.room.message').map(({ content }) => content.body)
}

async function asked<T>(pod: Pod, path: string, call: Call): Promise<T> {
  const { status, text } = await ask(pod, `/_matrix/client/v3/${path}`, call)
  if (status !== 200) throw new Error(`${path} is answered by ${status} ${text}`)
  return JSON.parse(text) as T
}

/** Shell text that has Synapse log an error of its own: it cannot look up a token while the table of them is away. */
export const failInSynapse = `renamed() { (cd / && runuser -u postgres -- psql -qXd synapse -c "ALTER TABLE $1 RENAME TO $2"); }
renamed access_tokens kept_tokens
said=$(curl -s -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer none' http://127.0.0.1:8008/_matrix/client/v3/account/whoami)
renamed kept_tokens access_tokens
[ "$said" = 500 ]
`
