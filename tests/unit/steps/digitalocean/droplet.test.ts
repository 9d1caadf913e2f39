import type { Decision } from '@infra/shared/engine/step'
import { type DnsRecord, zonesOf } from '@infra/shared/facts/digitalocean/dns'
import { type DropletState, droplets, existingDroplet, sizeOffer } from '@infra/shared/facts/digitalocean/droplet'
import { type CloudFirewall, cloudFirewalls } from '@infra/shared/facts/digitalocean/firewall'
import { accountKey, keyFingerprint } from '@infra/shared/facts/digitalocean/ssh-key'
import { addressRecord } from '@infra/shared/steps/digitalocean/dns'
import { droplet, dropletAnswers } from '@infra/shared/steps/digitalocean/droplet'
import { cloudFirewall } from '@infra/shared/steps/digitalocean/firewall'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, it } from 'vitest'

const on = blank('an account')
const ahead = { pending: [] }
const good = (body: object) => ({ code: 0, stdout: JSON.stringify(body), stderr: '' })
const missing = { code: 404, stdout: '{}', stderr: 'The resource you requested could not be found.' }
const blankAnswer = { code: 127, stdout: '', stderr: '' }

/** A decision in a few words: `+ …`, `~ …`, `= why`, `! reason`. */
function short(decision: Decision): string[] {
  if (decision.kind === 'converged') return [`= ${decision.because}`]
  if (decision.kind === 'refused') return [`! ${decision.reason}`]
  const marks = { create: '+', update: '~', remove: '-' }
  return decision.changes.map(({ verb, say, risk }) => `${marks[verb]} ${say}${risk === 'safe' ? '' : ` (${risk})`}`)
}

const state: DropletState = {
  id: 7,
  name: 'valence-pod',
  status: 'active',
  size: 's-2vcpu-4gb',
  region: 'nyc1',
  image: 'ubuntu-24-04-x64',
  address: '203.0.113.10',
  address6: undefined,
  tags: ['managed-by:infra'],
}
const offer = { monthly: 24, regions: ['nyc1', 'fra1'], available: true }

describe('droplet', () => {
  const desired = {
    name: 'valence-pod',
    image: state.image,
    size: state.size,
    region: state.region,
    tag: 'managed-by:infra',
  }
  const made = droplet(on, { ...desired, keys: ['3b:16'], prices: { 's-2vcpu-4gb': 20 } })
  const now = { found: [] as DropletState[], offer: offer as typeof offer | null | undefined, image: true, tag: false }
  const spec = 's-2vcpu-4gb, nyc1, ubuntu-24-04-x64'

  it.each([
    [{}, [`+ droplet valence-pod (${spec}, ~$24/month)`]],
    [{ offer: undefined }, [`+ droplet valence-pod (${spec}, ~$20/month)`]],
    [{ found: [state] }, ['= 203.0.113.10, s-2vcpu-4gb, nyc1, from ubuntu-24-04-x64']],
    [
      { found: [{ ...state, image: 'a snapshot' }] },
      ['= 203.0.113.10, s-2vcpu-4gb, nyc1, from a snapshot (a new one: ubuntu-24-04-x64)'],
    ],
    [{ found: [{ ...state, tags: ['x'] }] }, ['~ tag managed-by:infra on droplet valence-pod']],
    [
      { found: [{ ...state, status: 'new', tags: [], address: undefined }] },
      ['~ droplet valence-pod new → active', '~ tag managed-by:infra on droplet valence-pod'],
    ],
    [
      { found: [{ ...state, size: 's-1vcpu-1gb' }] },
      ['! it is a s-1vcpu-1gb instead of a s-2vcpu-4gb, and a droplet is never resized or replaced here'],
    ],
    [
      { found: [{ ...state, region: 'fra1' }] },
      ['! it is in fra1 instead of nyc1, and a droplet is never moved or replaced here'],
    ],
    [{ found: [{ ...state, status: 'off' }] }, ['! it is powered off']],
    [
      { found: [state, { ...state, id: 8 }] },
      ['! there are 2 droplets of the name valence-pod: 7 (203.0.113.10, active), 8 (203.0.113.10, active)'],
    ],
    [{ offer: null }, ['! DigitalOcean has no droplet size s-2vcpu-4gb']],
    [{ offer: { ...offer, regions: ['fra1'] } }, ['! DigitalOcean does not offer s-2vcpu-4gb in nyc1']],
    [{ offer: { ...offer, available: false } }, ['! DigitalOcean does not offer s-2vcpu-4gb in nyc1']],
    [{ image: false }, ['! DigitalOcean has no image ubuntu-24-04-x64']],
    // What is there needs no offer any more.
    [{ found: [state], offer: null, image: false }, ['= 203.0.113.10, s-2vcpu-4gb, nyc1, from ubuntu-24-04-x64']],
  ])('%o', (facts, expected) => {
    expect(short(made.plan({ ...now, ...facts }, ahead))).toEqual(expected)
  })

  it('looks right before it asks for one, and waits for it', () => {
    const decision = made.plan(now, ahead)
    const [change] = decision.kind === 'changes' ? decision.changes : []
    expect(change?.run).toMatchObject([
      {
        line: 'POST /v2/droplets unless GET /v2/droplets?name=valence-pod&per_page=200 has droplets',
        stdin: {
          parts: [
            '{"name":"valence-pod","region":"nyc1","size":"s-2vcpu-4gb","image":"ubuntu-24-04-x64","ssh_keys":["3b:16"],"tags":["managed-by:infra"]}',
          ],
        },
      },
      { line: 'GET /v2/droplets?name=valence-pod&per_page=200 until droplets.0.status = active within 900 s' },
    ])
  })

  it('says what is refused by the account', () => {
    const decision = made.plan(now, ahead)
    const [change] = decision.kind === 'changes' ? decision.changes : []
    const said = (stderr: string) => change?.explain?.({ code: 422, stdout: '', stderr })
    expect(said('creating this/these droplet(s) will exceed your droplet limit')).toContain(
      'as many droplets as it may have',
    )
    expect(said('x are invalid key identifiers')).toBe('DigitalOcean says: x are invalid key identifiers')
  })
})

