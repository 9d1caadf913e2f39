import {
  component,
  explainKubectl as explain,
  fieldManager,
  type KubeObject,
  keyOf,
  kubectlApply,
  kubectlDelete,
  managedBy,
  type ObjectRef,
  partOf,
  refOf,
  sayObject,
} from '../../command/kubectl.ts'
import { sh } from '../../command/sh.ts'
import {
  type Change,
  changes,
  create,
  type Decision,
  type Dependency,
  type Diff,
  idOf,
  noting,
  type Risk,
  refuse,
  remove,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type ManifestsState, manifestsState, type ObjectChange } from '../../facts/kubernetes/manifests.ts'
import { type OwnObject, ownObjects } from '../../facts/kubernetes/objects.ts'

/** What a step makes for pods: `from` names it, `what` is told in the plan (`its new image`). */
export interface PodInput {
  readonly from: Dependency
  readonly what: string
}

export interface ManifestsOptions {
  /** The script that the objects belong to, and the workspace: by these labels they are known again. */
  readonly script: string
  readonly workspace: string
  /** Remove what carries the script's labels and is no longer wanted, instead of telling of it. */
  readonly prune: boolean
  readonly dependsOn?: readonly Dependency[]
  /**
   * What is made for the pods before: an image, a key. It is read from elsewhere, so that the cluster cannot say yet what
   * will differ; as long as it is pending, new pods are announced.
   */
  readonly podInputs?: readonly PodInput[]
}

/** What holds data, or all the rest: it is never pruned. */
const keptKinds = ['Namespace', 'PersistentVolumeClaim']

/**
 * The Kubernetes objects of one script, by server-side apply. What is there is adopted: fields that are not ours to say
 * keep their values, those that are get ours whoever set them. What cannot be changed in place is refused.
 */
export function manifests(on: Target, wish: readonly KubeObject[], options: ManifestsOptions): Step {
  const objects = wish.map((object) => labelled(object, options))
  return step({
    id: `manifests ${options.script}`,
    on,
    ask: { state: manifestsState(objects), own: ownObjects(options.workspace) },
    dependsOn: [...(options.dependsOn ?? []), ...(options.podInputs ?? []).map(({ from }) => from)],
    plansPending: true,
    plan: ({ state, own }, { pending }) => decide(objects, options, { state, own, pending }),
  })
}

interface Now {
  readonly state: ManifestsState
  readonly own: readonly OwnObject[]
  readonly pending: readonly string[]
}

function decide(
  objects: readonly KubeObject[],
  { script, prune, podInputs = [] }: ManifestsOptions,
  { state, own, pending }: Now,
): Decision {
  if (state.refused) {
    const { object, reason } = state.refused
    return refuse(`${object} cannot become as it shall be: ${reason}`, remedyOf(object, reason))
  }
  const resized = [...state.changed.values()].map(refuseSize).find((wrong) => wrong !== undefined)
  if (resized) return resized
  const byKey = new Map(objects.map((object) => [keyOf(refOf(object)), object]))
  const apply = (keys: readonly string[]) => [
    kubectlApply([...byKey].filter(([key]) => keys.includes(key)).map(([, object]) => object)),
  ]
  const coming = podInputs.filter(({ from }) => pending.includes(idOf(from))).map(({ what }) => what)
  const list: Change[] = []
  for (const [key, object] of byKey) {
    const ref = refOf(object)
    const options = { explain, batch: { key: `apply ${script}`, items: [key], run: apply } }
    const changed = state.changed.get(key)
    const homeless = ref.namespace !== undefined && state.missingNamespaces.includes(ref.namespace)
    if (state.blank || homeless || changed?.before === null) list.push(create(sayObject(ref), apply([key]), options))
    else if (changed) list.push(update(say(changed), apply([key]), { ...options, ...costOf(changed, object) }))
    else if (coming.length > 0 && hasPods(object)) {
      const what = `${sayObject(ref)}: ${coming.join(' and ')}`
      list.push(update(what, apply([key]), { ...options, risk: restartRisk(object) }))
    }
  }
  const unwanted = own.filter((one) => one.component === script && !byKey.has(keyOf(one)))
  const doomed = prune ? unwanted.filter(({ kind }) => !keptKinds.includes(kind)) : []
  for (const one of doomed) list.push(remove(sayObject(one), kubectlDelete(one), { risk: pruneRisk(one), explain }))
  const left = unwanted.filter((one) => !doomed.includes(one)).map(tellUnwanted)
  return noting(changes(list, `${objects.length} objects`), left)
}

