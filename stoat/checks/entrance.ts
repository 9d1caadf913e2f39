import { request as plain } from 'node:http'
import { request as secure } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import { connect, rootCertificates } from 'node:tls'
import { type Pace, type WhenReached, whenReached } from '@infra/shared/engine/reached'
import type { StoatContext } from '../context.ts'
import { caddyService } from '../services.ts'
import { urlsOf } from '../urls.ts'
import { type Forward, openForward } from './port-forward.ts'

export interface Reply {
  readonly status: number
  readonly type: string
  readonly location: string | undefined
  readonly body: Buffer
}

export interface Send {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
}

/** How Stoat is reached from outside. */
export interface Entrance {
  /** For findings: `https://stoat.example.com`, or that it is a port-forward. */
  readonly shown: string
  /** Where to connect, and under which name. */
  readonly origin: URL
  readonly host: string
  /** For which name the certificate must be, and whom it may be of. */
  readonly tls: TlsOptions
  /** How all is asked through it, `send` too: what was just rolled out is waited for. */
  readonly whenReached: WhenReached
  send(path: string, options?: Send): Promise<Reply>
}

/** Lets some work use an entrance, which is open until it is done. */
export type Through = <T>(work: (entrance: Entrance) => Promise<T>) => Promise<T>

type TlsOptions = { readonly servername: string; readonly ca?: string[] }

/** Milliseconds that an answer may take. */
const timeoutMs = 15_000

/** Whether the domain leads to Caddy as far as we know: not where it is only reached from inside the cluster. */
const isPublic = ({ env }: Pick<StoatContext, 'env'>): boolean =>
  env.STOAT_TLS === 'upstream' || (env.STOAT_TLS === 'gateway' && env.STOAT_GATEWAY === 'load-balancer')

/** For which name a certificate must be, and whom it may be of: the usual authorities, and those of STOAT_ACME_CA_FILE. */
export const tlsOf = ({ env }: Pick<StoatContext, 'env'>): TlsOptions => ({
  servername: env.STOAT_DOMAIN,
  ...(env.STOAT_ACME_CA_FILE && { ca: [...rootCertificates, env.STOAT_ACME_CA_FILE.content] }),
})

/**
 * Lets checks use one entrance together: it is opened for the first, and closed after the last. The domain, where it leads
 * to Caddy; else a port-forward of our own. Where Caddy has asked for its first certificate, that is waited for, and so is
 * what was just rolled out.
 */
export function sharedEntrance(context: StoatContext, pace?: Pace): Through {
  const reached = whenReached(pace)
  let users = 0
  let forward: Promise<Forward> | undefined
  let issued: Promise<void> | undefined
  const origin = new URL(urlsOf(context.env).app)
  const entranceAt = async (at: URL, shown: string): Promise<Entrance> => {
    const tls = tlsOf(context)
    if (context.env.STOAT_TLS === 'gateway') {
      issued ??= firstCertificate(at, tls)
      await issued
    }
    const { host } = origin
    return {
      ...{ shown, origin: at, host, tls, whenReached: reached },
      send: (path, options = {}) => reached(() => send(at, { host, tls }, path, options), statusOf),
    }
  }
  return async (work) => {
    if (isPublic(context)) return work(await entranceAt(origin, origin.origin))
    users += 1
    try {
      const secured = context.env.STOAT_TLS === 'gateway'
      forward ??= openForward(context.kube, caddyService.name, caddyService[secured ? 'https' : 'http'].service)
      const { port } = await forward
      return await work(await entranceAt(new URL(`http${secured ? 's' : ''}://127.0.0.1:${port}`), 'by port-forward'))
    } finally {
      users -= 1
      if (users === 0) {
        void forward?.then(
          ({ close }) => close(),
          () => {},
        )
        forward = undefined
      }
    }
  }
}

const statusOf = ({ status }: Reply) => status

/** How long the first certificate may take, in milliseconds: an attempt that came too early is repeated after a minute or two. */
const issueMs = 150_000

/** Waits while Caddy has no certificate yet, which it says by an alert. What else is wrong is told by whoever connects. */
export async function firstCertificate({ hostname: host, port }: URL, tls: TlsOptions, everyMs = 1000): Promise<void> {
  for (const end = Date.now() + issueMs; Date.now() < end; await pause(everyMs)) {
    const error = await handshake({ host, port: Number(port || 443), ...tls }).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error,
    )
    if (!error || !/ALERT_INTERNAL_ERROR|alert internal error/i.test(`${error.code} ${error.message}`)) return
  }
}

/** Connects by TLS; gives when the certificate ends, in milliseconds since 1970. Throws what is wrong with it. */
export function handshake(options: TlsOptions & { readonly host: string; readonly port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...options, timeout: timeoutMs }, () => {
      const { valid_to: until } = socket.getPeerCertificate()
      socket.destroy()
      resolve(Date.parse(until))
    })
    socket.on('timeout', () => socket.destroy(new Error(`no answer in ${timeoutMs / 1000} seconds`)))
    socket.on('error', reject)
  })
}

interface Named {
  readonly host: string
  readonly tls: TlsOptions
}

function send(
  at: URL,
  { host, tls }: Named,
  path: string,
  { method = 'GET', headers = {}, body }: Send,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = at.protocol === 'https:' ? secure : plain
    const all = { ...headers, host, ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }) }
    const options = { method, headers: all, timeout: timeoutMs, ...tls }
    const sent = request(new URL(path, at), options, (reply) => {
      const chunks: Buffer[] = []
      reply.on('data', (chunk: Buffer) => chunks.push(chunk))
      reply.on('error', reject)
      reply.on('end', () =>
        resolve({
          status: reply.statusCode ?? 0,
          type: reply.headers['content-type'] ?? '',
          location: reply.headers.location,
          body: Buffer.concat(chunks),
        }),
      )
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${timeoutMs / 1000} seconds`)))
    sent.on('error', reject)
    sent.end(body)
  })
}
