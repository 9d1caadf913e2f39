import { randomUUID } from 'node:crypto'
import {
  type Cluster,
  clusterBody,
  clusterOptions,
  credentialsBody,
  findVersion,
  kubeconfigText,
  type NodePool,
  poolBody,
} from './digitalocean-clusters.ts'
import { absent, type Body, invalid, page, type Route, type State } from './digitalocean-routes.ts'

/** The endpoints of DigitalOcean's Kubernetes that are used, over the state of an account. */
export function clusterRoutes(fake: State): Route[] {
  const found = (id = ''): Cluster => {
    const cluster = fake.clusters.find((cluster) => cluster.id === id)
    if (!cluster) throw absent()
    return cluster
  }
  const remove = (id = '') => {
    const cluster = found(id)
    fake.clusters.splice(fake.clusters.indexOf(cluster), 1)
    return cluster
  }
  const on = (method: string, path: string, act: Route[2]): Route => [
    method,
    new RegExp(`^/v2/kubernetes/${path.replaceAll('ID', '([^/]+)')}$`),
    act,
  ]
  const clusters = '/v2/kubernetes/clusters'
  const upgrades = { available_upgrade_versions: null }
  return [
    on('GET', 'options', () => [200, { options: clusterOptions }]),
    on('GET', 'clusters', (_parts, _body, query) =>
      page('kubernetes_clusters', fake.clusters.map(clusterBody), clusters, query),
    ),
    on('POST', 'clusters', (_parts, body) => [
      201,
      { kubernetes_cluster: clusterBody(fake.addCluster(desired(body), true)) },
    ]),
    on('GET', 'clusters/ID', ([id]) => [200, { kubernetes_cluster: clusterBody(found(id)) }]),
    on('PUT', 'clusters/ID', ([id], body) => {
      const cluster = found(id)
      if (!body.name) throw invalid('name is required')
      const { name, tags, auto_upgrade, surge_upgrade } = { ...cluster, ...body } as Cluster
      Object.assign(cluster, { name, tags: tags.filter((tag) => !/^k8s(:|$)/.test(tag)), auto_upgrade, surge_upgrade })
      return [202, { kubernetes_cluster: clusterBody(cluster) }]
    }),
    on('DELETE', 'clusters/ID', ([id]) => {
      remove(id)
      return [204]
    }),
    on('GET', 'clusters/ID/destroy_with_associated_resources', ([id]) => [200, found(id).left]),
    on('DELETE', 'clusters/ID/destroy_with_associated_resources/(?:selective|dangerous)', ([id]) => {
      remove(id)
      return [204]
    }),
    on('GET', 'clusters/ID/kubeconfig', ([id]) => [200, kubeconfigText(found(id))]),
    on('GET', 'clusters/ID/credentials', ([id], _body, query) => [
      200,
      credentialsBody(found(id), Number(query.get('expiry_seconds') ?? 0)),
    ]),
    on('GET', 'clusters/ID/user', ([id]) => {
      found(id)
      return [200, { kubernetes_cluster_user: { username: 'sammy@example.com', groups: ['k8saas:authenticated'] } }]
    }),
    on('GET', 'clusters/ID/upgrades', ([id]) => [200, found(id) && upgrades]),
    on('GET', 'clusters/ID/node_pools', ([id], _body, query) => {
      const cluster = found(id)
      const bodies = cluster.pools.map((pool) => poolBody(cluster, pool))
      return page('node_pools', bodies, `${clusters}/${id}/node_pools`, query)
    }),
    on('GET', 'clusters/ID/node_pools/ID', ([id, pool]) => {
      const cluster = found(id)
      const node_pool = cluster.pools.find((one) => one.id === pool)
      if (!node_pool) throw absent()
      return [200, { node_pool: poolBody(cluster, node_pool) }]
    }),
    on('PUT', 'clusters/ID/node_pools/ID', ([id, pool], body) => {
      const cluster = found(id)
      const node_pool = cluster.pools.find((one) => one.id === pool)
      if (!node_pool) throw absent()
      const { id: _, size: __, ...changed } = desiredPool({ size: node_pool.size, ...body })
      Object.assign(node_pool, changed)
      return [202, { node_pool: poolBody(cluster, node_pool) }]
    }),
  ]
}

// What a request asks for, refused where the API refuses it.
function desired(body: Body): Partial<Cluster> {
  const { name, region, version, node_pools = [], tags = [], ha, auto_upgrade = false, surge_upgrade = false } = body
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(String(name ?? '')))
    throw invalid('validation error: invalid cluster name')
  if (!clusterOptions.regions.some(({ slug }) => slug === region)) throw invalid('validation error: invalid region')
  const slug = findVersion(String(version))
  if (slug === undefined) throw invalid('validation error: invalid version slug')
  const pools = (node_pools as Body[]).map(desiredPool)
  if (pools.length === 0) throw invalid('validation error: a cluster must have at least one node pool')
  return {
    ...{ name: String(name), region: String(region), version: slug, pools, tags: tags as string[] },
    ...{ auto_upgrade: auto_upgrade === true, surge_upgrade: surge_upgrade === true },
    // From 1.36 on it has to be said when the control plane shall be a single one.
    ha: typeof ha === 'boolean' ? ha : Number(slug.split('.')[1]) >= 36,
  }
}

function desiredPool(body: Body): NodePool {
  const { name, size, count = 0, tags = [], labels = null, auto_scale = false, min_nodes = 0, max_nodes = 0 } = body
  if (!name) throw invalid('validation error: node pool name is required')
  if (!clusterOptions.sizes.some(({ slug }) => slug === size)) throw invalid('validation error: invalid size slug')
  if (auto_scale !== true && Number(count) < 1) throw invalid('validation error: node pool count must be at least 1')
  return {
    ...{ id: randomUUID(), name: String(name), size: String(size), count: Number(count), tags: tags as string[] },
    ...{ labels: labels as NodePool['labels'], auto_scale: auto_scale === true },
    ...{ min_nodes: Number(min_nodes), max_nodes: Number(max_nodes) },
  }
}
