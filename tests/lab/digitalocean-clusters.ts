import { randomUUID } from 'node:crypto'

// Shapes as in the public OpenAPI description (github.com/digitalocean/openapi, commit 083113b).

export interface NodePool {
  id: string
  name: string
  size: string
  count: number
  tags: string[]
  labels: Record<string, string> | null
  auto_scale: boolean
  min_nodes: number
  max_nodes: number
}

/** A real API server that stands behind a cluster. */
export interface Backing {
  readonly server: string
  /** PEM. */
  readonly authority: string
  readonly token: string
}

export interface Cluster {
  id: string
  name: string
  region: string
  version: string
  /** Without the two that the API adds. */
  tags: string[]
  pools: NodePool[]
  ha: boolean
  auto_upgrade: boolean
  surge_upgrade: boolean
  status: 'provisioning' | 'running' | 'degraded' | 'error'
  /** When a new one becomes running, in milliseconds since 1970. */
  running: number
  backing: Backing | undefined
  /** What the cluster has made in the account, and leaves there when it is deleted. */
  left: { load_balancers: Left[]; volumes: Left[]; volume_snapshots: Left[] }
}

interface Left {
  id: string
  name: string
}

/** The newest first. */
const versions = ['1.36.3', '1.35.7', '1.34.11'].map((version) => ({
  slug: `${version}-do.0`,
  kubernetes_version: version,
  supported_features: ['cluster-autoscaler', 'docr-integration', 'ha-control-plane', 'token-authentication'],
}))

const sizes = ['s-1vcpu-2gb', 's-2vcpu-4gb', 's-4vcpu-8gb', 'g-2vcpu-8gb'].map((slug) => ({ name: slug, slug }))

const regions = [
  { name: 'New York 1', slug: 'nyc1' },
  { name: 'Frankfurt 1', slug: 'fra1' },
  { name: 'Toronto 1', slug: 'tor1' },
]

export const clusterOptions = { regions, versions, sizes }

/** The published version that is meant: `latest`, a minor one, or a slug. */
export const findVersion = (desired: string): string | undefined =>
  versions.find(({ slug }) => desired === 'latest' || slug === desired || slug.startsWith(`${desired}.`))?.slug

const created = '2026-11-22T02:00:00Z'

/** A cluster as the API answers it: blank addresses until it runs. */
export function clusterBody(cluster: Cluster): object {
  const isUp = cluster.status !== 'provisioning'
  const own = ['k8s', `k8s:${cluster.id}`]
  return {
    id: cluster.id,
    name: cluster.name,
    region: cluster.region,
    version: cluster.version,
    cluster_subnet: '10.244.0.0/16',
    service_subnet: '10.245.0.0/16',
    vpc_uuid: '760e09ef-dc84-11e8-981e-3cfdfeaae000',
    ipv4: isUp && !cluster.ha ? new URL(serverOf(cluster)).hostname : ' ',
    endpoint: isUp ? serverOf(cluster) : ' ',
    tags: [...cluster.tags, ...own],
    node_pools: cluster.pools.map((pool) => poolBody(cluster, pool)),
    maintenance_policy: { start_time: '00:00', duration: '4h0m0s', day: 'any' },
    auto_upgrade: cluster.auto_upgrade,
    surge_upgrade: cluster.surge_upgrade,
    ha: cluster.ha,
    registry_enabled: false,
    status: { state: cluster.status, ...(isUp ? {} : { message: 'provisioning' }) },
    created_at: created,
    updated_at: created,
  }
}

/** A pool as the API answers it, its nodes under names that stay. */
export function poolBody(cluster: Cluster, pool: NodePool): object {
  const state = cluster.status === 'provisioning' ? 'provisioning' : 'running'
  const nodes = Array.from({ length: pool.count }, (_, at) => ({
    id: `${pool.id.slice(0, -2)}${String(at).padStart(2, '0')}`,
    name: `${pool.name}-3ni${at}`,
    status: { state },
    droplet_id: String(205545370 + at),
    created_at: created,
    updated_at: created,
  }))
  return { ...pool, tags: [...pool.tags, 'k8s', `k8s:${cluster.id}`, 'k8s:worker'], taints: [], nodes }
}

const serverOf = ({ backing, id }: Cluster): string => backing?.server ?? `https://${id}.k8s.ondigitalocean.com`

/** When a token given out now ends. */
const expiry = (seconds: number): string => new Date(Date.now() + (seconds || 7 * 86_400) * 1000).toISOString()

const authorityOf = ({ backing }: Cluster): string => Buffer.from(backing?.authority ?? '').toString('base64')

export const credentialsBody = (cluster: Cluster, seconds: number): object => ({
  server: serverOf(cluster),
  certificate_authority_data: authorityOf(cluster),
  client_certificate_data: null,
  client_key_data: null,
  token: cluster.backing?.token ?? randomUUID().replaceAll('-', ''),
  expires_at: expiry(seconds),
})

/** The file that the API answers with; doctl puts a call of itself in the token's place. */
export function kubeconfigText(cluster: Cluster): string {
  const [name, context] = [`do-${cluster.region}-${cluster.name}`, `do-${cluster.region}-${cluster.name}-admin`]
  return `apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: ${authorityOf(cluster)}
    server: ${serverOf(cluster)}
  name: ${name}
contexts:
- context:
    cluster: ${name}
    user: ${context}
  name: ${name}
current-context: ${name}
preferences: {}
users:
- name: ${context}
  user:
    token: ${cluster.backing?.token ?? randomUUID().replaceAll('-', '')}
`
}
