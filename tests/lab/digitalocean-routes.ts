import { createHash, randomUUID } from 'node:crypto'
import {
  type DomainRecord,
  type Droplet,
  dropletBody,
  type Firewall,
  images,
  type Key,
  keptRule,
  type Rule,
  recordBody,
  sizes,
} from './digitalocean-data.ts'
import type { DigitalOceanFake } from './digitalocean-fake.ts'

/** An answer that refuses, as the API words it. */
export class ApiError extends Error {
  readonly status: number
  readonly id: string

  constructor(status: number, id: string, message: string) {
    super(message)
    this.status = status
    this.id = id
  }
}

export const invalid = (message: string) => new ApiError(422, 'unprocessable_entity', message)
export const absent = () => new ApiError(404, 'not_found', 'The resource you requested could not be found.')

export type Body = Record<string, unknown>
/** A text is answered as YAML. */
export type Answer = [status: number, body?: object | string]
/** What a request does. `parts` are the groups of its path. */
export type Route = [method: string, path: RegExp, (parts: string[], body: Body, query: URLSearchParams) => Answer]

/** A page of a list, with the links that the real API gives: they name its own host. */
export function page(key: string, list: readonly object[], path: string, query: URLSearchParams): Answer {
  const size = Math.min(200, Number(query.get('per_page') ?? 20))
  const number = Number(query.get('page') ?? 1)
  const last = Math.max(1, Math.ceil(list.length / size))
  const link = (to: number) => {
    const params = new URLSearchParams(query)
    params.set('page', String(to))
    return `https://api.digitalocean.com${path}?${params}`
  }
  const pages = {
    ...(number > 1 && { first: link(1), prev: link(number - 1) }),
    ...(number < last && { next: link(number + 1), last: link(last) }),
  }
  const links = Object.keys(pages).length > 0 ? { pages } : {}
  return [200, { [key]: list.slice((number - 1) * size, number * size), links, meta: { total: list.length } }]
}

export type State = Omit<DigitalOceanFake, 'endpoint' | 'stop'>

/** The endpoints that are used, over the state of an account. */
export function routesOf(fake: State, newId: () => number): Route[] {
  const zone = (name = '') => {
    const records = fake.domains.get(name)
    if (!records) throw absent()
    return records
  }
  const addTag = (name: string) => {
    if (!/^[a-zA-Z0-9_\-:]{1,255}$/.test(name)) throw invalid('Tag name is invalid')
    fake.tags.add(name)
  }
  return [
    [
      'GET',
      /^\/v2\/droplets$/,
      (_parts, _body, query) => {
        const [name, tag] = [query.get('name')?.toLowerCase(), query.get('tag_name')]
        const found = fake.droplets.filter(
          (droplet) => (!name || droplet.name.toLowerCase() === name) && (!tag || droplet.tags.includes(tag)),
        )
        return page('droplets', found.map(dropletBody), '/v2/droplets', query)
      },
    ],
    [
      'POST',
      /^\/v2\/droplets$/,
      (_parts, body) => {
        const {
          name,
          size,
          region,
          image,
          ssh_keys = [],
          tags = [],
        } = body as unknown as Droplet & { ssh_keys?: string[] }
        if (!/^[a-zA-Z0-9]?[a-z0-9A-Z.-]*[a-z0-9A-Z]$/.test(name ?? ''))
          throw invalid('Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)')
        const offer = sizes.find(({ slug }) => slug === size)
        if (!offer) throw invalid('You specified an invalid size for Droplet creation.')
        if (!offer.regions.includes(region)) throw invalid('Size is not available in this region.')
        if (!images.some(({ slug }) => slug === image))
          throw invalid('You specified an invalid image for Droplet creation.')
        const strange = ssh_keys.filter((key) => !fake.keys.some(({ fingerprint }) => fingerprint === key))
        if (strange.length > 0) throw invalid(`${strange.join(', ')} are invalid key identifiers for Droplet creation.`)
        if (fake.droplets.length >= fake.limit)
          throw invalid('creating this/these droplet(s) will exceed your droplet limit')
        tags.forEach(addTag)
        const made = fake.add({ name, size, region, image, keys: ssh_keys, tags, status: 'new' })
        made.active = Date.now() + fake.bootMs
        const actions = [{ id: newId(), rel: 'create', href: 'https://api.digitalocean.com/v2/actions/7515' }]
        return [202, { droplet: dropletBody(made), links: { actions } }]
      },
    ],
    ['GET', /^\/v2\/sizes$/, (_parts, _body, query) => page('sizes', sizes, '/v2/sizes', query)],
    [
      'GET',
      /^\/v2\/images\/([^/]+)$/,
      ([name]) => {
        const image = images.find(({ slug, id }) => slug === name || String(id) === name)
        if (!image) throw absent()
        return [200, { image }]
      },
    ],
    [
      'GET',
      /^\/v2\/account\/keys\/([^/]+)$/,
      ([name]) => {
        const ssh_key = fake.keys.find(({ fingerprint, id }) => fingerprint === name || String(id) === name)
        if (!ssh_key) throw absent()
        return [200, { ssh_key }]
      },
    ],
    [
      'POST',
      /^\/v2\/account\/keys$/,
      (_parts, body) => {
        const { name, public_key } = body as unknown as Key
        const [type = '', base64 = ''] = String(public_key).split(' ')
        if (!/^(ssh|ecdsa|sk)-/.test(type) || !base64)
          throw invalid('Key invalid, key should be of the format `type key [comment]`')
        const digest = createHash('md5').update(Buffer.from(base64, 'base64')).digest('hex')
        const fingerprint = (digest.match(/../g) ?? []).join(':')
        if (fake.keys.some((key) => key.fingerprint === fingerprint))
          throw invalid('SSH Key is already in use on your account')
        const ssh_key = { id: newId(), fingerprint, public_key, name }
        fake.keys.push(ssh_key)
        return [201, { ssh_key }]
      },
    ],
    [
      'GET',
      /^\/v2\/tags\/([^/]+)$/,
      ([name = '']) => {
        if (!fake.tags.has(name)) throw absent()
        return [200, { tag: tagBody(fake, name) }]
      },
    ],
    [
      'POST',
      /^\/v2\/tags$/,
      (_parts, body) => {
        addTag(String(body.name))
        return [201, { tag: tagBody(fake, String(body.name)) }]
      },
    ],
    [
      'POST',
      /^\/v2\/tags\/([^/]+)\/resources$/,
      ([name = ''], body) => {
        if (!fake.tags.has(name)) throw absent()
        for (const { resource_id, resource_type } of body.resources as {
          resource_id: string
          resource_type: string
        }[]) {
          const droplet = fake.droplets.find(({ id }) => resource_type === 'droplet' && String(id) === resource_id)
          if (!droplet) throw absent()
          if (!droplet.tags.includes(name)) droplet.tags.push(name)
        }
        return [204]
      },
    ],
    ...firewallRoutes(fake),
    [
      'GET',
      /^\/v2\/domains\/([^/]+)\/records$/,
      ([name], _body, query) =>
        page('domain_records', zone(name).map(recordBody), `/v2/domains/${name}/records`, query),
    ],
    [
      'POST',
      /^\/v2\/domains\/([^/]+)\/records$/,
      ([name], body) => {
        const { type, name: host, data, ttl = 1800 } = body as unknown as DomainRecord
        assertAddress(type, data)
        const record = { id: newId(), type, name: host, data, ttl }
        zone(name).push(record)
        return [201, { domain_record: recordBody(record) }]
      },
    ],
    [
      'PATCH',
      /^\/v2\/domains\/([^/]+)\/records\/(\d+)$/,
      ([name, id], body) => {
        const record = zone(name).find((record) => String(record.id) === id)
        if (!record) throw absent()
        assertAddress(record.type, String(body.data))
        Object.assign(record, body)
        return [200, { domain_record: recordBody(record) }]
      },
    ],
  ]
}

