import { certificateFiles } from '@infra/shared/facts/host/certificate'
import type { NginxForm } from '@infra/shared/steps/host/nginx'
import type { PodEnv } from '../env/env.ts'
import { synapseUrl } from '../synapse/synapse.ts'

/** From where nginx serves the proofs for the authority. */
export const webroot = '/var/www/acme'

type Form = Pick<NginxForm, 'version' | 'ipv6'>

/** The names of the site: the domain, and the one that some clients try. */
export const siteNames = ({ VALENCE_DOMAIN: domain }: PodEnv): readonly string[] => [domain, `matrix.${domain}`]

const wellKnown = (domain: string, headers: readonly string[] = []) => `
    location = /.well-known/matrix/server {
        default_type application/json;${headers.map((header) => `\n        ${header}`).join('')}
        add_header Access-Control-Allow-Origin * always;
        return 200 '{"m.server":"${domain}:443"}';
    }

    location = /.well-known/matrix/client {
        default_type application/json;${headers.map((header) => `\n        ${header}`).join('')}
        add_header Access-Control-Allow-Origin * always;
        return 200 '{"m.homeserver":{"base_url":"https://${domain}"}}';
    }
`

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

/** Before there is a certificate: what the authority asks for, and nothing that a password would travel by. */
export function httpSite(env: PodEnv, form: Form): string {
  return `server {
${listen(form, ['80'])}    server_name ${siteNames(env).join(' ')};
${acme}${wellKnown(env.VALENCE_DOMAIN)}
    location / {
        return 503;
    }
}
`
}

/** Of every answer by HTTPS. nginx hands none of them on to a location that adds one itself, so those repeat them. */
const headers = [
  'add_header Strict-Transport-Security "max-age=63072000" always;',
  'add_header X-Content-Type-Options nosniff always;',
]

/**
 * Logins and registrations of one address: many users behind one share it, and Synapse itself limits attempts at an account.
 * What is beyond is answered as Synapse would.
 */
const limit = 'limit_req_zone $binary_remote_addr zone=valence_login:10m rate=1r/s;'
const limited = `
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

/** The site: HTTP leads to HTTPS, 443 serves clients and both ports other servers. */
export function tlsSite(env: PodEnv, form: NginxForm): string {
  const domain = env.VALENCE_DOMAIN
  const { chain, key } = certificateFiles(domain)
  const http2 = isNew(form)
  const extra = env.NGINX_EXTRA_CONFIG_FILE
  return `${limit}

${strangers(form)}server {
${listen(form, ['80'])}    server_name ${siteNames(env).join(' ')};
${acme}${wellKnown(domain)}
    location / {
        return 301 https://$host$request_uri;
    }
}

server {
${listen(form, http2 ? ['443 ssl', '8448 ssl'] : ['443 ssl http2', '8448 ssl http2'])}${http2 ? '    http2 on;\n' : ''}    server_name ${siteNames(env).join(' ')};

    ssl_certificate ${chain};
    ssl_certificate_key ${key};
    # Mozilla's intermediate configuration, without the ciphers that want parameters of their own.
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
    ssl_prefer_server_ciphers off;
    ssl_session_timeout 1d;
    ssl_session_cache shared:valence:10m;
    ssl_session_tickets off;

${headers.map((header) => `    ${header}\n`).join('')}    client_max_body_size 50M;
${wellKnown(domain, headers)}
    location ~ ^/_matrix/client/[^/]+/(login|register) {
        limit_req zone=valence_login burst=40 nodelay;
        limit_req_status 429;
        error_page 429 = @limited;
${toSynapse}    }
${limited}
    location ~ ^(/_matrix|/_synapse/client) {
${toSynapse}    }

    location / {
        return 404;
    }
${extra ? `\n    # ${extra.path.split('/').at(-1)}\n${indented(extra.content)}` : ''}}
`
}

const indented = (content: string) =>
  content
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => (line === '' ? '\n' : `    ${line}\n`))
    .join('')
