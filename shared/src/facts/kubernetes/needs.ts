import { kubeGet } from '../../command/kube-get.ts'
import { keyOf, kubectlFault } from '../../command/kubectl.ts'
import type { Question } from '../../engine/step.ts'
import { ownPlace } from './objects.ts'
import { type Named, type PodSpec, podSpecOf } from './pod-spec.ts'

const kinds = ['deployments.apps', 'statefulsets.apps', 'cronjobs.batch']

/**
 * What the pods of a workspace's workloads cannot start without, by {@link keyOf} of both: service accounts, Secrets and
 * ConfigMaps. One `kubectl get`.
 */
export function podNeeds(workspace: string): Question<ReadonlyMap<string, ReadonlySet<string>>> {
  return {
    command: kubeGet({ kinds, selector: ownPlace(workspace).selector }),
    parse({ code, stdout, stderr }) {
      if (code === 127) return new Map()
      if (code !== 0) throw kubectlFault({ code, stderr })
      const { items } = JSON.parse(stdout) as { items: readonly ApiWorkload[] }
      return new Map(
        items.map(({ kind, metadata: { name, namespace }, spec }) => [
          keyOf({ kind, namespace, name }),
          new Set(needsOf(podSpecOf(spec) ?? {}).map(([kind, name]) => keyOf({ kind, namespace, name }))),
        ]),
      )
    },
  }
}

function needsOf(pod: PodSpec): [kind: string, name: string][] {
  const { serviceAccountName, imagePullSecrets = [], volumes = [], containers = [], initContainers = [] } = pod
  const at = (kind: string, part: unknown, field = 'name'): [string, string][] => {
    const name = (part as Named | undefined)?.[field]
    return typeof name === 'string' ? [[kind, name]] : []
  }
  const env = [...containers, ...initContainers].flatMap(({ env = [], envFrom = [] }) => [
    ...(env as Named[]).flatMap(({ valueFrom }) => [
      ...at('Secret', (valueFrom as Named | undefined)?.secretKeyRef),
      ...at('ConfigMap', (valueFrom as Named | undefined)?.configMapKeyRef),
    ]),
    ...(envFrom as Named[]).flatMap((one) => [...at('Secret', one.secretRef), ...at('ConfigMap', one.configMapRef)]),
  ])
  return [
    ...at('ServiceAccount', { name: serviceAccountName }),
    ...(imagePullSecrets as Named[]).flatMap((one) => at('Secret', one)),
    ...volumes.flatMap((one) => [...at('Secret', one.secret, 'secretName'), ...at('ConfigMap', one.configMap)]),
    ...env,
  ]
}

interface ApiWorkload {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec?: unknown
}
