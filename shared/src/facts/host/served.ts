import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export interface Served {
  /** One of the host's own addresses, of either family. */
  readonly address: string
  /** The status of the answer by https; undefined where nothing answers. */
  readonly status: number | undefined
}

/**
 * Whether each of the host's own addresses serves a name by https: a site that listens on IPv4 only looks healthy to
 * whoever comes by IPv4. Asked on the host, since few machines that deploy have IPv6; whose the certificate is, is asked
 * from outside.
 */
export function servedByHttps(name: string, path: string): Question<readonly Served[]> {
  return {
    command: sh`for a in $(ip -o addr show scope global 2>/dev/null | sed -n 's/.* inet6* \\([^ /]*\\).*/\\1/p'); do
case $a in *:*) infra_at="[$a]" ;; *) infra_at=$a ;; esac
echo "$a $(curl -sk -m 5 --noproxy '*' --connect-to "::$infra_at:443" -o /dev/null -w '%{http_code}' ${`https://${name}${path}`})"
done`,
    parse({ code, stdout, stderr }) {
      if (code !== 0) throw new Error(stderr.trim() || `exit code ${code}`)
      const lines = stdout.split('\n').filter((line) => line !== '')
      return lines.map((line) => {
        const [address = '', status] = line.split(' ')
        return { address, status: Number(status) || undefined }
      })
    },
  }
}
