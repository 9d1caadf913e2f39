import { doAnswer, doGet, doList } from '../../command/digitalocean.ts'
import type { Question } from '../../engine/step.ts'

export interface NodePool {
  readonly name: string
  readonly size: string
  readonly count: number
}

export interface KubernetesState {
  readonly id: string
  readonly name: string
  readonly region: string
  /** `1.36.0-do.0`. */
  readonly version: string
  /** A control plane of several machines. */
  readonly ha: boolean
  readonly autoUpgrade: boolean
  /** `running`, `provisioning`, `upgrading`, `degraded`, `error`, `deleted`. */
  readonly state: string
  /** The URL of the API server; empty for its first minutes. */
  readonly endpoint: string
  readonly pools: readonly NodePool[]
  readonly tags: readonly string[]
}

/** What new clusters may be made of. */
export interface KubernetesOffer {
  readonly regions: readonly string[]
  readonly versions: readonly string[]
  readonly sizes: readonly string[]
}

/** The request for all clusters of the account: the API does not search them by name. */
export const allClusters = doList('/v2/kubernetes/clusters')

/** Where {@link allClusters} answers the state of one. */
export const statePath = (name: string): string => `kubernetes_clusters.name=${name}.status.state`

/** The clusters of a name; undefined in a blank account. */
export function kubernetesClusters(name: string): Question<readonly KubernetesState[] | undefined> {
  return {
    command: allClusters,
    parse: (output) =>
      doAnswer<{ kubernetes_clusters: ApiCluster[] }>(output)
        ?.kubernetes_clusters.filter((cluster) => cluster.name === name)
        .map(readCluster),
  }
}

/** The cluster of a name. Throws while it is not there or not yet running. */
export function runningCluster(name: string): Question<KubernetesState> {
  return {
    command: allClusters,
    parse(output) {
      const [cluster] = kubernetesClusters(name).parse(output) ?? []
      if (!cluster) throw new Error(`there is no Kubernetes cluster ${name} yet`)
      if (cluster.state === 'provisioning') throw new Error(`Kubernetes cluster ${name} is being made`)
      return cluster
    },
  }
}

/** What is offered for new clusters; undefined in a blank account. */
export function kubernetesOffer(): Question<KubernetesOffer | undefined> {
  return {
    command: doGet('/v2/kubernetes/options'),
    parse(output) {
      const options = doAnswer<{ options: ApiOptions }>(output)?.options
      const slugs = (list: readonly { slug: string }[]) => list.map(({ slug }) => slug)
      return (
        options && {
          regions: slugs(options.regions),
          versions: slugs(options.versions),
          sizes: slugs(options.sizes),
        }
      )
    },
  }
}

/** What a cluster has made beside its nodes, and leaves behind when it is deleted: names, or ids. */
export interface ClusterLeftOvers {
  readonly loadBalancers: readonly string[]
  readonly volumes: readonly string[]
  readonly snapshots: readonly string[]
}

/** The load balancers, volumes and snapshots of a cluster. */
export function clusterLeftOvers(id: string): Question<ClusterLeftOvers> {
  return {
    command: doGet(`/v2/kubernetes/clusters/${id}/destroy_with_associated_resources`),
    parse(output) {
      const found = doAnswer<Readonly<Record<string, readonly { id: string; name?: string }[] | null>>>(output)
      const names = (key: string) => (found?.[key] ?? []).map(({ id, name }) => name ?? id)
      return {
        loadBalancers: names('load_balancers'),
        volumes: names('volumes'),
        snapshots: names('volume_snapshots'),
      }
    },
  }
}

function readCluster(cluster: ApiCluster): KubernetesState {
  return {
    id: cluster.id,
    name: cluster.name,
    region: cluster.region,
    version: cluster.version,
    ha: cluster.ha === true,
    autoUpgrade: cluster.auto_upgrade === true,
    state: cluster.status?.state ?? 'unknown',
    endpoint: cluster.endpoint ?? '',
    pools: (cluster.node_pools ?? []).map(({ name, size, count }) => ({ name, size, count })),
    tags: cluster.tags ?? [],
  }
}

// The parts of the API's answers that are read.
interface ApiCluster {
  id: string
  name: string
  region: string
  version: string
  ha?: boolean
  auto_upgrade?: boolean
  status?: { state: string }
  endpoint?: string
  node_pools?: NodePool[]
  tags?: string[] | null
}
interface ApiOptions {
  regions: { slug: string }[]
  versions: { slug: string }[]
  sizes: { slug: string }[]
}
