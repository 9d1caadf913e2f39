import { askWithRightsOf } from '@infra/shared/command/as-user'
import { raw, sh } from '@infra/shared/command/sh'
import { sql, superuserStatement } from '@infra/shared/command/sql'
import type { Question } from '@infra/shared/engine/step'

export interface Machine {
  /** Of the file system of `/`, in bytes. */
  readonly disk: { readonly size: number; readonly used: number }
  /** In bytes; `available` is what programs can still get. */
  readonly memory: { readonly size: number; readonly available: number }
  /** Averages over 1, 5 and 15 minutes, and the processors that share it. */
  readonly load: readonly number[]
  readonly processors: number
  /** Seconds since the machine was started. */
  readonly uptime: number
}

/** Disk, memory and load, by df(1) and /proc. Null for a host that does not answer so. */
export const machine: Question<Machine | null> = {
  command: raw(
    `df -Pk / | awk 'NR == 2 { print "disk", $2, $3 }'; awk '/^Mem(Total|Available):/ { print $1, $2 }' /proc/meminfo; \
echo load $(cat /proc/loadavg); echo processors $(nproc); echo uptime $(cat /proc/uptime)`,
  ),
  parse({ stdout }) {
    const rows = new Map(stdout.split('\n').map((line) => [line.split(' ')[0], line.split(' ').slice(1).map(Number)]))
    const at = (name: string, index = 0) => rows.get(name)?.[index] ?? 0
    if (!rows.has('disk')) return null
    return {
      disk: { size: at('disk') * 1024, used: at('disk', 1) * 1024 },
      memory: { size: at('MemTotal:') * 1024, available: at('MemAvailable:') * 1024 },
      load: (rows.get('load') ?? []).slice(0, 3),
      processors: at('processors'),
      uptime: at('uptime'),
    }
  },
}

/** The version of the Synapse that answers, by its own word; null when none does. */
export const synapseVersion: Question<string | null> = {
  command: raw('curl -sS -m 5 http://127.0.0.1:8008/_matrix/federation/v1/version'),
  parse: ({ stdout }) => stdout.match(/"version":\s*"([^"]+)"/)?.[1] ?? null,
}

/** The server's whole version (`17.6`); null when it does not answer. */
export const postgresVersion: Question<string | null> = {
  command: superuserStatement('postgres', sql`SHOW server_version`),
  parse: ({ stdout }) => stdout.trim().split(' ')[0] || null,
}

/** `1.26.3`; null when nginx is not installed. */
export const nginxVersion: Question<string | null> = {
  command: raw('nginx -v 2>&1'),
  parse: ({ code, stdout }) => (code === 0 ? (stdout.match(/nginx\/(\S+)/)?.[1] ?? null) : null),
}

/** The commit of a user's clone, with its tag where it has one: `v1.0.1 (1a2b3c4)`; null when there is none. */
export function checkedOut(path: string, user: string): Question<string | null> {
  const git = sh`git -C ${path}`
  return {
    command: askWithRightsOf(user, sh`${git} describe --tags --exact-match 2>/dev/null; ${git} rev-parse --short HEAD`),
    parse({ code, stdout }) {
      const words = stdout.trim().split('\n').filter(Boolean)
      if (code !== 0) return null
      return words.length > 1 ? `${words[0]} (${words[1]})` : (words[0] ?? null)
    },
  }
}

/** When the certificate of a name ends, by the file that certbot keeps; null when there is none. */
export function certificateEnd(domain: string): Question<string | null> {
  return {
    command: sh`openssl x509 -noout -enddate -in ${`/etc/letsencrypt/live/${domain}/fullchain.pem`}`,
    parse({ code, stdout }) {
      const end = Date.parse(stdout.trim().replace(/^notAfter=/, ''))
      return code === 0 && !Number.isNaN(end) ? new Date(end).toISOString() : null
    },
  }
}

/** Who holds the host's lock, and since when; null when nobody does. */
export const lockHolder: Question<string | null> = {
  command: raw('tail -n +2 /run/infra/lock/holder'),
  parse: ({ code, stdout }) => (code === 0 ? stdout.trim().split('\n').join(' since ') : null),
}
