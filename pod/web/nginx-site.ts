import { certificateFiles } from '@infra/shared/facts/host/certificate'
import { nginxFolder } from '@infra/shared/facts/host/nginx'
import type { NginxForm } from '@infra/shared/steps/host/nginx'
import type { PodEnv } from '../env/env.ts'
import { synapseUrl } from '../synapse/synapse.ts'
import { bodyLimit } from '../synapse/upload.ts'
import { type NginxExtra, nginxExtra } from './nginx-extra.ts'

/** From where nginx serves the proofs for the authority. */
export const webroot = '/var/www/acme'

type Form = Pick<NginxForm, 'version' | 'ipv6' | 'set'>

/** Where the site is enabled. */
export const siteName = 'valence'
export const siteLink = `${nginxFolder}/sites-enabled/${siteName}`

/** The names of the site: the domain, and the one that some clients try. */
export const siteNames = ({ VALENCE_DOMAIN: domain }: PodEnv): readonly string[] => [domain, `matrix.${domain}`]

/** `headers`: those that it repeats. What the user's own directives answer is left out. */
function wellKnown(domain: string, extra: NginxExtra, headers: readonly string[] = []): string {
  const answers = {
    server: `{"m.server":"${domain}:443"}`,
    client: `{"m.homeserver":{"base_url":"https://${domain}"}}`,
  }
  return Object.entries(answers)
    .filter(([name]) => !extra.answers(`= /.well-known/matrix/${name}`))
    .map(
      ([name, answer]) => `
    location = /.well-known/matrix/${name} {
        default_type application/json;${headers.map((header) => `\n        ${header}`).join('')}
        add_header Access-Control-Allow-Origin * always;
        return 200 '${answer}';
    }
`,
    )
    .join('')
}

const acme = `
    location /.well-known/acme-challenge/ {
        root ${webroot};
        default_type text/plain;
    }
`

/** `listen` lines for these ports: IPv6 only where the host has it. */
function listen({ ipv6 }: Form, ports: readonly string[]): string {
  return ports
    .flatMap((port) => [port, ...(ipv6 ? [`[::]:${port}`] : [])].map((each) => `    listen ${each};\n`))
    .join('')
}

/**
 * The largest name must fit into a bucket of nginx's table of names, which is used as soon as there is a second site: 64
 * bytes by default, of which a name takes its length and two, rounded up to eight, beside two pointers (ngx_hash.c).
 */
function nameTable(env: PodEnv, { set }: Form): string {
  const needed = 16 + Math.max(...siteNames(env).map((name) => Math.ceil((name.length + 2) / 8) * 8))
  if (needed <= 64 || set.includes('server_names_hash_bucket_size')) return ''
  return `server_names_hash_bucket_size ${2 ** Math.ceil(Math.log2(needed))};\n\n`
}

/** Before there is a certificate: what the authority asks for, and nothing that a password would travel by. */
export function httpSite(env: PodEnv, form: Form): string {
  const extra = nginxExtra(env.NGINX_EXTRA_CONFIG_FILE?.content)
  return `${nameTable(env, form)}server {
${listen(form, ['80'])}    server_name ${siteNames(env).join(' ')};
${acme}${wellKnown(env.VALENCE_DOMAIN, extra)}
    location / {
        return 503;
    }
}
`
}

/** Of every answer by HTTPS. nginx hands none of them on to a location that adds one itself, so those repeat them. */
const ownHeaders = [
  'add_header Strict-Transport-Security "max-age=63072000" always;',
  'add_header X-Content-Type-Options nosniff always;',
]

/**
 * Logins and registrations of one address: many users behind one share it, and Synapse itself limits attempts at an account.
 * What is beyond is answered as Synapse would.
 */
const limit = 'limit_req_zone $binary_remote_addr zone=valence_login:10m rate=1r/s;'
const limited = (headers: readonly string[]) => `
    location @limited {
${headers.map((header) => `        ${header}\n`).join('')}        add_header Access-Control-Allow-Origin * always;
        default_type application/json;
        return 429 '{"errcode":"M_LIMIT_EXCEEDED","error":"Too many requests","retry_after_ms":5000}';
    }
`

// The path is judged twice: as nginx understands it (location), and as it came, which is what Synapse gets.
const toSynapse = `        if ($request_uri !~ ^/(_matrix|_synapse/client)) {
            return 404;
        }
        proxy_pass ${synapseUrl};
        proxy_http_version 1.1;
        proxy_set_header Host $host:$server_port;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_read_timeout 600s;
        proxy_hide_header X-Content-Type-Options;
`

