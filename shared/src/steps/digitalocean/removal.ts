import { doDeleteCluster, doUntil, explainDo as explain } from '../../command/digitalocean.ts'
import { sh } from '../../command/sh.ts'
import { changes, type Dependency, noting, refuse, remove, type Step, step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import {
  allClusters,
  type ClusterLeftOvers,
  clusterLeftOvers,
  type KubernetesState,
  kubernetesClusters,
  statePath,
} from '../../facts/digitalocean/kubernetes.ts'
import { type KubeconfigState, kubeconfigState } from '../../facts/kubernetes/kubeconfig.ts'

export interface ClusterRemoval {
  /** As it was found; undefined when there is none. */
  readonly cluster: KubernetesState | undefined
  readonly name: string
  /** Only one that carries this tag is ours. */
  readonly tag: string
  /** The kubeconfig that leads to it, which goes with it. */
  readonly kubeconfig: string
  readonly dependsOn: readonly Dependency[]
}

interface Now {
  readonly found: readonly KubernetesState[] | undefined
  readonly file: KubeconfigState | null
  readonly left?: ClusterLeftOvers
}

/** No DOKS cluster, nor the kubeconfig for it. What its services and volumes made at DigitalOcean is told, and stays. */
export function noCluster(on: Target, { cluster, name, tag, kubeconfig, dependsOn }: ClusterRemoval): Step {
  return step({
    id: `no kubernetes cluster ${name}`,
    on,
    dependsOn,
    ask: {
      found: kubernetesClusters(name),
      file: kubeconfigState(kubeconfig),
      ...(cluster && { left: clusterLeftOvers(cluster.id) }),
    },
    plan({ found, file, left }: Now) {
      const [now] = found ?? []
      const leads = file ? [remove('its kubeconfig', sh`rm -f ${kubeconfig}`)] : []
      if (!now) return changes(leads, 'there is none')
      if (!now.tags.includes(tag))
        return refuse(
          `Kubernetes cluster ${name} was not made here (no tag ${tag}), so it is not deleted here`,
          `Leave out --cluster, or delete it yourself: doctl kubernetes cluster delete ${now.id}`,
        )
      // The kubeconfig only when the cluster goes: a token that may not delete it leaves the way in.
      const run = [
        doDeleteCluster(now.id),
        sh`rm -f ${kubeconfig}`,
        doUntil(allClusters, statePath(name), 'undefined', 900),
      ]
      const nodes = now.pools.reduce((sum, { count }) => sum + count, 0)
      const notes = left
        ? [
            ...left.loadBalancers.map((one) => `load balancer ${one} is left over, and billed on`),
            ...left.volumes.map((one) => `volume ${one} is left over at DigitalOcean, and billed on`),
            ...left.snapshots.map((one) => `snapshot ${one} is left over at DigitalOcean, and billed on`),
          ]
        : []
      const what = `kubernetes cluster ${name} (${nodes} nodes, ${now.region}), all that runs in it`
      return noting(changes([remove(what, run, { risk: 'data', explain })], ''), notes)
    },
  })
}