function labelled(object: KubeObject, { script, workspace }: ManifestsOptions): KubeObject {
  const labels = {
    ...object.metadata.labels,
    [managedBy]: fieldManager,
    [partOf]: workspace,
    [component]: script,
  }
  return { ...object, metadata: { ...object.metadata, labels } }
}

function say(changed: ObjectChange): string {
  const { keys, takenOver } = changed
  const values = keys.length > 0 ? `: ${keys.join(', ')}` : ''
  const others = takenOver.map((fields) => `took over from ${fields}`).join('; ')
  return `${sayObject(changed)}${values}${others ? ` (${others})` : ''}`
}

function costOf(changed: ObjectChange, object: KubeObject): { risk: Risk; diff: Diff } {
  const { kind, before, after, template } = changed
  const path = `${kind} ${changed.namespace ? `${changed.namespace}/` : ''}${changed.name}`
  const diff: Diff = kind === 'Secret' ? { kind: 'secret', path } : { kind: 'text', path, before: before ?? '', after }
  return { risk: template ? restartRisk(object) : 'safe', diff }
}

/** A CronJob starts its pods when their time has come. */
const hasPods = ({ kind }: KubeObject): boolean => kind === 'Deployment' || kind === 'StatefulSet'

interface Strategy {
  readonly type?: string
  readonly rollingUpdate?: { readonly maxSurge?: number | string }
}

/** Pods of a rolling Deployment are followed by new ones; others end before their followers begin. */
function restartRisk({ kind, spec }: KubeObject): Risk {
  const { type, rollingUpdate } = (spec as { strategy?: Strategy } | undefined)?.strategy ?? {}
  return kind === 'StatefulSet' || type === 'Recreate' || rollingUpdate?.maxSurge === 0 ? 'downtime' : 'restart'
}

const pruneRisk = ({ kind }: ObjectRef): Risk =>
  kind === 'Secret' ? 'data' : kind === 'Deployment' || kind === 'StatefulSet' ? 'downtime' : 'safe'

function tellUnwanted(one: ObjectRef): string {
  const how = keptKinds.includes(one.kind)
    ? `it holds data, so remove it by hand: ${kubectlDelete(one).line.replace(/ --ignore-not-found.*/, '')}`
    : 'deploy -- --prune removes it'
  return `${sayObject(one)} is no longer wanted; ${how}`
}

// The cloud would let it grow: for more money, and for good.
function refuseSize({ kind, name, namespace = '', resized }: ObjectChange): Decision | undefined {
  if (!resized) return undefined
  const { from, to } = resized
  const patch = JSON.stringify({ spec: { resources: { requests: { storage: to } } } })
  return refuse(
    `volume ${name} has ${from} instead of ${to}, and a volume keeps its size here`,
    `Set the variable back to ${from}. To have it grow, which is billed and can never be undone, do it yourself, then deploy: ${sh`kubectl patch ${kind.toLowerCase()} ${name} -n ${namespace} -p ${patch}`.line}`,
  )
}

function remedyOf(object: string, reason: string): string {
  if (object.startsWith('PersistentVolumeClaim'))
    return 'A volume keeps its size and class here, since its data would be lost with it. Set the variable back, or move the data by hand.'
  if (/immutable|Forbidden|cannot change/.test(reason))
    return 'It is never replaced here: that would take down what runs. Delete it by hand when you accept that (kubectl delete …), then deploy.'
  return 'Correct the variable that this value comes from.'
}
