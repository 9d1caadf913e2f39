import { raw, type Shell, sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

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
  /** What it includes: sites-enabled and conf.d. */
  readonly sites: readonly { readonly path: string; readonly names: readonly string[] }[]
  /** Every `listen` of nginx.conf and of the files that it includes. */
  readonly listens: readonly Listen[]
}

export interface Listen {
  /** The file that it stands in. */
  readonly path: string
  readonly port: number
  /** Whether it is the one for names that no site claims. */
  readonly isDefault: boolean
}

/** What a blank host will have: the nginx of the image that the pod's droplet is made from. */
const future: NginxState = { version: '1.24.0', ipv6: true, stale: false, sites: [], listens: [] }

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

/** nginx as it is installed, configured and running. `reads`: files that its sites name, such as certificates. */
export function nginxState(reads: readonly string[] = []): Question<NginxState> {
  return {
    command: sh`command -v nginx >/dev/null || exit 127
nginx -v 2>&1 | sed 's/^.*nginx.\\([0-9.]*\\).*/version \\1/'
if { read -r infra_l </proc/net/if_inet6; } 2>/dev/null; then echo ipv6; fi
for f in /etc/nginx/sites-enabled/* /etc/nginx/conf.d/*.conf; do
[ -e "$f" ] || [ -L "$f" ] || continue
echo "site $f" $(sed 's/#.*//' "$f" 2>/dev/null | tr '\\n' ' ' | grep -oE '(^|[ ;{])server_name[^;]*' | sed 's/.*server_name//')
done
for f in $(cd ${nginxFolder} && echo nginx.conf $(sed -n 's/^[[:space:]]*include[[:space:]]*\\([^;]*\\);.*/\\1/p' nginx.conf)); do
case $f in /*) ;; *) f=${nginxFolder}/$f;; esac; [ -f "$f" ] || continue
echo "file $f"; sed 's/#.*//' "$f" | tr ';{}' '\\n\\n\\n' | sed -n 's/^[[:space:]]*listen[[:space:]]\\{1,\\}/listen /p'
done
${saysStale(reads)}`,
    parse({ code, stdout, stderr }) {
      if (code === 127) return future
      if (code !== 0) throw new Error(stderr.trim())
      const lines = stdout.split('\n').map((line) => line.split(' '))
      const [, version = ''] = lines.find(([word]) => word === 'version') ?? []
      const sites = lines.filter(([word]) => word === 'site').map(([, path = '', ...names]) => ({ path, names }))
      let path = ''
      const listens = lines.flatMap(([word, ...rest]) => {
        if (word === 'file') path = rest.join(' ')
        return word === 'listen' ? [{ path, ...listenOf(rest) }] : []
      })
      const says = (word: string) => lines.some(([first]) => first === word)
      return { version, ipv6: says('ipv6'), stale: says('stale'), sites, listens }
    },
  }
}

/** `[::]:443 ssl default_server`: an address without a port is port 80. */
function listenOf([where = '', ...options]: readonly string[]): Omit<Listen, 'path'> {
  const port = where.match(/^(?:.*:)?(\d+)$/)?.[1]
  return { port: Number(port ?? 80), isDefault: options.some((option) => /^default(_server)?$/.test(option)) }
}
