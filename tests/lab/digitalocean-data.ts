// Shapes as in the public OpenAPI description (github.com/digitalocean/openapi, commit 7c1300c of August 2026); what
// nobody reads is left out of nested objects only.

export interface Droplet {
  id: number
  name: string
  size: string
  region: string
  image: string
  keys: string[]
  tags: string[]
  address: string
  status: 'new' | 'active' | 'off' | 'archive'
  /** When a new one becomes active, in milliseconds since 1970. */
  active: number
}

export interface Key {
  id: number
  fingerprint: string
  public_key: string
  name: string
}

export interface DomainRecord {
  id: number
  type: string
  name: string
  data: string
  ttl: number
}

export interface Rule {
  protocol: string
  ports?: string
  sources?: Record<string, (string | number)[]>
  destinations?: Record<string, (string | number)[]>
}

export interface Firewall {
  id: string
  name: string
  inbound_rules: Rule[]
  outbound_rules: Rule[]
  droplet_ids: number[]
  tags: string[]
}

const regions = ['nyc1', 'nyc3', 'fra1', 'tor1']

export const sizes = [
  {
    slug: 's-1vcpu-1gb',
    memory: 1024,
    vcpus: 1,
    disk: 25,
    transfer: 1,
    price_monthly: 6,
    price_hourly: 0.00893,
    regions,
  },
  {
    slug: 's-2vcpu-4gb',
    memory: 4096,
    vcpus: 2,
    disk: 80,
    transfer: 4,
    price_monthly: 24,
    price_hourly: 0.03571,
    regions,
  },
  {
    ...{
      slug: 's-4vcpu-8gb',
      memory: 8192,
      vcpus: 4,
      disk: 160,
      transfer: 5,
      price_monthly: 48,
      price_hourly: 0.07143,
    },
    regions,
  },
  {
    ...{ slug: 'g-2vcpu-8gb', memory: 8192, vcpus: 2, disk: 25, transfer: 4, price_monthly: 63, price_hourly: 0.09375 },
    regions: ['fra1'],
  },
].map((size) => ({
  ...size,
  available: true,
  description: 'Basic',
  disk_info: [{ type: 'local', size: { amount: size.disk, unit: 'gib' } }],
}))

export const images = [
  {
    id: 63663980,
    name: '24.04 (LTS) x64',
    distribution: 'Ubuntu',
    slug: 'ubuntu-24-04-x64',
    public: true,
    type: 'base',
  },
  { id: 63663981, name: '12 x64', distribution: 'Debian', slug: 'debian-12-x64', public: true, type: 'base' },
].map((image) => ({
  ...image,
  regions,
  created_at: '2024-04-25T00:00:00Z',
  min_disk_size: 7,
  size_gigabytes: 0.59,
  description: image.name,
  tags: [],
  status: 'available',
}))

/** A droplet as the API answers it: without networks until it is active. */
export function dropletBody(droplet: Droplet): object {
  const size = sizes.find(({ slug }) => slug === droplet.size)
  const up = droplet.status !== 'new'
  return {
    id: droplet.id,
    name: droplet.name,
    memory: size?.memory,
    vcpus: size?.vcpus,
    disk: size?.disk,
    disk_info: size?.disk_info,
    locked: droplet.status === 'new',
    status: droplet.status,
    kernel: null,
    created_at: '2026-11-22T02:00:00Z',
    features: ['droplet_agent', 'private_networking'],
    backup_ids: [],
    next_backup_window: null,
    snapshot_ids: [],
    image: images.find(({ slug }) => slug === droplet.image) ?? { id: 1, name: droplet.image, slug: null },
    volume_ids: [],
    size,
    size_slug: droplet.size,
    networks: {
      v4: up
        ? [
            { ip_address: '10.108.0.2', netmask: '255.255.240.0', gateway: 'nil', type: 'private' },
            { ip_address: droplet.address, netmask: '255.255.240.0', gateway: '203.0.113.1', type: 'public' },
          ]
        : [],
      v6: [],
    },
    region: { name: droplet.region, slug: droplet.region, features: [], available: true, sizes: [] },
    tags: droplet.tags,
    vpc_uuid: '760e09ef-dc84-11e8-981e-3cfdfeaae000',
  }
}

/** A record as the API answers it: what its type has no use for is null. */
export const recordBody = (record: DomainRecord) => ({
  ...record,
  priority: null,
  port: null,
  weight: null,
  flags: null,
  tag: null,
})

/** Rules as the API keeps them: "all" becomes "0", which it does not take itself. */
export const keptRule = (rule: Rule): Rule => ({
  ...rule,
  ports: !rule.ports || rule.ports === 'all' ? '0' : rule.ports,
})
