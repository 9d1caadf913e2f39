import { sh } from '../command/sh.ts'
import type { Question } from '../engine/step.ts'

const folder = '/etc/letsencrypt'

/** Where certbot keeps a certificate, by its name: chain and key are links to the newest. */
export const certificateFiles = (name: string) => ({
  chain: `${folder}/live/${name}/fullchain.pem`,
  key: `${folder}/live/${name}/privkey.pem`,
  renewal: `${folder}/renewal/${name}.conf`,
})

export interface CertificateState {
  /** The names that it is for, in lower case. */
  readonly names: readonly string[]
  readonly issuer: string
  /** Hexadecimal. */
  readonly serial: string
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
  /** Whether less than a sixth of its life is left: by then certbot's own timer has renewed it twice over. */
  readonly due: boolean
  /** What certbot notes for the renewal; undefined when that file is not there. */
  readonly renewal: string | undefined
}

/** A certificate of certbot's, by openssl and certbot's own notes. Null when there is none, or not its key. */
export function certificateState(name: string): Question<CertificateState | null> {
  const { chain, key, renewal } = certificateFiles(name)
  return {
    command: sh`[ -s ${chain} ] && [ -s ${key} ] || exit 0; command -v openssl >/dev/null || exit 127
c=$(openssl x509 -noout -startdate -enddate -serial -issuer -ext subjectAltName -in ${chain}) || exit; echo "$c"
a=$(date -d "$(echo "$c" | sed -n 's/^notBefore=//p')" +%s); b=$(date -d "$(echo "$c" | sed -n 's/^notAfter=//p')" +%s)
[ $(((b - $(date +%s)) * 6)) -ge $((b - a)) ] || echo due
[ ! -f ${renewal} ] || { echo renewal; cat ${renewal}; }`,
    parse({ code, stdout, stderr }) {
      if (code === 127 || (code === 0 && stdout === '')) return null
      if (code !== 0) throw new Error(`the certificate ${chain} cannot be read: ${stderr.trim()}`)
      const [head = '', renewal] = stdout.split(/^renewal\n/m)
      const value = (key: string) => head.match(new RegExp(`^${key}= *(.*)$`, 'm'))?.[1] ?? ''
      return {
        names: [...head.matchAll(/DNS:([^\s,]+)/g)].map(([, name = '']) => name.toLowerCase()),
        issuer: value('issuer'),
        serial: value('serial'),
        notBefore: Date.parse(value('notBefore')),
        notAfter: Date.parse(value('notAfter')),
        due: /^due$/m.test(head),
        renewal,
      }
    },
  }
}
