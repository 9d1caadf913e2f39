import { doSend, doUnless, doUntil, explainDo as explain } from '../../command/digitalocean.ts'
import { type Change, changes, create, type Decision, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type SizeOffer, sizeOffer } from '../../facts/digitalocean/droplet.ts'
import {
  allClusters,
  type KubernetesOffer,
  type KubernetesState,
  kubernetesClusters,
  kubernetesOffer,
  statePath,
} from '../../facts/digitalocean/kubernetes.ts'

export interface KubernetesOptions {
  /** The command that makes it, for messages. */
  readonly createCommand: string
  readonly name: string
  readonly region: string
  /** The slug of a version, a minor one (`1.36`), or `latest`. */
  readonly version: string
  /** The slug of the nodes' size. */
  readonly size: string
  readonly count: number
  readonly ha: boolean
  readonly autoUpgrade: boolean
  /** By it a cluster that was made here is known again. */
  readonly tag: string
  /** Whether one that is not there may be made, which costs money. */
  readonly create: boolean
  /** US dollars a month: of a node by size, for a plan that cannot ask, and of a control plane that is `ha`. */
  readonly prices: { readonly nodes: Readonly<Record<string, number>>; readonly ha: number }
}

interface Now {
  readonly found: readonly KubernetesState[] | undefined
  readonly offer: KubernetesOffer | undefined
  readonly size: SizeOffer | null | undefined
}

/** Seconds that a new cluster may take: most run within 10 minutes. */
const timeoutSeconds = 2400

/**
 * A DOKS cluster, known by its name. One that is there is used as it is: it is never resized, upgraded, tagged, replaced
 * or deleted here. One that is not there is made only when that was asked for; refused with the price otherwise.
 */
export function kubernetesCluster(on: Target, desired: KubernetesOptions): Step {
  const { name, size } = desired
  return step({
    id: `kubernetes cluster ${name}`,
    on,
    ask: { found: kubernetesClusters(name), offer: kubernetesOffer(), size: sizeOffer(size) },
    plan: (now) => decide(desired, now),
  })
}

function decide(desired: KubernetesOptions, now: Now): Decision {
  const [cluster, ...others] = now.found ?? []
  if (!cluster) {
    const wrong = refuseOffer(desired, now)
    if (wrong) return wrong
    return now.found && !desired.create ? refuseAbsent(desired, now) : changes([creation(desired, now)], '')
  }
  if (others.length > 0)
    return refuse(
      `there are ${others.length + 1} Kubernetes clusters of the name ${desired.name}`,
      `Give the right one a name of its own (doctl kubernetes cluster update ID --cluster-name NAME; the IDs: ${[cluster, ...others].map(({ id }) => id).join(', ')}), and set DO_CLUSTER_NAME to it.`,
    )
  if (cluster.state === 'running' || cluster.state === 'degraded') return changes([], describeCluster(desired, cluster))
  if (cluster.state === 'provisioning' || cluster.state === 'upgrading')
    return changes([update(`kubernetes cluster ${desired.name} ${cluster.state} → running`, running(desired.name))], '')
  return refuse(
    `Kubernetes cluster ${desired.name} is ${cluster.state}`,
    `See it in the control panel (doctl kubernetes cluster get ${cluster.id}); when it is gone, run again.`,
  )
}

const running = (name: string) => doUntil(allClusters, statePath(name), 'running', timeoutSeconds)

function creation(desired: KubernetesOptions, now: Now): Change {
  const { name, region, version, size, count, ha, autoUpgrade, tag } = desired
  const body = {
    ...{ name, region, version, ha, auto_upgrade: autoUpgrade, surge_upgrade: true, tags: [tag] },
    node_pools: [{ name: `${name}-pool`, size, count, tags: [tag] }],
  }
  // Looked at once more right before: another run may have made it since.
  const make = doUnless(doSend('POST', '/v2/kubernetes/clusters', body), allClusters, statePath(name))
  return create(
    `kubernetes cluster ${name} (${specification(desired)}, ${price(desired, now)})`,
    [make, running(name)],
    {
      explain,
    },
  )
}

