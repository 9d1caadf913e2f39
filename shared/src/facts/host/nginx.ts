import { gunzipSync } from 'node:zlib'
import { raw, type Shell, sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'
import { filesOfDump, type NginxTree, nginxTree } from './nginx-config.ts'

export const nginxFolder = '/etc/nginx'

export interface NginxState {
  /** `1.26.3`. */
  readonly version: string
  /**
   * Whether the host has IPv6 at all: where it has not, `listen [::]:80` does not start. The kernel lists the addresses in
   * a file whose size is always 0, so that it must be read.
   */
  readonly ipv6: boolean
  /** Whether what serves was loaded before its files were last written. False while nothing serves. */
  readonly stale: boolean
  /** The files that it takes by a pattern, and others that hold servers, with the names of their servers. */
  readonly sites: readonly Site[]
  /** Every `listen` of every server. */
  readonly listens: readonly Listen[]
  /** The directives of its http block that may stand there once only, each with its file. */
  readonly once: readonly { readonly name: string; readonly path: string }[]
  /** The names of which it ignores a server, since another one has them (`conflicting server name`). */
  readonly conflicts: readonly string[]
  /** Why its configuration cannot be read, in its own words where it does not take it: then nobody knows the rest. */
  readonly broken?: string
}

interface Site {
  readonly path: string
  readonly names: readonly string[]
  /** Whether it must stay where it is: nginx names it, or it is nginx.conf. */
  readonly fixed?: boolean
  /** What its servers say besides, as {@link NginxTree} has it; left out where that is nothing. */
  readonly says?: readonly string[]
}

export interface Listen {
  /** The file that it stands in. */
  readonly path: string
  readonly port: number
  /** Whether it is the one for names that no site claims. */
  readonly isDefault: boolean
}

/** What a blank host will have: the nginx of the image that the pod's droplet is made from. */
const future: NginxState = {
  ...{ version: '1.24.0', ipv6: true, stale: false },
  ...{ sites: [], listens: [], once: [], conflicts: [] },
}

// Folders count, for files that went.
const read = raw(
  '/etc/nginx/nginx.conf /etc/nginx/conf.d /etc/nginx/conf.d/* /etc/nginx/sites-enabled /etc/nginx/sites-enabled/*',
)

/**
 * Shell text that says `stale` when a worker is older than the newest of nginx's files or of `reads`. A reload starts
 * new workers and leaves no other trace: systemd's times stay those of the start. All times in milliseconds since 1970.
 */
export function saysStale(reads: readonly string[]): Shell {
  return sh`infra_stale() {
read -r up _ </proc/uptime; boot=$(($(date +%s%3N) - \${up%.*}\${up#*.}0))
newest=$(stat -L -c %.3Y ${read} ${reads} 2>/dev/null | tr -d . | sort -n | tail -n 1)
master=$(systemctl show -p MainPID --value nginx.service); [ "$master" -gt 0 ] || return 0
for p in $(pgrep -P "$master" -f 'worker process'); do
if grep -qs 'shutting down' "/proc/$p/cmdline"; then continue; fi
set -- $(cat "/proc/$p/stat" 2>/dev/null); [ $# -lt 22 ] || [ "$((boot + \${22}0))" -gt "$newest" ] || { echo stale; return 0; }
done; }; infra_stale`
}

// nginx prints its configuration only where it takes it. Where it does not, that may be for a site of ours whose
// certificate is gone: then it is asked for a copy without that one, in a view of the folders that ends with the question.
const dump = `infra_nginx() { nginx -t 2>&1; }
infra_dump() {
nginx -T 2>/dev/null | sed -n 's/^# configuration file \\(.*\\):$/\\1/p' | sort -u | while read -r f; do [ ! -f "$f" ] || stat -L -c 'size %s %n' "$f"; done
echo "dump $(nginx -T 2>/dev/null | gzip -c | base64 -w 0)"; }
infra_report() { printf '%s\\n' "$1" | sed -n 's/^.*conflicting server name "\\(.*\\)" on .*/conflict \\1/p' | sort -u; infra_dump; }`

/** nginx as it is installed, configured and running. `reads`: files that its sites name; `link`: where ours is enabled. */
export function nginxState(reads: readonly string[], link: string): Question<NginxState> {
  return {
    command: sh`command -v nginx >/dev/null || exit 127
nginx -v 2>&1 | sed 's/^.*nginx.\\([0-9.]*\\).*/version \\1/'
if { read -r infra_l </proc/net/if_inet6; } 2>/dev/null; then echo ipv6; fi
${raw(dump)}
if said=$(infra_nginx); then infra_report "$said"
else unshare -m sh -c ${`mount -t tmpfs -o mode=700 none /tmp && cp -a ${nginxFolder}/. /tmp && rm -f -- "$1" && mount --bind /tmp ${nginxFolder} || exit
${dump}
said=$(infra_nginx) && infra_report "$said"`} sh ${`/tmp/${link.slice(nginxFolder.length + 1)}`} 2>/dev/null ||
echo "broken $(printf '%s\\n' "$said" | grep -m 1 -F '[emerg]')"; fi
${saysStale(reads)}`,
    parse({ code, stdout, stderr }) {
      if (code === 127) return future
      if (code !== 0) throw new Error(stderr.trim())
      const lines = stdout.split('\n').map((line) => line.split(/ (.*)/s))
      const of = (word: string) => lines.filter(([first]) => first === word).map(([, rest = '']) => rest)
      const state = { ...future, version: of('version')[0] ?? '', ipv6: of('ipv6').length > 0 }
      const [broken] = of('broken')
      if (broken !== undefined)
        return { ...state, broken: broken.replace(/^.*?\[emerg\] (\d+#\d+: )?/, '') || 'see nginx -t' }
      const sizes = new Map(of('size').map((line) => [line.replace(/^\d+ /, ''), Number.parseInt(line, 10)]))
      const more = { stale: of('stale').length > 0, conflicts: of('conflict') }
      try {
        const dump = gunzipSync(Buffer.from(of('dump')[0] ?? '', 'base64'))
        return { ...state, ...more, ...stateOf(nginxTree(filesOfDump(dump, sizes))) }
      } catch (error) {
        return { ...state, ...more, broken: (error as Error).message }
      }
    },
  }
}

/** What makes nginx fail where it stands twice, of what a site of ours may need. */
const onceOnly = ['server_names_hash_bucket_size']

function stateOf({ servers, taken, http }: NginxTree): Pick<NginxState, 'sites' | 'listens' | 'once'> {
  const paths = [...new Set([...taken, ...servers.map(({ path }) => path)])]
  const sites = paths.map((path): Site => {
    const own = servers.filter((server) => server.path === path)
    const names = own.flatMap((server) => server.names)
    const says = [...new Set(own.flatMap((server) => server.says))]
    return { path, names, ...(own.some(({ fixed }) => fixed) && { fixed: true }), ...(says.length > 0 && { says }) }
  })
  // A server without a port has 80.
  const listens = servers.flatMap(({ path, listens }) =>
    (listens.length > 0 ? listens : [['80']]).flatMap((args) => listensOf(path, args)),
  )
  return { sites, listens, once: http.filter(({ name }) => onceOnly.includes(name)) }
}

/** `[::]:443 ssl default_server`: an address without a port is port 80, and a range is each of its ports. */
function listensOf(path: string, [where = '', ...options]: readonly string[]): Listen[] {
  if (where.startsWith('unix:')) return []
  const [, first = '80', last = first] = where.match(/^(?:.*:)?(\d+)(?:-(\d+))?$/) ?? []
  const isDefault = options.some((option) => /^default(_server)?$/.test(option))
  const count = Math.min(Math.max(Number(last) - Number(first), 0), 1000) + 1
  return Array.from({ length: count }, (_, index) => ({ path, port: Number(first) + index, isDefault }))
}
