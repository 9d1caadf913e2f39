import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { rootCertificates, type TLSSocket } from 'node:tls'
import { isSecret, reveal, type Secret } from '@infra/shared/command/secret'
import { Failure } from '@infra/shared/engine/failure'
import type { PodEnv } from '../env/env.ts'

/** Where the pod is, by what name, and whom besides the usual authorities its certificate may be of. */
export type Place = Pick<PodEnv, 'VALENCE_POD_IP' | 'VALENCE_DOMAIN' | 'VALENCE_CA_FILE'>

/** Milliseconds that an answer may take. */
const timeoutMs = 10_000

export interface Asked {
  readonly method?: 'GET' | 'POST' | 'PUT'
  /** 443 by default. */
  readonly port?: number
  readonly body?: unknown
  /** An access token. */
  readonly token?: Secret
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** The body as JSON; undefined where it is none. */
  readonly json: Readonly<Record<string, unknown>> | undefined
  /** When the certificate ends, in milliseconds since 1970. */
  readonly until: number
}

/** Whom an answer may be believed: the usual authorities, and those of VALENCE_CA_FILE. */
const authorities = (env: Place) => env.VALENCE_CA_FILE && { ca: [...rootCertificates, env.VALENCE_CA_FILE.content] }

/**
 * Asks the pod by https as the world does, with its certificate checked for its name, but at VALENCE_POD_IP whatever the
 * DNS says. Throws a Failure in plain words when there is no answer or the certificate is not to be trusted.
 */
export function askPod(
  env: Place,
  path: string,
  { method = 'GET', port = 443, body, token }: Asked = {},
): Promise<Answer> {
  const name = env.VALENCE_DOMAIN
  const payload = body === undefined ? undefined : openJson(body)
  return new Promise((resolve, reject) => {
    const asking = request({
      host: env.VALENCE_POD_IP,
      port,
      servername: name,
      path,
      method,
      agent: false,
      timeout: timeoutMs,
      headers: {
        Host: port === 443 ? name : `${name}:${port}`,
        ...(payload !== undefined && {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(payload),
        }),
        ...(token && { Authorization: `Bearer ${reveal(token)}` }),
      },
      ...authorities(env),
    })
    const until = { at: Number.NaN }
    asking.once('socket', (socket) =>
      socket.once('secureConnect', () => {
        until.at = Date.parse((socket as TLSSocket).getPeerCertificate().valid_to)
      }),
    )
    asking.once('timeout', () => asking.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)))
    asking.once('error', (error: NodeJS.ErrnoException) => reject(new Failure('error', explain(error, name, port))))
    asking.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          json: parse(Buffer.concat(chunks).toString()),
          until: until.at,
        }),
      )
    })
    asking.end(payload)
  })
}

// `this[key]` and not the value given: that one has been through toJSON, where all secrets look alike.
function openJson(body: unknown): string {
  return JSON.stringify(body, function (this: Record<string, unknown>, key, value: unknown) {
    const held = this[key]
    return isSecret(held) ? reveal(held) : value
  })
}

function parse(text: string): Answer['json'] {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Answer['json']) : undefined
  } catch {
    return undefined
  }
}

function explain(error: NodeJS.ErrnoException, name: string, port: number): string {
  const { code = '', message } = error
  if (code === 'ECONNREFUSED') return `nothing listens on port ${port}`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `the certificate is not for ${name}`
  if (code === 'CERT_HAS_EXPIRED') return 'the certificate has expired'
  if (/SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)/.test(code))
    return 'the certificate is of an authority that is not trusted here (VALENCE_CA_FILE names a private one)'
  return `port ${port}: ${message || code}`
}
