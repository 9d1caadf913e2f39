import { type Check, check, type Finding, fail, ok, warn } from '@infra/shared/engine/check'
import { kubernetesClusters, runningCluster } from '@infra/shared/facts/digitalocean/kubernetes'
import { type KubeCredentials, kubeCredentials } from '@infra/shared/facts/kubernetes/credentials'
import { kubeconfigState } from '@infra/shared/facts/kubernetes/kubeconfig'
import { clusterDifferences } from '@infra/shared/steps/digitalocean/kubernetes'
import type { ClusterContext } from '../context.ts'
import { desiredCluster } from '../scripts/00-kubernetes.ts'

/** The DOKS cluster, and the way into it. */
export function kubernetesChecks(context: ClusterContext): readonly Check[] {
  const { doks, env } = context
  if (!doks) return [ownCredentials(context)]
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
        const different = clusterDifferences(desiredCluster(context), cluster)
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

/** Of a kubeconfig that is not ours to renew: how long its credentials last, as far as they tell. */
function ownCredentials({ kube }: ClusterContext): Check {
  return check(kube, {
    id: 'kubernetes.credentials',
    about: 'the credentials of KUBE_CONTEXT last for a while',
    remedy: 'Get the kubeconfig anew from whoever runs the cluster, before they end.',
    ask: { credentials: kubeCredentials() },
    judge: ({ credentials }) => judgeCredentials(credentials, new Date()),
  })
}

/** From 30 days before their end a warning; what does not say when it ends is told as that, and passes. */
export function judgeCredentials({ kind, program, until }: KubeCredentials, now: Date): Finding {
  if (kind === 'none') return warn('the context names none')
  if (kind === 'program') return ok(`renewed by ${program}: when they end is its business`)
  const what = kind === 'certificate' ? 'client certificate' : 'token'
  if (!until || Number.isNaN(until.getTime())) return ok(`${what} that does not say when it ends`)
  const days = Math.floor((until.getTime() - now.getTime()) / 86_400_000)
  const told = `${what} until ${until.toISOString().slice(0, 10)}`
  if (days < 0) return fail(`${told}: it has ended`)
  return days < 30 ? warn(`${told}: ${days} days left`) : ok(`${told}, ${days} days`)
}
