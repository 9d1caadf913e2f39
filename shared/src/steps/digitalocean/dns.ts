import { isIPv4 } from 'node:net'
import { type DnsLook, doDns, doSend, doUntil } from '../../command/digitalocean.ts'
import {
  type Change,
  changes,
  converged,
  create,
  type Decision,
  type Dependency,
  type Question,
  refuse,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type DnsRecord, dnsAddresses, zoneRecords, zonesOf } from '../../facts/digitalocean/dns.ts'

/** Seconds. Short, since a pod may move; a record that is there keeps its own. */
const ttl = 300

/** What a zone's name servers may take to serve a change; they take seconds. */
const timeoutSeconds = 300

interface Zone {
  readonly zone: string
  readonly records: readonly DnsRecord[]
}

/** What a name shall lead to. */
export interface AddressHolder {
  /** `the droplet`, for messages. */
  readonly what: string
  /** Throws while there is none. */
  readonly address: Question<{ readonly address: string }>
  readonly dependsOn: readonly Dependency[]
}

/**
 * An A record of a machine or load balancer, where the account has the zone: the nearest one, found by walking up the
 * labels. A single other address is changed; anything else at the name is refused, and records of other names are left
 * alone. Without a zone nothing is done. Unknown while what holds the address is not there.
 */
export function addressRecord(on: Target, name: string, desired: AddressHolder): Step {
  const zones = zonesOf(name)
  const asked = zones.map((zone): [string, Question<unknown>] => [zone, zoneRecords(zone)])
  return step({
    id: `A record ${name}`,
    on,
    ask: {
      holder: desired.address,
      served: dnsAddresses(name, 'digitalocean'),
      ...Object.fromEntries(asked),
    },
    plan(now) {
      const { address } = now.holder
      if (!isIPv4(address)) return converged(`${address} is not an IPv4 address: make the record of ${name} yourself`)
      const facts = now as unknown as Readonly<Record<string, readonly DnsRecord[] | null>>
      const zone = zones.find((zone) => facts[zone] !== null)
      if (zone === undefined) return converged(`DigitalOcean has no zone of it: make the record A ${name} → ${address}`)
      return decide(name, { ...desired, address }, { zone, records: facts[zone] ?? [] }, now.served)
    },
    dependsOn: desired.dependsOn,
  })
}

function decide(
  name: string,
  { what, address }: { what: string; address: string },
  { zone, records }: Zone,
  served: DnsLook,
): Decision {
  const relative = name === zone ? '@' : name.slice(0, -zone.length - 1)
  const own = records.filter((record) => record.name === relative)
  const alias = own.find(({ type }) => type === 'CNAME')
  const list = own.filter(({ type }) => type === 'A')
  const [record, ...others] = list
  const kept = list.find(({ data }) => data === address)
  const unwanted = list.filter((one) => one !== kept)
  if (alias)
    return refuse(
      `${name} is an alias of ${alias.data}, beside which no A record can be`,
      `Delete the alias, then run again: doctl compute domain records delete ${zone} ${alias.id}`,
    )
  if (others.length > 0)
    return refuse(
      `${name} has ${list.length} A records (${list.map(({ data }) => data).join(', ')}), and only ${address} is ${what}`,
      `Visitors would get any of them. Delete those that are not wanted, then run again (doctl compute domain records list ${zone} shows them): doctl compute domain records delete ${zone} ${unwanted.map(({ id }) => id).join(' ')}`,
    )
  const wait = doUntil(doDns(name, 'digitalocean'), 'addresses', address, timeoutSeconds)
  const records_ = `/v2/domains/${zone}/records`
  const explain: NonNullable<Change['explain']> = ({ code, stderr }) =>
    code === 124 ? `DigitalOcean's name servers do not serve it: ${stderr}` : `DigitalOcean says: ${stderr}`
  if (!record) {
    const post = doSend('POST', records_, { type: 'A', name: relative, data: address, ttl })
    return changes([create(`A record ${name} → ${address}`, [post, wait], { explain })], '')
  }
  if (record.data !== address) {
    const patch = doSend('PATCH', `${records_}/${record.id}`, { type: 'A', data: address })
    const diff = {
      kind: 'text',
      path: name,
      before: `${line(name, record)}\n`,
      after: `${line(name, { ...record, data: address })}\n`,
    } as const
    // Whoever went to the old address goes to the new one from now on.
    return changes(
      [update(`A record ${name} ${record.data} → ${address}`, [patch, wait], { diff, risk: 'downtime', explain })],
      '',
    )
  }
  const told = served.unasked === null && !served.addresses.includes(address)
  return changes(
    told ? [update(`wait until ${name} is served as ${address}`, wait, { explain })] : [],
    `${address} in zone ${zone}${served.unasked === null ? '' : `; its name servers cannot be asked from here: ${served.unasked}`}`,
  )
}

const line = (name: string, { ttl, data }: DnsRecord) => `${name}. ${ttl} A ${data}`
