import { type DnsLook, type DnsPlace, doAnswer, doDns, doList } from '../../command/digitalocean.ts'
import type { Question } from '../../engine/step.ts'

export interface DnsRecord {
  readonly id: number
  readonly type: string
  /** Relative to the zone; `@` is the zone itself. */
  readonly name: string
  readonly data: string
  /** Seconds. */
  readonly ttl: number
}

/** The records of a zone. Null when the account does not have the zone. */
export function zoneRecords(zone: string): Question<readonly DnsRecord[] | null> {
  return {
    command: doList(`/v2/domains/${zone}/records`),
    parse: (output) =>
      doAnswer<{ domain_records: DnsRecord[] }>(output)?.domain_records.map(({ id, type, name, data, ttl }) => ({
        ...{ id, type, name, data, ttl },
      })) ?? null,
  }
}

/** The zones a name may be in, the nearest first: `a.b.example.com`, `b.example.com`, `example.com`. */
export function zonesOf(name: string): readonly string[] {
  const labels = name.split('.')
  return labels.slice(0, -1).map((_label, index) => labels.slice(index).join('.'))
}

/** The addresses of a name, seen from this machine. */
export function dnsAddresses(name: string, at: DnsPlace): Question<DnsLook> {
  return {
    command: doDns(name, at),
    parse: (output) =>
      doAnswer<DnsLook>(output) ?? { addresses: [], addresses6: [], unasked: 'the account is a blank one' },
  }
}
