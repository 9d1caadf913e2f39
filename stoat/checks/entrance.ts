import { request as plain } from 'node:http'
import { request as secure } from 'node:https'
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
  send(path: string, options?: Send): Promise<Reply>
}

/** Milliseconds that an answer may take. */
const timeoutMs = 15_000

/** Whether the domain leads to Caddy as far as we know: not where it is only reached from inside the cluster. */
const isPublic = ({ env }: Pick<StoatContext, 'env'>): boolean =>
  env.STOAT_TLS === 'upstream' || (env.STOAT_TLS === 'gateway' && env.STOAT_GATEWAY === 'load-balancer')

/**
 * Lets checks use one entrance together: it is opened for the first, and closed after the last. The domain, where it leads
 * to Caddy; else a port-forward of our own.
 */
export function sharedEntrance(context: StoatContext): <T>(work: (entrance: Entrance) => Promise<T>) => Promise<T> {
  let users = 0
  let forward: Promise<Forward> | undefined
  const origin = new URL(urlsOf(context.env).app)
  return async (work) => {
    if (isPublic(context)) return work(entranceTo(origin, origin, origin.origin))
    users += 1
    try {
      forward ??= openForward(context.kube, caddyService.name, caddyService.http.service)
      const { port } = await forward
      return await work(entranceTo(new URL(`http://127.0.0.1:${port}`), origin, 'by port-forward'))
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

function entranceTo(at: URL, origin: URL, shown: string): Entrance {
  return {
    shown,
    origin: at,
    host: origin.host,
    send: (path, options = {}) => send(at, origin.host, path, options),
  }
}

function send(at: URL, host: string, path: string, { method = 'GET', headers = {}, body }: Send): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = at.protocol === 'https:' ? secure : plain
    const all = { ...headers, host, ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }) }
    const sent = request(new URL(path, at), { method, headers: all, timeout: timeoutMs }, (reply) => {
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
