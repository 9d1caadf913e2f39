import { type Check, check, fail, ok, warn } from '@infra/shared/engine/check'
import { kubernetesClusters, runningCluster } from '@infra/shared/facts/do-kubernetes'
import { kubeconfigState } from '@infra/shared/facts/kubeconfig'
import { clusterDifferences } from '@infra/shared/steps/do-kubernetes'
import type { ClusterContext } from '../cluster-context.ts'
import { wishedCluster } from '../scripts/00-kubernetes.ts'

/** The DOKS cluster, and the way into it. */
export function kubernetesChecks(context: ClusterContext): readonly Check[] {
  const { doks, env } = context
  if (!doks) return []
  const name = env.DO_CLUSTER_NAME
  const { path, shown } = doks.kubeconfig
  return [
    check(doks.cloud, {
      id: 'kubernetes.cluster',
      about: `Kubernetes cluster ${name} runs`,
      remedy:
        'It is never changed here: change it in the control panel, or the variables (DO_NODE_SIZE …) to what it is.',
      ask: { found: kubernetesClusters(name) },
      judge({ found }) {
        const [cluster] = found ?? []
        if (!cluster) return fail('there is none')
        if (cluster.state !== 'running') return fail(`it is ${cluster.state}`)
        const different = clusterDifferences(wishedCluster(context), cluster)
        return different.length > 0 ? warn(different.join(', ')) : ok(`${cluster.version} in ${cluster.region}`)
      },
    }),
    check(doks.cloud, {
      id: 'kubernetes.kubeconfig',
      about: `${shown} leads to it, and is private`,
      remedy: 'npm run deploy -w cluster -- --tags kubernetes writes it anew.',
      ask: { cluster: runningCluster(name), now: kubeconfigState(path, doks.tokens) },
      judge({ cluster, now }) {
        if (!now) return fail('there is none')
        if (now.mode !== '-rw-------') return fail(`it is ${now.mode}`)
        if (now.renewed !== cluster.id) return fail('it leads to another cluster')
        return ok(`renewed by doctl${now.until ? `; the token of now ends ${now.until.toISOString()}` : ''}`)
      },
    }),
  ]
}