const specification = ({ region, version, size, count, ha, autoUpgrade }: KubernetesOptions): string =>
  [
    `${count} × ${size}`,
    region,
    version,
    ...(ha ? ['highly available'] : []),
    ...(autoUpgrade ? ['upgrades itself'] : []),
  ].join(', ')

/** `~$96/month`: the nodes, and the control plane where it is billed. */
function price({ size, count, ha, prices }: KubernetesOptions, now: Now): string {
  const node = now.size?.monthly ?? prices.nodes[size]
  return node === undefined ? 'price not known' : `~$${node * count + (ha ? prices.ha : 0)}/month`
}

function refuseAbsent(desired: KubernetesOptions, now: Now): Decision {
  return refuse(
    `there is no Kubernetes cluster ${desired.name}, and a new one costs ${price(desired, now)} (${specification(desired)})`,
    `To make it: ${desired.createCommand}. To use another one: DO_CLUSTER_NAME, or KUBECONFIG and KUBE_CONTEXT.`,
  )
}

function refuseOffer(desired: KubernetesOptions, { offer, size }: Now): Decision | undefined {
  if (!offer) return undefined
  const wrong = (variable: string, what: string, list: readonly string[]) =>
    refuse(`DigitalOcean has no ${what} for Kubernetes`, `Set ${variable} to one of: ${list.join(', ')}`)
  const { versions, regions, sizes } = offer
  // A version may be the beginning of one: the API takes the newest of it.
  if (
    desired.version !== 'latest' &&
    !versions.some((slug) => slug === desired.version || slug.startsWith(`${desired.version}.`))
  )
    return wrong('DO_CLUSTER_VERSION', `version ${desired.version}`, ['latest', ...versions])
  if (!regions.includes(desired.region)) return wrong('DO_CLUSTER_REGION', `region ${desired.region}`, regions)
  if (!sizes.includes(desired.size)) return wrong('DO_NODE_SIZE', `node size ${desired.size}`, sizes)
  if (!size || (size.available && size.regions.includes(desired.region))) return undefined
  const other = `Set DO_NODE_SIZE to another size (${sizes.filter((one) => one !== desired.size).join(', ')})`
  return refuse(
    `DigitalOcean does not offer ${desired.size} in ${desired.region}`,
    size.available && size.regions.length > 0
      ? `${other}, or DO_CLUSTER_REGION to one of: ${size.regions.join(', ')}`
      : `It is sold out everywhere. ${other}`,
  )
}

/** How a cluster differs from what a new one would be: told, never changed. */
export function clusterDifferences(desired: KubernetesOptions, cluster: KubernetesState): string[] {
  const pools = cluster.pools.map(({ size, count }) => `${count} × ${size}`).join(' + ') || 'no nodes'
  const version = desired.version === 'latest' || cluster.version.startsWith(desired.version)
  return [
    ...(pools === `${desired.count} × ${desired.size}`
      ? []
      : [`${pools} instead of ${desired.count} × ${desired.size}`]),
    ...(cluster.region === desired.region ? [] : [`in ${cluster.region} instead of ${desired.region}`]),
    ...(version ? [] : [`${cluster.version} instead of ${desired.version}`]),
    ...(cluster.ha === desired.ha ? [] : [cluster.ha ? 'highly available' : 'not highly available']),
    ...(cluster.autoUpgrade === desired.autoUpgrade
      ? []
      : [cluster.autoUpgrade ? 'upgrades itself' : 'does not upgrade itself']),
  ]
}

function describeCluster(desired: KubernetesOptions, cluster: KubernetesState): string {
  const pools = cluster.pools.map(({ size, count }) => `${count} × ${size}`).join(' + ')
  const different = clusterDifferences(desired, cluster)
  const left = different.length > 0 ? `; left as it is: ${different.join(', ')}` : ''
  return `${cluster.state}, ${pools}, ${cluster.region}, ${cluster.version}${left}`
}