/** `listen … http2` is deprecated where `http2 on` came in: 1.25.1. */
function isNew({ version }: Form): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  return major > 1 || minor > 25 || (minor === 25 && patch >= 1)
}

/** Who asks for a name that no site has: no answer, where nobody else's site answers to all names on that port. */
function strangers(form: NginxForm): string {
  const server = (ports: readonly number[], options: string, answer: string) => {
    const free = ports
      .filter((port) => !form.elsewhere.includes(port))
      .map((port) => `${port}${options} default_server`)
    return free.length === 0 ? '' : `server {\n${listen(form, free)}    server_name _;\n    ${answer};\n}\n\n`
  }
  const tls = isNew(form) ? ' ssl' : ' ssl http2'
  return server([80], '', 'return 444') + server([443, 8448], tls, 'ssl_reject_handshake on')
}

/** What may stand in the server once only. */
const once = (env: PodEnv, form: NginxForm): Readonly<Record<string, string>> => ({
  ...(isNew(form) && { http2: 'on' }),
  // Mozilla's intermediate configuration, without the ciphers that want parameters of their own.
  ssl_protocols: 'TLSv1.2 TLSv1.3',
  ssl_ciphers:
    'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305',
  ssl_prefer_server_ciphers: 'off',
  ssl_session_timeout: '1d',
  ssl_session_cache: 'shared:valence:10m',
  ssl_session_tickets: 'off',
  client_max_body_size: bodyLimit(env),
})

/** What leads to Synapse, but for the paths of which the user's own directives have a part. */
function synapseLocations({ below }: NginxExtra): string {
  const but = below.length > 0 ? `(?!${below.map((path) => path.replace(/[.+]/g, '\\$&')).join('|')})` : ''
  return `
    location ~ ^${but}/_matrix/client/[^/]+/(login|register) {
        limit_req zone=valence_login burst=40 nodelay;
        limit_req_status 429;
        error_page 429 = @limited;
${toSynapse}    }

    location ~ ^${but}(/_matrix|/_synapse/client) {
${toSynapse}    }
`
}

const others = `
    location / {
        return 404;
    }
`

/** The TLS server's own part: of what the user's directives say too, theirs stands there alone. */
function tlsServer(env: PodEnv, form: NginxForm, extra: NginxExtra): string {
  const { path, content } = env.NGINX_EXTRA_CONFIG_FILE ?? { path: '', content: '' }
  const headers = ownHeaders.filter((line) => extra.header(line) === undefined)
  const repeated = ownHeaders.map((line) => extra.header(line) ?? line)
  const own = content === '' ? '' : `\n    # ${path.split('/').at(-1)}\n${indented(content)}`
  const settings = Object.entries(once(env, form)).filter(([name]) => !extra.sets(name))
  return `${settings.map(([name, value]) => `    ${name} ${value};\n`).join('')}
${headers.map((header) => `    ${header}\n`).join('')}${wellKnown(env.VALENCE_DOMAIN, extra, repeated)}${extra.isFirst ? own : ''}${synapseLocations(extra)}${extra.answers('@limited') ? '' : limited(repeated)}${extra.answers('/') ? '' : others}${extra.isFirst ? '' : own}`
}

/** The site: HTTP leads to HTTPS, 443 serves clients and both ports other servers. */
export function tlsSite(env: PodEnv, form: NginxForm): string {
  const domain = env.VALENCE_DOMAIN
  const { chain, key } = certificateFiles(domain)
  const extra = nginxExtra(env.NGINX_EXTRA_CONFIG_FILE?.content)
  const ports = ['443', '8448'].map((port) => (isNew(form) ? `${port} ssl` : `${port} ssl http2`))
  return `${nameTable(env, form)}${limit}

${strangers(form)}server {
${listen(form, ['80'])}    server_name ${siteNames(env).join(' ')};
${acme}${wellKnown(domain, extra)}
    location / {
        return 301 https://$host$request_uri;
    }
}

server {
${listen(form, ports)}    server_name ${siteNames(env).join(' ')};

    ssl_certificate ${chain};
    ssl_certificate_key ${key};
${tlsServer(env, form, extra)}}
`
}

const indented = (content: string) =>
  content
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => (line === '' ? '\n' : `    ${line}\n`))
    .join('')
