import type { DnsLook } from '@infra/shared/command/digitalocean'
import { type Check, check, type Finding, fail, ok, warn } from '@infra/shared/engine/check'
import { canonical } from '@infra/shared/env/network'
import { dnsAddresses } from '@infra/shared/facts/digitalocean/dns'
import { type DropletState, dropletSsh, existingDroplet } from '@infra/shared/facts/digitalocean/droplet'
import { type ProvisionContext, podNames } from '../provision/context.ts'

/** That there is a machine to deploy to, where it is, and whether its names lead to it. */
export function dropletChecks({ env, cloud }: ProvisionContext): readonly Check[] {
  const name = env.VALENCE_DROPLET_NAME
  return [
    check(cloud, {
      id: 'droplet.address',
      about: `droplet ${name} has an address, for .env.pod`,
      remedy:
        'npm run provision -w pod makes it. Of several rename those that are not the pod: doctl compute droplet-action rename ID --droplet-name NAME',
      telling: true,
      ask: { droplet: existingDroplet(name) },
      judge: ({ droplet }) => ok(`export VALENCE_POD_IP="${droplet.address}"`),
    }),
    check(cloud, {
      id: 'droplet.ssh',
      about: `droplet ${name} answers ssh`,
      remedy:
        'A new droplet takes a minute. Later: its console in the control panel, and whether a firewall stands before it.',
      // The first of the name is asked: not to be called the pod's where there are others.
      ask: { droplet: existingDroplet(name), ssh: dropletSsh(name, env.VALENCE_SSH_PORT) },
      judge: ({ ssh: { open, address, reason } }) => (open ? ok(address) : fail(`${address}: ${reason}`)),
    }),
    ...podNames(env).map((host) => dnsCheck(cloud, name, host)),
  ]
}

const dnsCheck = (cloud: ProvisionContext['cloud'], droplet: string, host: string): Check =>
  check(cloud, {
    id: `droplet.dns.${host}`,
    about: `${host} leads to the droplet`,
    remedy:
      'Make the record where the domain is kept, then wait: what was asked before may be remembered for its time to live.',
    ask: { droplet: existingDroplet(droplet), dns: dnsAddresses(host, 'public') },
    judge: ({ droplet, dns }) => judgeLook(host, droplet, dns),
  })

/** Where a name of the pod leads, seen from here, against the addresses of its droplet. */
export function judgeLook(
  host: string,
  { address, address6 }: Pick<DropletState, 'address6'> & { readonly address: string },
  { addresses, addresses6, unasked }: DnsLook,
): Finding {
  if (unasked !== null)
    return warn(`DNS cannot be asked from here (${unasked}); it needs the record A ${host} ${address}`)
  if (addresses.length === 0) return warn(`it has no address; make this record: A ${host} ${address}`)
  if (addresses.some((other) => other !== address))
    return warn(`it leads to ${addresses.join(', ')}; it needs the record A ${host} ${address}, and no other`)
  const own = address6 && canonical(address6)
  const foreign = addresses6.filter((other) => canonical(other) !== own)
  if (foreign.length > 0)
    return warn(
      `it also leads to ${foreign.join(', ')}, which is not the droplet's (${own ?? 'it has no IPv6 address'}): remove that record AAAA`,
    )
  return ok(address)
}
