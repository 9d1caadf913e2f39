import { type Shell, sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export interface Resolved {
  /** The addresses of each name that was looked up, as the host resolves it; none for a name that does not resolve. */
  readonly names: Readonly<Record<string, readonly string[]>>
  /** The host's own addresses. */
  readonly own: readonly string[]
}

const saysOwn = sh`ip -o addr show scope global 2>/dev/null | sed -n 's/.* inet6* \\([^ /]*\\).*/own \\1/p'`
const ownIn = (said: string) => [...said.matchAll(/^own (.*)$/gm)].map(([, address = '']) => address)

/** The host's own addresses. */
export const ownAddresses: Question<readonly string[]> = { command: saysOwn, parse: ({ stdout }) => ownIn(stdout) }

export interface Held {
  /** A certificate: where the names that it holds led was proven when it was issued … */
  readonly chain: string
  /** … and is looked up again when this shell text succeeds: an authority is about to be asked. */
  readonly near: Shell
}

/**
 * Succeeds when name servers deny a name. getent tells this no more than nss-resolve does from servers that fail or do
 * not answer, so they are asked past it.
 */
const denied = `import ctypes, socket, sys
ctypes.CDLL(None)["__nss_configure_lookup"](b"hosts", b"dns")
try: socket.getaddrinfo(sys.argv[1], None, flags=socket.AI_ADDRCONFIG)
except socket.gaierror as e: sys.exit(e.errno not in (socket.EAI_NONAME, socket.EAI_NODATA))
sys.exit(1)`

/**
 * Where names lead, by the host's own resolver. Null on a host that cannot tell. A plan need not wait for name servers:
 * names that a certificate holds are looked up only when it will be asked for anew, as it will be for a name that it
 * lacks and that resolves. Of those, one that cannot be told is left out: it may lead where it always led.
 */
export function resolved(names: readonly string[], { chain, near }: Held): Question<Resolved | null> {
  return {
    command: sh`command -v getent >/dev/null || exit 127
held=$(openssl x509 -noout -ext subjectAltName -in ${chain} 2>/dev/null | tr -d ' ' | tr ',' '\\n')
infra_holds() { echo "$held" | grep -qixF "DNS:$1"; }
infra_led() { timeout 15 getent ahosts "$1" | cut -d' ' -f1 | sort -u; }
asks=; if ${near}; then asks=1; fi
for n in ${names}; do
if infra_holds "$n"; then continue; fi
set -- $(infra_led "$n"); echo "name $n $*"; [ $# = 0 ] || asks=1
done
[ -z "$asks" ] || for n in ${names}; do
infra_holds "$n" || continue
set -- $(infra_led "$n")
if [ $# -gt 0 ] || timeout 15 python3 -I -c ${denied} "$n" 2>/dev/null; then echo "name $n $*"; fi
done
${saysOwn}`,
    parse({ code, stdout, stderr }) {
      if (code === 127) return null
      if (code !== 0) throw new Error(stderr.trim() || `exit code ${code}`)
      const lines = stdout.split('\n').map((line) => line.split(' ').filter(Boolean))
      const found = lines.filter(([word]) => word === 'name').map(([, name = '', ...addresses]) => [name, addresses])
      return { names: Object.fromEntries(found) as Resolved['names'], own: ownIn(stdout) }
    },
  }
}
