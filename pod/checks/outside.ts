import { Resolver } from 'node:dns/promises'
import { connect, isIPv6 } from 'node:net'
import { type Check, check, type Finding, fail, ok, warn } from '@infra/shared/engine/check'
import { ownAddresses } from '@infra/shared/facts/host/dns'
import { type Served, servedByHttps } from '@infra/shared/facts/host/served'
import type { PodContext } from '../context.ts'
import { webPorts } from '../host/security.ts'

/** Seconds to wait for a port: one that the firewall drops never answers. */
const timeoutSeconds = { open: 4, closed: 2 }

/** What must, and what must not, answer on the pod's public address, seen from this machine; and where its name leads. */
export function outsideChecks({ env }: PodContext): Check[] {
  const address = env.VALENCE_POD_IP
  if (address === undefined) return []
  const port = (id: string, number: number, about: string, wanted: boolean, remedy: string): Check => ({
    id: `outside.${id}`,
    about,
    remedy,
    probe: () => probe(address, number, wanted),
  })
  return [
    port(
      'ssh',
      env.VALENCE_SSH_PORT,
      `port ${env.VALENCE_SSH_PORT} answers from outside`,
      true,
      'Look at the firewall: sudo ufw status verbose',
    ),
    port(
      'postgresql',
      5432,
      'PostgreSQL does not answer from outside',
      false,
      "It must listen on localhost only: npm run deploy -w pod -- -t postgresql; then look for a provider's firewall",
    ),
  ]
}

const closed = 'It must listen on localhost only, behind nginx: npm run deploy -w pod -- -t synapse'

/** The same for what the script `synapse` opens. */
export function matrixPortChecks({ env, host }: PodContext): Check[] {
  const address = env.VALENCE_POD_IP
  if (address === undefined) return []
  return [
    ...webPorts.map(
      (number): Check => ({
        id: `synapse.port-${number}`,
        about: `port ${number} answers from outside`,
        remedy: "On the host: sudo ufw status verbose; systemctl status nginx; before it: the provider's firewall",
        probe: () => probe(address, number, true),
      }),
    ),
    {
      id: 'synapse.port-8008',
      about: "Synapse's own port does not answer from outside",
      remedy: closed,
      probe: () => probe(address, 8008, false),
    },
    check(host, {
      id: 'synapse.addresses',
      about: 'https answers on each address of the host, of IPv4 and of IPv6',
      remedy: 'npm run deploy -w pod -- --tags synapse; on the host: ss -Hltn "sport = :443"',
      ask: { served: servedByHttps(env.VALENCE_DOMAIN, '/.well-known/matrix/server') },
      judge: ({ served }) => judgeServed(served),
    }),
    {
      id: 'synapse.dns',
      about: `${env.VALENCE_DOMAIN} leads to the pod`,
      remedy: recordRemedy(env.VALENCE_DOMAIN, address),
      asked: { on: host, ask: { own: ownAddresses } },
      probe: async () => {
        const found = await addresses(env.VALENCE_DOMAIN)
        return ({ own }) => judgeDns(found, address, own as readonly string[])
      },
    },
  ]
}

// RFC 2606, RFC 6761: nobody can register these.
const reserved = /(?:^|\.)(?:test|example|invalid|localhost|example\.(?:com|net|org))$/i

/** What to do about a name that does not lead to the pod: nothing where it is one that only rehearsals and tests have. */
export function recordRemedy(domain: string, address: string): string {
  if (reserved.test(domain))
    return `${domain} is a name for examples, which no name server has: expected in a rehearsal. A pod needs a domain of yours.`
  return `Make this record where the domain is kept: ${isIPv6(address) ? 'AAAA' : 'A'} ${domain} ${address}`
}

/** The addresses that answer as the site does; those that do not. */
export function judgeServed(served: readonly Served[]): Finding {
  const silent = served.filter(({ status }) => status !== 200)
  if (silent.length > 0)
    return fail(silent.map(({ address, status }) => `${address} ${status ?? 'does not answer'}`).join(', '))
  return served.length > 0 ? ok(served.map(({ address }) => address).join(', ')) : warn('it has no address of its own')
}

/** What the name servers say, not this machine's own list of hosts. */
async function addresses(name: string): Promise<readonly string[] | string> {
  const resolver = new Resolver({ timeout: 2500, tries: 1 })
  const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  const list = found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
  if (list.length > 0) return list
  const [first] = found.flatMap((each) => (each.status === 'rejected' ? [each.reason as NodeJS.ErrnoException] : []))
  return first?.code ?? 'no address'
}

/**
 * Addresses of the name, or why there are none: this machine may have a resolver that does not know the name yet. `own`
 * are those that the host itself has: its IPv6 address beside its public one.
 */
export function judgeDns(found: readonly string[] | string, address: string, own: readonly string[] = []): Finding {
  if (typeof found === 'string') return warn(`it cannot be resolved from here (${found})`)
  if (!found.includes(address)) return fail(`it leads to ${found.join(', ')}`)
  const others = found.filter((each) => each !== address && !own.includes(each))
  return others.length > 0 ? warn(`it leads to ${others.join(', ')} as well`) : ok(found.join(', '))
}

/** Opens a TCP connection, and says whether that is as it should be. */
function probe(host: string, port: number, wanted: boolean): Promise<Finding> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutSeconds[wanted ? 'open' : 'closed'] * 1000 })
    const end = (open: boolean, detail: string) => {
      socket.destroy()
      resolve(open === wanted ? ok(detail) : fail(detail))
    }
    socket.once('connect', () => end(true, `${host}:${port} is open`))
    // Where this process was held up itself, an answer may be here already: it is looked at first.
    socket.once('timeout', () => setImmediate(() => end(false, `${host}:${port} does not answer`)))
    socket.once('error', (error: NodeJS.ErrnoException) => end(false, `${host}:${port} ${error.code}`))
  })
}
