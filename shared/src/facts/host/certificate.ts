import { type Shell, sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

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

/** Shell text that succeeds when less than one of so many parts of its life is left to the certificate whose dates `$c` holds. */
const hasLeftLess = (parts: number) =>
  sh`{ a=$(date -d "$(echo "$c" | sed -n 's/^notBefore=//p')" +%s); b=$(date -d "$(echo "$c" | sed -n 's/^notAfter=//p')" +%s)
[ $(((b - $(date +%s)) * ${parts})) -lt $((b - a)) ]; }`

/**
 * Shell text that succeeds when the authority is about to be asked for a certificate that is there: it is of another one,
 * or has less than a quarter of its life left. certbot's timer renews at a third: by a quarter it has failed for days.
 */
export function isRenewalNear(name: string, directory: string): Shell {
  const { chain, renewal } = certificateFiles(name)
  return sh`{ { [ -f ${renewal} ] && ! grep -qxF ${`server = ${directory}`} ${renewal}; } || \
{ c=$(openssl x509 -noout -startdate -enddate -in ${chain} 2>/dev/null) && ${hasLeftLess(4)}; }; }`
}

/** A certificate of certbot's, by openssl and certbot's own notes. Null when there is none, or not its key. */
export function certificateState(name: string): Question<CertificateState | null> {
  const { chain, key, renewal } = certificateFiles(name)
  return {
    command: sh`[ -s ${chain} ] && [ -s ${key} ] || exit 0; command -v openssl >/dev/null || exit 127
c=$(openssl x509 -noout -startdate -enddate -serial -issuer -ext subjectAltName -in ${chain}) || exit; echo "$c"
if ${hasLeftLess(6)}; then echo due; fi
[ ! -f ${renewal} ] || { echo renewal; cat ${renewal}; }`,
    parse({ code, stdout, stderr }) {
      if (code === 127 || (code === 0 && stdout === '')) return null
      if (code !== 0) throw new Error(`the certificate ${chain} cannot be read: ${stderr.trim()}`)
      const [head = '', renewal] = stdout.split(/^renewal\n/m)
      const value = (key: string) => head.match(new RegExp(`^${key}= *(.*)$`, 'm'))?.[1] ?? ''
      const [notBefore, notAfter] = [Date.parse(value('notBefore')), Date.parse(value('notAfter'))]
      if (Number.isNaN(notBefore) || Number.isNaN(notAfter))
        throw new Error(`openssl does not tell from when to when the certificate ${chain} is good`)
      return {
        names: [...head.matchAll(/DNS:([^\s,]+)/g)].map(([, name = '']) => name.toLowerCase()),
        issuer: value('issuer'),
        serial: value('serial'),
        notBefore,
        notAfter,
        due: /^due$/m.test(head),
        renewal,
      }
    },
  }
}
