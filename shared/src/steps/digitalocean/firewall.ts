import { doSend, explainDo as explain } from '../../command/digitalocean.ts'
import { type OpenPort, sayOpenPort } from '../../command/open-port.ts'
import { changes, create, type Decision, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { existingDroplet } from '../../facts/digitalocean/droplet.ts'
import { type CloudFirewall, type CloudRule, cloudFirewalls } from '../../facts/digitalocean/firewall.ts'

export interface CloudFirewallOptions {
  name: string
  /** The droplet it stands before. Others that it stands before as well are kept. */
  droplet: string
  /** TCP ports that everybody may reach. */
  tcp: readonly number[]
  /** More ports, with who may come in there. */
  extra?: readonly OpenPort[] | undefined
  dependsOn: readonly Dependency[]
}

const everybody = ['0.0.0.0/0', '::/0']
const everywhere: readonly CloudRule[] = ['tcp', 'udp', 'icmp'].map((protocol) => ({
  protocol,
  ports: 'all',
  peers: { addresses: everybody },
}))

/**
 * A cloud firewall before the droplet: exactly these ports come in, everything goes out. A rule of it that opens
 * anything else is removed. Unknown while the droplet is not there.
 */
export function cloudFirewall(on: Target, desired: CloudFirewallOptions): Step {
  return step({
    id: `cloud firewall ${desired.name}`,
    on,
    ask: { droplet: existingDroplet(desired.droplet), found: cloudFirewalls(desired.name) },
    plan: ({ droplet, found }) => decide(desired, droplet.id, found),
    dependsOn: desired.dependsOn,
  })
}

function decide(desired: CloudFirewallOptions, droplet: number, found: readonly CloudFirewall[]): Decision {
  const ours = desired.tcp.map((port): OpenPort => ({ port: String(port), protocol: 'tcp' }))
  const open = [...new Map([...ours, ...(desired.extra ?? [])].map((each) => [sayOpenPort(each), each])).values()]
  const inbound = merged(open)
  const [firewall, ...others] = found
  const body = (now?: CloudFirewall) => ({
    name: desired.name,
    inbound_rules: inbound.map(({ peers, ...rule }) => ({ ...rule, sources: peers })),
    outbound_rules: everywhere.map(({ peers, protocol, ports }) => ({
      ...(protocol === 'icmp' ? { protocol } : { protocol, ports }),
      destinations: peers,
    })),
    droplet_ids: [...new Set([...(now?.droplets ?? []), droplet])],
    tags: now?.tags ?? [],
  })
  const ports = open.map((each) => sayOpenPort(each).replace(/\/tcp$/, '')).join(', ')
  if (!firewall)
    return changes(
      [create(`cloud firewall ${desired.name} (in: ${ports})`, doSend('POST', '/v2/firewalls', body()), { explain })],
      '',
    )
  if (others.length > 0)
    return refuse(
      `there are ${found.length} cloud firewalls of the name ${desired.name}`,
      `Delete the others, when nothing needs them: doctl compute firewall list shows them, doctl compute firewall delete ${others.map(({ id }) => id).join(' ')} leaves the first (${firewall.id}).`,
    )
  const said = [
    ...difference(firewall.inbound, inbound),
    ...difference(firewall.outbound, everywhere).map((text) => `${text} (outgoing)`),
    ...(firewall.droplets.includes(droplet) ? [] : [`stand before ${desired.droplet}`]),
  ]
  const put = doSend('PUT', `/v2/firewalls/${firewall.id}`, body(firewall))
  return changes(
    said.length > 0 ? [update(`cloud firewall ${desired.name}: ${said.join('; ')}`, put, { explain })] : [],
    `in: ${ports}`,
  )
}

/** One rule for a port: the API takes no second one, but several sources. */
function merged(open: readonly OpenPort[]): CloudRule[] {
  const rules = new Map<string, CloudRule>()
  for (const { port, protocol, from } of open) {
    const ports = port.replace(':', '-')
    const before = rules.get(`${protocol} ${ports}`)?.peers.addresses ?? []
    const addresses = from === undefined ? everybody : [...before, from]
    const isOpen = before.includes(everybody[0] ?? '')
    rules.set(`${protocol} ${ports}`, { protocol, ports, peers: { addresses: isOpen ? everybody : addresses } })
  }
  return [...rules.values()]
}

function difference(now: readonly CloudRule[], desired: readonly CloudRule[]): string[] {
  const [is, shall] = [now.map(describe), desired.map(describe)]
  return [
    ...shall.filter((rule) => !is.includes(rule)).map((rule) => `open ${rule}`),
    ...is.filter((rule) => !shall.includes(rule)).map((rule) => `close ${rule}`),
  ]
}

/** `tcp 443` for everybody, `tcp 22 (tags bastion)` for some. */
function describe({ protocol, ports, peers }: CloudRule): string {
  const lists = Object.entries(peers).map(([kind, list]) => `${kind} ${[...list].sort().join(' ')}`)
  const all = lists.length === 1 && lists[0] === `addresses ${everybody.join(' ')}`
  return [protocol, ...(protocol === 'icmp' ? [] : [ports]), ...(all ? [] : [`(${lists.join(', ')})`])].join(' ')
}
