import { excerpt } from '@infra/shared/command/secret'
import { type Check, type Finding, fail, ok, warn } from '@infra/shared/engine/check'
import type { PodContext } from '../context.ts'
import { type Answer, type Asked, askPod } from './https.ts'
import { matrixPortChecks } from './outside.ts'
import { roundTrip } from './round-trip.ts'

const again = 'npm run deploy -w pod -- --tags synapse'

/** What the script `synapse` serves, seen from outside, by https with its certificate checked. */
export function matrixChecks(context: PodContext): Check[] {
  const { env } = context
  if (env.VALENCE_POD_IP === undefined) return []
  const get = (
    id: string,
    about: string,
    path: string,
    judge: (answer: Answer) => Finding,
    how: Asked = {},
  ): Check => ({
    id: `synapse.${id}`,
    about,
    remedy: `${again}; then curl -i https://${env.VALENCE_DOMAIN}${how.port ? `:${how.port}` : ''}${path}`,
    probe: async () => judge(await askPod(env, path, how)),
  })
  return [
    ...matrixPortChecks(context),
    get('well-known-server', 'other servers learn where to find this one', '/.well-known/matrix/server', (answer) =>
      judgeServer(answer, env.VALENCE_DOMAIN),
    ),
    get('well-known-client', 'clients learn where to find this server', '/.well-known/matrix/client', (answer) =>
      judgeClient(answer, env.VALENCE_DOMAIN),
    ),
    get('versions', 'the client API answers', '/_matrix/client/versions', judgeVersions),
    get('federation', 'the federation API answers on port 8448', '/_matrix/federation/v1/version', judgeFederation, {
      port: 8448,
    }),
    get('admin-api', 'the admin API is closed to the world', '/_synapse/admin/v1/server_version', ({ status }) =>
      status === 404 || status === 403 ? ok(`${status}`) : fail(`it answers ${status}`),
    ),
    get('registration', 'nobody registers by himself', '/_matrix/client/v3/register', judgeRegistration, {
      method: 'POST',
      body: {},
    }),
    {
      id: 'synapse.certificate',
      about: 'the certificate is good for a while',
      remedy: `On the host: sudo certbot renew; systemctl list-timers certbot.timer; ${again}`,
      probe: async () => judgeCertificate((await askPod(env, '/_matrix/client/versions')).until, Date.now()),
    },
    {
      id: 'synapse.round-trip',
      about: 'a new user logs in, sends, reads, and is deactivated',
      remedy: `${again}; on the host: sudo journalctl -u matrix-synapse --since -10min`,
      writes: true,
      probe: () => roundTrip(context),
    },
  ]
}

const said = ({ status, json }: Answer) => `${status}${json ? ` ${excerpt(JSON.stringify(json), 120)}` : ''}`

/** `m.server` names this domain, at a port that answers. */
export function judgeServer(answer: Answer, domain: string): Finding {
  const server = answer.json?.['m.server']
  const own = [`${domain}:443`, `${domain}:8448`, domain]
  return answer.status === 200 && own.includes(String(server)) ? ok(String(server)) : fail(said(answer))
}

/** The base URL is this domain's, and a page of any origin may read it: Element in a browser does. */
export function judgeClient(answer: Answer, domain: string): Finding {
  const base = (answer.json?.['m.homeserver'] as { base_url?: unknown } | undefined)?.base_url
  if (answer.status !== 200 || String(base).replace(/\/$/, '') !== `https://${domain}`) return fail(said(answer))
  return answer.headers['access-control-allow-origin'] === '*'
    ? ok(String(base))
    : fail('no Access-Control-Allow-Origin: *, so that clients in a browser cannot read it')
}

export function judgeVersions(answer: Answer): Finding {
  const versions = answer.json?.versions
  if (answer.status !== 200 || !Array.isArray(versions) || versions.length === 0) return fail(said(answer))
  return ok(`up to ${versions.at(-1)}`)
}

function judgeFederation(answer: Answer): Finding {
  const server = answer.json?.server as { name?: unknown; version?: unknown } | undefined
  return answer.status === 200 && server ? ok(`${server.name} ${server.version}`) : fail(said(answer))
}

/** Closed: M_FORBIDDEN at once. An answer with ways to register (401, flows) is an open door. */
export function judgeRegistration(answer: Answer): Finding {
  if (answer.status === 403) return ok('closed')
  return answer.status === 429 ? warn('asked too often just now (429)') : fail(said(answer))
}

const day = 24 * 3600 * 1000

/** More than 30 days are well, more than 7 a warning. Times in milliseconds since 1970. */
export function judgeCertificate(until: number, now: number): Finding {
  const days = Math.floor((until - now) / day)
  const detail = `${days} days left`
  if (!(days > 7)) return fail(detail)
  return days > 30 ? ok(detail) : warn(detail)
}