describe('ssh of a droplet', () => {
  const made = dropletAnswers(on, 'valence-pod', { port: 22, dependsOn: [] })
  it.each([
    [{ open: true, reason: '' }, ['= 203.0.113.10:22 answers']],
    [{ open: false, reason: 'no answer' }, ['~ wait for ssh on 203.0.113.10:22 (no answer)']],
  ])('%o', (look, expected) => {
    expect(short(made.plan({ ssh: { address: '203.0.113.10', ...look } }, ahead))).toEqual(expected)
  })
})

describe('A record', () => {
  const made = addressRecord(on, 'pod.example.com', {
    ...{ what: 'the droplet', address: existingDroplet('valence-pod'), dependsOn: [] },
  })
  const record: DnsRecord = { id: 3, type: 'A', name: 'pod', data: '203.0.113.10', ttl: 1800 }
  const served = { addresses: ['203.0.113.10'], addresses6: [], unasked: null as string | null }
  const plan = (zones: Record<string, DnsRecord[] | null>, more = {}) =>
    short(
      made.plan(
        { holder: state, served: { ...served, ...more }, 'pod.example.com': null, 'example.com': null, ...zones },
        ahead,
      ),
    )

  it.each([
    [{}, {}, ['= DigitalOcean has no zone of it: make the record A pod.example.com → 203.0.113.10']],
    [{ 'example.com': [] }, {}, ['+ A record pod.example.com → 203.0.113.10']],
    [{ 'example.com': [record] }, {}, ['= 203.0.113.10 in zone example.com']],
    [{ 'example.com': [record] }, { addresses: [] }, ['~ wait until pod.example.com is served as 203.0.113.10']],
    [
      { 'example.com': [record] },
      { addresses: [], unasked: 'ETIMEOUT' },
      ['= 203.0.113.10 in zone example.com; its name servers cannot be asked from here: ETIMEOUT'],
    ],
    [
      { 'example.com': [{ ...record, data: '198.51.100.7' }] },
      {},
      ['~ A record pod.example.com 198.51.100.7 → 203.0.113.10 (downtime)'],
    ],
    [
      { 'example.com': [record, { ...record, data: '198.51.100.7' }] },
      {},
      ['! pod.example.com has 2 A records (203.0.113.10, 198.51.100.7), and only 203.0.113.10 is the droplet'],
    ],
    [
      { 'example.com': [{ ...record, type: 'CNAME', data: 'x.net.' }] },
      {},
      ['! pod.example.com is an alias of x.net., beside which no A record can be'],
    ],
    // Other names and other types are not ours.
    [
      {
        'example.com': [
          { ...record, name: 'www' },
          { ...record, type: 'TXT' },
        ],
      },
      {},
      ['+ A record pod.example.com → 203.0.113.10'],
    ],
    [{ 'pod.example.com': [], 'example.com': [record] }, {}, ['+ A record pod.example.com → 203.0.113.10']],
    [{ 'pod.example.com': [{ ...record, name: '@' }] }, {}, ['= 203.0.113.10 in zone pod.example.com']],
  ])('%o, served %o', (zones, more, expected) => {
    expect(plan(zones, more)).toEqual(expected)
  })
})

