import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'
import { parseSettings, type SshdSettings } from './sshd.ts'

/** Where a connection comes from and goes to, as the host sees it. */
export interface SshdConnection {
  readonly from: string
  /** The name of `from` where sshd looks names up (UseDNS); else `from` again, as sshd takes it. */
  readonly host: string
  readonly to: string
  readonly port: number
}

/** What sshd would decide of our own logins if it started anew, by its files. */
export interface SshdEntrance {
  /** Null where the host does not tell: not reached by ssh. */
  readonly connection: SshdConnection | null
  /** By user: the settings that let in or keep out, and `groups`, those of the user. */
  readonly users: Readonly<Record<string, SshdSettings>>
}

const wanted =
  '^(port|listenaddress|(allow|deny)(users|groups)|authenticationmethods|pubkeyauthentication|permitrootlogin) '

/**
 * What `sshd -T` says of these users for the very connection that asks. sudo takes SSH_CONNECTION out of the
 * environment, so the processes above are searched for it. Null where there is no sshd; throws when sshd does not accept its configuration.
 */
export function sshdEntrance(users: readonly string[]): Question<SshdEntrance | null> {
  return {
    command: sh`command -v sshd >/dev/null || exit 127; c=$SSH_CONNECTION; p=$$
while [ -z "$c" ] && [ "$p" -gt 1 ]; do
c=$(tr '\\0' '\\n' </proc/$p/environ | sed -n 's/^SSH_CONNECTION=//p'); p=$(sed -n 's/^PPid:[^0-9]*//p' /proc/$p/status)
done 2>/dev/null
set -- $c; [ $# = 4 ] || set -- 192.0.2.1 0 192.0.2.2 22
h=$1; judge() { sshd -T -C "user=$u,host=$h,addr=$1,laddr=$3,lport=$4"; }
for u in ${users}; do s=$(judge "$@") || exit
case $s in *'usedns yes'*) h=$(getent hosts "$1" | awk '{ print $2; exit }'); h=\${h:-$1}; s=$(judge "$@") || exit ;; esac
echo "user $u"; echo "groups $(id -Gn "$u" 2>/dev/null)"; echo "$s" | grep -E ${wanted}; done
echo "connection $c"; echo "host $h"`,
    parse({ code, stdout, stderr }) {
      if (code === 127) return null
      const end = stdout.lastIndexOf('connection ')
      const [, from = '', to = '', port = ''] = stdout.slice(end).match(/^connection (\S+) \d+ (\S+) (\d+)$/m) ?? []
      const host = stdout.slice(end).match(/^host (\S+)$/m)?.[1] ?? from
      const users = parseSettings({ code, stdout: stdout.slice(0, end < 0 ? undefined : end), stderr })
      return { connection: from === '' ? null : { from, host, to, port: Number(port) }, users }
    },
  }
}
