import { doAnswer, doList } from '../../command/digitalocean.ts'
import type { Question } from '../../engine/step.ts'

/** A rule of a cloud firewall, as the API gives it; `ports` is one, a range, or `all`. */
export interface CloudRule {
  readonly protocol: string
  readonly ports: string
  /** Who: addresses, droplets, load balancers, clusters, tags. */
  readonly peers: Readonly<Record<string, readonly (string | number)[]>>
}

export interface CloudFirewall {
  readonly id: string
  readonly name: string
  readonly inbound: readonly CloudRule[]
  readonly outbound: readonly CloudRule[]
  readonly droplets: readonly number[]
  readonly tags: readonly string[]
}

/** The cloud firewalls of a name; names are unique, but a token may not see all. */
export function cloudFirewalls(name: string): Question<readonly CloudFirewall[]> {
  return {
    command: doList('/v2/firewalls'),
    parse: (output) =>
      (doAnswer<{ firewalls: ApiFirewall[] }>(output)?.firewalls ?? [])
        .filter((firewall) => firewall.name === name)
        .map((firewall) => ({
          id: firewall.id,
          name: firewall.name,
          inbound: (firewall.inbound_rules ?? []).map((rule) => readRule(rule, rule.sources)),
          outbound: (firewall.outbound_rules ?? []).map((rule) => readRule(rule, rule.destinations)),
          droplets: firewall.droplet_ids ?? [],
          tags: firewall.tags ?? [],
        })),
  }
}

function readRule({ protocol, ports = '0' }: ApiRule, peers: CloudRule['peers'] = {}): CloudRule {
  // "0" is what the API says for all ports; it does not take it back (422), but "all".
  const every = ports === '0' || ports === '' || ports === '1-65535'
  const filled = Object.entries(peers).filter(([, list]) => list?.length > 0)
  return { protocol, ports: every ? 'all' : ports, peers: Object.fromEntries(filled) }
}

interface ApiRule {
  protocol: string
  ports?: string
}
interface ApiFirewall {
  id: string
  name: string
  inbound_rules?: (ApiRule & { sources?: CloudRule['peers'] })[] | null
  outbound_rules?: (ApiRule & { destinations?: CloudRule['peers'] })[] | null
  droplet_ids?: number[] | null
  tags?: string[] | null
}