function firewallRoutes(fake: State): Route[] {
  const check = (body: Body): Omit<Firewall, 'id'> => {
    const { name, inbound_rules = [], outbound_rules = [], droplet_ids = [], tags = [] } = body as unknown as Firewall
    if (!/^[a-zA-Z0-9][a-zA-Z0-9.-]+$/.test(name)) throw invalid('Name is invalid.')
    for (const { protocol, ports } of [...inbound_rules, ...outbound_rules] as Rule[])
      if (protocol !== 'icmp' && ports !== 'all' && !/^[1-9]\d*(-[1-9]\d*)?$/.test(ports ?? ''))
        throw invalid('You must specify a positive value for ports.')
    if (droplet_ids.some((id) => !fake.droplets.some((droplet) => droplet.id === id)))
      throw invalid('failed to find one or more Droplets')
    return {
      name,
      inbound_rules: inbound_rules.map(keptRule),
      outbound_rules: outbound_rules.map(keptRule),
      droplet_ids,
      tags,
    }
  }
  const show = (firewall: Firewall) => ({
    ...firewall,
    status: 'succeeded',
    created_at: '2026-11-22T02:00:00Z',
    pending_changes: [],
  })
  return [
    [
      'GET',
      /^\/v2\/firewalls$/,
      (_parts, _body, query) => page('firewalls', fake.firewalls.map(show), '/v2/firewalls', query),
    ],
    [
      'POST',
      /^\/v2\/firewalls$/,
      (_parts, body) => {
        const made = { id: randomUUID(), ...check(body) }
        if (fake.firewalls.some(({ name }) => name === made.name)) throw new ApiError(409, 'conflict', 'duplicate name')
        fake.firewalls.push(made)
        return [202, { firewall: { ...show(made), status: 'waiting' } }]
      },
    ],
    [
      'PUT',
      /^\/v2\/firewalls\/([^/]+)$/,
      ([id], body) => {
        const firewall = fake.firewalls.find((firewall) => firewall.id === id)
        if (!firewall) throw absent()
        Object.assign(firewall, check(body))
        return [200, { firewall: show(firewall) }]
      },
    ],
  ]
}

const tagBody = (fake: State, name: string) => ({
  name,
  resources: { count: fake.droplets.filter(({ tags }) => tags.includes(name)).length },
})

function assertAddress(type: string, data: string): void {
  if (type === 'A' && !/^\d+\.\d+\.\d+\.\d+$/.test(data))
    throw invalid('Data needs to be an IPv4 address: IP address did not match IPv4 format (e.g. 127.0.0.1).')
}
