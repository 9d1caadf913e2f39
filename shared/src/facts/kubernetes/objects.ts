import type { Output } from '../../command/command.ts'
import { kubeGet } from '../../command/kube-get.ts'
import { component, fieldManager, kubectlFault, managedBy, type ObjectRef, partOf } from '../../command/kubectl.ts'
import type { Question } from '../../engine/step.ts'

/** One of our objects as it is, with how far its rollout has come where it has one. */
export interface OwnObject extends ObjectRef {
  /** The script it belongs to. */
  readonly component: string | undefined
  /** The second (since 1970) at which what it holds was last renewed. */
  readonly renewed: number | undefined
  /** The region of AWS that its pods are told to work in. */
  readonly region: string | undefined
  readonly generation: number
  readonly observed: number
  readonly replicas: number
  readonly total: number
  readonly updated: number
  readonly ready: number
  readonly available: number
  /** Of a Deployment: `NewReplicaSetAvailable`, `ReplicaSetUpdated`, `ProgressDeadlineExceeded` … */
  readonly progress: string | undefined
  /** Of a StatefulSet: all pods are of its newest revision. */
  readonly revised: boolean
}

/** Says when what an object holds was renewed, in seconds since 1970. */
export const renewedAt = 'infra/renewed-at'

const kinds = [
  ['namespaces', 'deployments.apps', 'statefulsets.apps', 'cronjobs.batch', 'jobs.batch'],
  ['services', 'configmaps', 'secrets', 'serviceaccounts', 'persistentvolumeclaims'],
  ['networkpolicies.networking.k8s.io', 'roles.rbac.authorization.k8s.io', 'rolebindings.rbac.authorization.k8s.io'],
  ['clusterroles.rbac.authorization.k8s.io', 'clusterrolebindings.rbac.authorization.k8s.io'],
].flat()

// Only these are printed: a Secret's data is none of them.
const paths = [
  '.kind',
  '.metadata.namespace',
  '.metadata.name',
  `.metadata.labels.${component.replaceAll('.', '\\.')}`,
  `.metadata.annotations.${renewedAt}`,
  '.spec.template.spec.containers[0].env[?(@.name=="AWS_REGION")].value',
  '.spec.jobTemplate.spec.template.spec.containers[0].env[?(@.name=="AWS_REGION")].value',
  '.metadata.generation',
  '.status.observedGeneration',
  '.spec.replicas',
  '.status.replicas',
  '.status.updatedReplicas',
  '.status.readyReplicas',
  '.status.availableReplicas',
  '.status.conditions[?(@.type=="Progressing")].reason',
  '.status.currentRevision',
  '.status.updateRevision',
]

/** All objects that carry the labels of a workspace, in every namespace. One `kubectl get`. */
export function ownObjects(workspace: string): Question<readonly OwnObject[]> {
  const command = kubeGet({ kinds, selector: ownSelector(workspace), print: { as: 'columns', paths } })
  return { command, parse: parseObjects }
}

/** One of our objects, of which only its owner is known. */
export type ScriptObject = ObjectRef & Pick<OwnObject, 'component'>

/**
 * Objects with the labels of a workspace of a kind that not every cluster knows, such as
 * `httproutes.gateway.networking.k8s.io`; none where it does not know the kind. One `kubectl get`.
 */
export function ownExtension(workspace: string, kind: string): Question<readonly ScriptObject[]> {
  const print = { as: 'columns', paths: paths.slice(0, 4) } as const
  return {
    command: kubeGet({ kinds: [kind], selector: ownSelector(workspace), print }),
    parse({ code, stdout, stderr }) {
      if (code === 127 || /doesn't have a resource type/.test(stderr)) return []
      if (code !== 0) throw kubectlFault({ code, stderr })
      return linesOf(stdout).map(([kind = '', namespace, name = '', script]) => ({
        ...{ kind, namespace, name, component: script },
      }))
    },
  }
}

/** One of them; null when there is none. */
export function findObject(objects: readonly OwnObject[], wanted: ObjectRef): OwnObject | null {
  const { kind, namespace, name } = wanted
  return objects.find((one) => one.kind === kind && one.namespace === namespace && one.name === name) ?? null
}

export function parseObjects({ code, stdout, stderr }: Output): OwnObject[] {
  if (code === 127) return []
  if (code !== 0) throw kubectlFault({ code, stderr })
  return linesOf(stdout).map((cells) => {
    const [kind = '', namespace, name = '', script, renewed, podRegion, jobRegion, ...rest] = cells
    const [generation, observed, replicas, total, updated, ready, available] = rest.map(Number)
    const [progress, current, update] = rest.slice(7)
    return {
      kind,
      namespace,
      name,
      component: script,
      renewed: renewed === undefined ? undefined : Number(renewed),
      region: podRegion ?? jobRegion,
      generation: generation || 0,
      observed: observed || 0,
      replicas: replicas || 0,
      total: total || 0,
      updated: updated || 0,
      ready: ready || 0,
      available: available || 0,
      progress,
      revised: current === update,
    }
  })
}

/** Lines of columns, as `custom-columns` prints them. */
const linesOf = (stdout: string): (string | undefined)[][] =>
  stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(/\s+/).map((cell) => (cell === '<none>' ? undefined : cell)))

/** What {@link ownObjects} looks through, with their labels, for other questions about the same objects. */
export const ownPlace = (workspace: string) => ({
  kinds: kinds.join(','),
  selector: ownSelector(workspace),
})

const ownSelector = (workspace: string) => `${managedBy}=${fieldManager},${partOf}=${workspace}`
