import { sh } from '../command/sh.ts'
import type { Question } from '../engine/step.ts'

export interface Resolved {
  /** The addresses of each name, as the host resolves it; none for a name that does not resolve. */
  readonly names: Readonly<Record<string, readonly string[]>>
  /** The host's own addresses. */
  readonly own: readonly string[]
}

/**
 * Where names lead, by the host's own resolver. Null on a host that cannot tell. Names that the certificate at `unless`
 * holds are not looked up: where they led was proven when it was issued, and a plan need not wait for name servers.
 */
export function resolved(names: readonly string[], unless: string): Question<Resolved | null> {
  return {
    command: sh`command -v getent >/dev/null || exit 127
held=$(openssl x509 -noout -ext subjectAltName -in ${unless} 2>/dev/null | tr ',' '\\n')
for n in ${names}; do
if echo "$held" | grep -qixF -e "DNS:$n" -e " DNS:$n" -e "    DNS:$n"; then continue; fi
echo "name $n" $(timeout 15 getent ahosts "$n" | cut -d' ' -f1 | sort -u)
done
ip -o addr show scope global 2>/dev/null | sed -n 's/.* inet6* \\([^ /]*\\).*/own \\1/p'`,
    parse({ code, stdout, stderr }) {
      if (code === 127) return null
      if (code !== 0) throw new Error(stderr.trim() || `exit code ${code}`)
      const lines = stdout.split('\n').map((line) => line.split(' ').filter(Boolean))
      const found = lines.filter(([word]) => word === 'name').map(([, name = '', ...addresses]) => [name, addresses])
      const own = lines.filter(([word]) => word === 'own').map(([, address = '']) => address)
      return { names: Object.fromEntries(found) as Resolved['names'], own }
    },
  }
}