describe('cloud firewall', () => {
  const made = cloudFirewall(on, { name: 'pod', droplet: 'valence-pod', tcp: [22, 443], dependsOn: [] })
  const everybody = { addresses: ['0.0.0.0/0', '::/0'] }
  const inbound = ['22', '443'].map((ports) => ({ protocol: 'tcp', ports, peers: everybody }))
  const outbound = ['tcp', 'udp', 'icmp'].map((protocol) => ({ protocol, ports: 'all', peers: everybody }))
  const firewall: CloudFirewall = { id: 'f', name: 'pod', inbound, outbound, droplets: [7, 9], tags: [] }

  it.each([
    [[], ['+ cloud firewall pod (in: 22, 443)']],
    [[firewall], ['= in: 22, 443']],
    [[{ ...firewall, droplets: [9] }], ['~ cloud firewall pod: stand before valence-pod']],
    [
      [{ ...firewall, inbound: [{ protocol: 'tcp', ports: '22', peers: { tags: ['bastion'] } }, ...inbound.slice(1)] }],
      ['~ cloud firewall pod: open tcp 22; close tcp 22 (tags bastion)'],
    ],
    [[{ ...firewall, outbound: outbound.slice(0, 2) }], ['~ cloud firewall pod: open icmp (outgoing)']],
    [[firewall, firewall], ['! there are 2 cloud firewalls of the name pod']],
  ])('%o', (found, expected) => {
    expect(short(made.plan({ droplet: state, found }, ahead))).toEqual(expected)
  })
})

describe('answers of the API', () => {
  // As in the examples of the public OpenAPI description.
  const example = {
    id: 3164444,
    name: 'example.com',
    status: 'active',
    image: { id: 63663980, name: '20.04 (LTS) x64', distribution: 'Ubuntu', slug: 'ubuntu-20-04-x64' },
    size_slug: 's-1vcpu-1gb',
    networks: {
      v4: [
        { ip_address: '10.128.192.124', netmask: '255.255.0.0', gateway: 'nil', type: 'private' },
        { ip_address: '192.241.165.154', netmask: '255.255.255.0', gateway: '192.241.165.1', type: 'public' },
      ],
      v6: [{ ip_address: '2604:A880:0000::1', netmask: 64, gateway: '2604:a880::ff', type: 'public' }],
    },
    region: { name: 'New York 3', slug: 'nyc3' },
    tags: ['web'],
  }

  it('a droplet', () => {
    expect(droplets('example.com').parse(good({ droplets: [example] }))).toEqual([
      {
        ...{ id: 3164444, name: 'example.com', status: 'active', size: 's-1vcpu-1gb', region: 'nyc3' },
        ...{ image: 'ubuntu-20-04-x64', address: '192.241.165.154', tags: ['web'] },
        address6: '2604:A880:0000::1',
      },
    ])
    expect(droplets('x').parse(blankAnswer)).toEqual([])
    expect(() => droplets('x').parse({ code: 500, stdout: '', stderr: 'fault' })).toThrow('500: fault')
  })

  it('what needs a droplet is not known while there is none', () => {
    const question = existingDroplet('x')
    expect(() => question.parse(good({ droplets: [] }))).toThrow('there is no droplet x yet')
    const young = { ...example, networks: { v4: [], v6: [] } }
    expect(() => question.parse(good({ droplets: [young] }))).toThrow('no public address yet')
    expect(question.parse(good({ droplets: [example] })).address).toBe('192.241.165.154')
    expect(() => question.parse(good({ droplets: [example, { ...young, id: 7 }] }))).toThrow(
      'there are 2 droplets of the name x: 3164444 (192.241.165.154, active), 7 (no address, active)',
    )
  })

  it('a size', () => {
    const answer = good({ sizes: [{ slug: 's-1vcpu-1gb', price_monthly: 6, regions: ['nyc1'], available: true }] })
    expect(sizeOffer('s-1vcpu-1gb').parse(answer)).toEqual({ monthly: 6, regions: ['nyc1'], available: true })
    expect(sizeOffer('s-9').parse(answer)).toBeNull()
    expect(sizeOffer('s-9').parse(blankAnswer)).toBeUndefined()
  })

  it('a key, by the fingerprint that ssh-keygen -E md5 says', () => {
    const base64 = 'AAAAC3NzaC1lZDI1NTE5AAAAIGbU3GZA2deOGdL6V9pXBatKlCIO1+ivwCV4xc2LXbjA'
    expect(keyFingerprint(base64)).toBe('af:81:ee:e9:e8:d7:81:da:f2:dc:81:37:3b:da:01:e7')
    expect(accountKey('x').parse(good({ ssh_key: { id: 1, name: 'laptop' } }))).toBe('laptop')
    expect(accountKey('x').parse(missing)).toBeNull()
  })

  it('a firewall, whose "0" means all ports', () => {
    const rule = { protocol: 'tcp', ports: '0', destinations: { addresses: ['::/0'], tags: [] } }
    const answer = good({ firewalls: [{ id: 'f', name: 'pod', inbound_rules: null, outbound_rules: [rule] }] })
    expect(cloudFirewalls('pod').parse(answer)).toEqual([
      {
        ...{ id: 'f', name: 'pod', inbound: [], droplets: [], tags: [] },
        outbound: [{ protocol: 'tcp', ports: 'all', peers: { addresses: ['::/0'] } }],
      },
    ])
  })

  it('the zones of a name', () => {
    expect(zonesOf('matrix.pod.example.com')).toEqual(['matrix.pod.example.com', 'pod.example.com', 'example.com'])
  })
})
