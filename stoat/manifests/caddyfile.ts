import type { StoatEnv } from '../env/env.ts'
import { caddyService, stoatServices, webService } from '../services.ts'
import { urlsOf } from '../urls.ts'

const routes = [
  ['/api', stoatServices.api],
  ['/ws', stoatServices.events],
  ['/autumn', stoatServices.autumn],
  ['/january', stoatServices.january],
  ['/gifbox', stoatServices.gifbox],
] as const

/** Networks in which a load balancer or a proxy before Caddy may be. */
const inside = '10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 127.0.0.0/8 fc00::/7'

/** The authority behind a private ACME directory, beside the Caddyfile. */
const authorityFile = 'acme-ca.pem'

/** All that Caddy reads at its start, by the names of its files. */
export const caddyFiles = (env: StoatEnv): Readonly<Record<string, string>> => ({
  Caddyfile: caddyfile(env),
  ...(env.STOAT_TLS === 'gateway' && env.STOAT_ACME_CA_FILE && { [authorityFile]: env.STOAT_ACME_CA_FILE.content }),
})

/**
 * The Caddyfile. A path goes to its program without its prefix, alone or with what follows a slash, and never a longer
 * word that begins like it. What a program redirects to gets the prefix back. Who the client is, is said by Caddy on
 * every route, so that no client can say it itself.
 */
export function caddyfile(env: StoatEnv): string {
  const { http, https } = caddyService
  const { app, api } = urlsOf(env)
  const tls = env.STOAT_TLS === 'gateway'
  const balanced = env.STOAT_GATEWAY === 'load-balancer'
  const servers = [
    // Only a proxy that we were told of may say who the client is.
    ...(env.STOAT_TLS === 'upstream' ? [`trusted_proxies static ${inside}`] : []),
    ...(balanced
      ? ['listener_wrappers {', '\tproxy_protocol {', '\t\ttimeout 5s', `\t\tallow ${inside}`, '\t}', '\ttls', '}']
      : []),
  ]
  const options = [
    'admin off',
    'persist_config off',
    `http_port ${http.listens}`,
    `https_port ${https.listens}`,
    ...(tls && env.STOAT_ACME_EMAIL ? [`email ${env.STOAT_ACME_EMAIL}`] : []),
    ...(tls ? [`acme_ca ${env.STOAT_ACME_DIRECTORY_URL}`] : []),
    ...(tls && env.STOAT_ACME_CA_FILE ? [`acme_ca_root /etc/caddy/${authorityFile}`] : []),
    ...(servers.length > 0 ? ['servers {', ...indented(servers), '}'] : []),
  ]
  const site = [
    'handle /.well-known/stoat {',
    '\theader Access-Control-Allow-Origin *',
    '\theader Content-Type application/json',
    `\trespond \`${JSON.stringify({ api })}\` 200`,
    '}',
    ...routes.flatMap(([path, { name, port }]) => route(path, `${name}:${port.service}`)),
    'handle {',
    ...indented(proxyTo(`${webService.name}:${webService.port}`, [])),
    '}',
  ]
  const address = tls ? app.replace('https://', '') : `:${http.listens}`
  // Done here, and not left to Caddy: a server that it makes by itself knows nothing of the load balancer's protocol.
  const redirect = tls ? ['', `http://${address} {`, '\tredir https://{host}{uri} permanent', '}'] : []
  const lines = ['{', ...indented(options), '}', '', `${address} {`, ...indented(site), '}', ...redirect]
  return `${lines.join('\n')}\n`
}

function route(path: string, upstream: string): string[] {
  const matcher = `@${path.slice(1)}`
  const back = `header_down Location "^/" "${path}/"`
  return [
    `${matcher} path ${path} ${path}/*`,
    `handle ${matcher} {`,
    `\turi strip_prefix ${path}`,
    ...indented(proxyTo(upstream, [back])),
    '}',
  ]
}

const proxyTo = (upstream: string, more: readonly string[]): string[] => [
  `reverse_proxy ${upstream} {`,
  ...indented(['header_up CF-Connecting-IP {client_ip}', ...more]),
  '}',
]

const indented = (lines: readonly string[]): string[] => lines.map((line) => `\t${line}`)
