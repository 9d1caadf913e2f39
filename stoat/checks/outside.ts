import { excerpt } from '@infra/shared/command/secret'
import { type Check, type Finding, fail, ok, warn } from '@infra/shared/engine/check'
import type { StoatContext } from '../context.ts'
import { type StoatUrls, urlsOf } from '../urls.ts'
import { type Entrance, handshake, type Reply, type Through } from './entrance.ts'
import { openWebSocket } from './websocket.ts'

/** The beginning of the public key that is compiled into the images: in force where the secret file is not read. */
const compiledKey = 'BGcvgR-i2z4I'

const remedy =
  'npm run status -w stoat; kubectl logs -n discord-bot deployment/stoat-caddy; npm run logs -w stoat -- api'

/** What users get, asked the way that they come. A program that answers says nothing of its stores: `--smoke` tries those. */
export function outsideChecks(context: StoatContext, through: Through): readonly Check[] {
  const urls = urlsOf(context.env)
  const probe = (id: string, about: string, look: (entrance: Entrance) => Promise<Finding>): Check => ({
    id,
    about,
    remedy,
    probe: () => through(look),
  })
  const paths = ['/api', '/api/', '/autumn', '/autumn/', '/january', '/january/', '/gifbox', '/gifbox/']
  return [
    probe('gateway.api', 'the api tells the addresses and the keys of this Stoat', async ({ send, shown }) =>
      judgeRoot(await send('/api/'), urls, shown),
    ),
    probe('gateway.routes', 'every program answers under its path, with and without a slash', async ({ send }) => {
      const found = await Promise.all(paths.map(async (path) => ({ path, status: (await send(path)).status })))
      const wrong = found.filter(({ status }) => status !== 200)
      return wrong.length > 0 ? fail(wrong.map(({ path, status }) => `${path} ${status}`).join(', ')) : ok('all 200')
    }),
    probe('gateway.gifbox', 'gifbox wants a session', async ({ send }) => {
      const { status } = await send('/gifbox/trending?locale=en_US')
      return status === 401 ? ok('401 without one') : fail(`answers ${status} without one`)
    }),
    probe('gateway.web', 'the web client is served, with its addresses in it', async ({ send }) => {
      const { status, type, body } = await send('/')
      if (status !== 200 || !type.startsWith('text/html')) return fail(`answers ${status} ${type}`)
      return body.includes('__API_URL__') ? fail('its addresses were not put in') : ok(`${body.length} bytes`)
    }),
    probe('gateway.well-known', 'clients find the api by the domain', async ({ send }) => {
      const { status, body } = await send('/.well-known/stoat')
      const told = status === 200 ? (jsonOf(body) as { api?: string } | undefined)?.api : undefined
      return told === urls.api ? ok(told) : fail(`answers ${status} and ${told ?? 'no address'}`)
    }),
    probe('gateway.websocket', 'events are served by WebSocket, and refuse a wrong token', async (entrance) => {
      const socket = await openWebSocket(entrance, '/ws?version=1&format=json&token=bad')
      try {
        const text = await socket.next((one) => one.includes('"Error"'))
        return text.includes('InvalidSession') ? ok('InvalidSession') : fail(excerpt(text, 80))
      } finally {
        socket.close()
      }
    }),
    ...(context.env.STOAT_TLS === 'none' ? [] : [certificateCheck(context, through)]),
  ]
}

interface Root {
  readonly revolt?: unknown
  readonly app?: string
  readonly ws?: string
  readonly vapid?: string
  readonly features?: {
    readonly autumn?: { readonly url?: string }
    readonly january?: { readonly url?: string }
  }
}

/** What the api says of itself: a wrong address there sends every client elsewhere. */
export function judgeRoot({ status, body }: Pick<Reply, 'status' | 'body'>, urls: StoatUrls, shown: string): Finding {
  const root = status === 200 ? (jsonOf(body) as Root | undefined) : undefined
  if (!root || typeof root.revolt !== 'string') return fail(`answers ${status}, and no JSON of the api (${shown})`)
  const told: readonly [string, string | undefined, string][] = [
    ['app', root.app, urls.app],
    ['ws', root.ws, urls.events],
    ['autumn', root.features?.autumn?.url, urls.autumn],
    ['january', root.features?.january?.url, urls.january],
  ]
  const wrong = told.filter(([, is, shall]) => is !== shall)
  if (wrong.length > 0) return fail(wrong.map(([name, is, shall]) => `${name} is ${is} instead of ${shall}`).join(', '))
  if (!root.vapid || root.vapid.startsWith(compiledKey))
    return fail('its VAPID key is the public one of the images: it has not read stoat-secrets')
  return ok(`version ${root.revolt}, ${shown}`)
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

function certificateCheck(context: StoatContext, through: Through): Check {
  const { env } = context
  const domain = env.STOAT_DOMAIN
  return {
    id: 'gateway.certificate',
    about: `the certificate of ${domain}`,
    remedy:
      env.STOAT_TLS === 'gateway'
        ? `Does ${domain} lead to the load balancer (npm run output -w stoat -- dns_record)? kubectl logs -n discord-bot deployment/stoat-caddy tells what the authority says. One of a private authority is believed by STOAT_ACME_CA_FILE.`
        : 'It is that of the proxy before Caddy: renew it there.',
    probe: () =>
      through(async ({ origin, tls, whenReached }) => {
        // Of a proxy before Caddy only the domain knows.
        const at = env.STOAT_TLS === 'gateway' ? origin : new URL(`https://${domain}`)
        const until = await whenReached(() => handshake({ host: at.hostname, port: Number(at.port || 443), ...tls }))
        const days = Math.floor((until - Date.now()) / 86_400_000)
        return days < 14 ? warn(`ends in ${days} days`) : ok(`${days} days left`)
      }),
  }
}
