import { keepingTemplates, keepsNoClass } from '../../command/claim-templates.ts'
import {
  explainKubectl as explain,
  type KubeObject,
  keyOf,
  kubectlApply,
  kubectlDelete,
  type ObjectRef,
  ownLabels,
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
import { type TerminatingNamespace, terminatingNamespaces } from '../../facts/kubernetes/namespace.ts'
import { ownExtension, ownObjects, type ScriptObject } from '../../facts/kubernetes/objects.ts'
import { type StorageState, storageState } from '../../facts/kubernetes/storage.ts'
import {
  type ClaimVariables,
  deleteSet,
  hasClaims,
  refuseMissingClass,
  refuseStuckClaim,
  refuseTemplates,
  unusedClaims,
} from './claims.ts'
import { lostFiles, partsOfOthers, refuseVolumeKind, type Settable, tellLost } from './foreign-parts.ts'
import { refuseTerminating } from './namespace.ts'

/** What a step makes for pods: `from` names it, `what` is told in the plan (`its new image`). */
export interface PodInput {
  readonly from: Dependency
  readonly what: string
}

export interface ManifestsOptions {
  /** The script that the objects belong to, and the workspace: by these labels they are known again. */
  readonly script: string
  readonly workspace: string
  /** Remove what carries the script's labels and is not declared any more, instead of telling of it. */
  readonly prune: boolean
  readonly dependsOn?: readonly Dependency[]
  /**
   * What is made for the pods before: an image, a key. It is read from elsewhere, so that the cluster cannot say yet what
   * will differ; as long as it is pending, new pods are announced.
   */
  readonly podInputs?: readonly PodInput[]
  /** A kind that not every cluster knows, of which the script may have objects, and what to do where it does not. */
  readonly extension?: { readonly kind: string; readonly remedy: string }
  /** The variables that volumes come from, by the name of their StatefulSet or PersistentVolumeClaim. */
  readonly claimVariables?: Readonly<Record<string, ClaimVariables>>
  /** Variables of containers that the workspace's environment may set and does not: what others set them to is kept. */
  readonly settable?: readonly string[]
}

/** What holds data, or all the rest: it is never pruned. */
const keptKinds = ['Namespace', 'PersistentVolumeClaim']

/** What gives somebody rights. One that is not declared any more goes in any case: a right that lingers is never wanted. */
const grants = ['ClusterRoleBinding', 'RoleBinding']

/**
 * The Kubernetes objects of one script, by server-side apply. What is there is adopted: fields that are not ours to say
 * keep their values, those that are get ours whoever set them. What cannot be changed in place is refused.
 */
export function manifests(on: Target, desired: readonly KubeObject[], options: ManifestsOptions): Step {
  const objects = desired.map((object) => labelled(object, options))
  const holder = objects.find(hasClaims)
  const spaces = namespacesOf(objects)
  return step({
    id: `manifests ${options.script}`,
    on,
    ask: {
      state: manifestsState(objects),
      own: ownObjects(options.workspace),
      ...(options.extension && { more: ownExtension(options.workspace, options.extension.kind) }),
      // Without a name all of the cluster would be asked for.
      ...(spaces.length > 0 && { terminating: terminatingNamespaces(spaces) }),
      ...(holder && { storage: storageState(holder.metadata.namespace ?? 'default') }),
    },
    dependsOn: [...(options.dependsOn ?? []), ...(options.podInputs ?? []).map(({ from }) => from)],
    plan: ({ state, own, more = [], terminating = [], storage }, { pending }) =>
      decide(objects, options, { state, own: [...own, ...more], terminating, pending, storage }),
  })
}

interface Now {
  readonly state: ManifestsState
  readonly own: readonly ScriptObject[]
  readonly terminating: readonly TerminatingNamespace[]
  readonly pending: readonly string[]
  /** Undefined where nothing needs a volume, or there is no cluster yet. */
  readonly storage: StorageState | undefined
}

function decide(objects: readonly KubeObject[], options: ManifestsOptions, now: Now): Decision {
  const { script, prune, podInputs = [] } = options
  const { state, own, pending } = now
  const refused = refuseAny(objects, options, now)
  if (refused) return refused
  const coming = podInputs.filter(({ from }) => pending.includes(idOf(from))).map(({ what }) => what)
  if (state.notYet.length > 0 && coming.length === 0)
    return refuse(state.notYet.join('; '), 'An earlier script makes it: run without --tags.')
  const byKey = new Map(
    objects.map((object) => [keyOf(refOf(object)), keepingTemplates(object, templatesOf(object, state))]),
  )
  const apply = (keys: readonly string[]) => [
    kubectlApply([...byKey].filter(([key]) => keys.includes(key)).map(([, object]) => object)),
  ]
  const list: Change[] = []
  for (const [key, object] of byKey) {
    const ref = refOf(object)
    const options = { explain, batch: { key: `apply ${script}`, items: [key], run: apply } }
    const changed = state.changed.get(key)
    const namespaceMissing = ref.namespace !== undefined && state.missingNamespaces.includes(ref.namespace)
    if (state.blank || namespaceMissing || changed?.before === null)
      list.push(create(sayObject(ref), apply([key]), options))
    else if (changed) list.push(update(say(changed), apply([key]), { ...options, ...costOf(changed, object) }))
    else if (coming.length > 0 && hasPods(object)) {
      const what = `${sayObject(ref)}: ${coming.join(' and ')}`
      list.push(update(what, apply([key]), { ...options, risk: restartRisk(object) }))
    }
  }
  const unwanted = own.filter((one) => one.component === script && !byKey.has(keyOf(one)))
  const toPrune = unwanted.filter(({ kind }) => (prune ? !keptKinds.includes(kind) : grants.includes(kind)))
  for (const one of toPrune) list.push(remove(sayObject(one), kubectlDelete(one), { risk: pruneRisk(one), explain }))
  const left = unwanted.filter((one) => !toPrune.includes(one)).map(tellUnwanted)
  const warned = state.warnings.map((text) => `the API server warns: ${text}`)
  return noting(changes(list, `${objects.length} objects`), [
    ...warned,
    ...notesOfPods(byKey, state, { names: options.settable ?? [], file: `.env.${options.workspace}` }),
    ...notesOfClaims(objects, options, now),
    ...left,
  ])
}

/** The namespaces that objects are in, and those that are among them. */
const namespacesOf = (objects: readonly KubeObject[]): readonly string[] =>
  [
    ...new Set(
      objects.flatMap(({ kind, metadata }) => (kind === 'Namespace' ? metadata.name : (metadata.namespace ?? []))),
    ),
  ].sort()

/**
 * What stops a plan: a namespace that is being deleted, what admission control denies, what cannot be changed in place, and
 * volumes that could not be made or would lose their data.
 */
function refuseAny(objects: readonly KubeObject[], options: ManifestsOptions, now: Now): Decision | undefined {
  const { state, terminating, storage } = now
  const { claimVariables = {} } = options
  const [going] = terminating
  if (going) return refuseTerminating(going)
  if (state.unknownKind) {
    const { kind, version } = state.unknownKind
    const install = `Install what brings this kind to the cluster, then deploy: kubectl api-resources --api-group=${version.split('/')[0]} shows what it has.`
    return refuse(
      `the cluster does not know the kind ${kind} (${version})`,
      [install, options.extension?.remedy ?? ''].join(' ').trim(),
    )
  }
  if (state.denied) return refuse(`${state.denied.by} denied the request: ${state.denied.words}`, state.denied.remedy)
  if (state.refused) {
    const { object: called, reason } = state.refused
    const object = objects.find(({ kind, metadata }) => `${kind} ${metadata.name}` === called)
    const why =
      object &&
      (object.kind === 'StatefulSet'
        ? refuseTemplates(object, templatesOf(object, state), storage, claimVariables[object.metadata.name])
        : storage && refuseStuckClaim(object, storage, claimVariables[object.metadata.name]))
    const kind = object && refuseVolumeKind(object, reason)
    if (kind) return kind
    return why ?? refuse(`${called} cannot become as it shall be: ${reason}`, remedyOf(called, object, reason))
  }
  const resized = [...state.changed.values()]
    .map((one) => refuseSize(one, claimVariables[one.name]))
    .find((wrong) => wrong !== undefined)
  return resized ?? (storage && refuseMissingClass(objects, storage, claimVariables))
}

/** What others keep in our pods, and what is lost with those that are there. */
const notesOfPods = (
  byKey: ReadonlyMap<string, KubeObject>,
  { changed }: ManifestsState,
  settable: Settable,
): string[] =>
  [...byKey].flatMap(([key, object]) => {
    const change = changed.get(key)
    return change
      ? [...lostFiles(change).map((lost) => tellLost(object, lost)), ...partsOfOthers(object, change, settable)]
      : []
  })

function notesOfClaims(objects: readonly KubeObject[], { claimVariables = {} }: ManifestsOptions, now: Now): string[] {
  const kept = objects.filter((object) => keepsNoClass(object, templatesOf(object, now.state)))
  return [
    ...kept.map((object) => `${sayObject(refOf(object))} names no storage class and keeps the volumes that it has`),
    ...objects.flatMap((object) =>
      now.storage ? unusedClaims(object, now.storage, claimVariables[object.metadata.name]) : [],
    ),
  ]
}

const templatesOf = ({ metadata }: KubeObject, { claimTemplates }: ManifestsState) =>
  claimTemplates.get(`${metadata.namespace ?? 'default'}/${metadata.name}`) ?? []

function labelled(object: KubeObject, options: ManifestsOptions): KubeObject {
  const labels = { ...object.metadata.labels, ...ownLabels(options) }
  return { ...object, metadata: { ...object.metadata, labels } }
}

function say(changed: ObjectChange): string {
  const { keys, takenOver } = changed
  const values = keys.length > 0 ? `: ${keys.join(', ')}` : ''
  const others = takenOver.map((fields) => `took over from ${fields}`).join('; ')
  const paths = [...new Set(lostFiles(changed).map(({ path }) => path))]
  const lost = paths.length > 0 ? `, the files at ${paths.join(' and ')}` : ''
  return `${sayObject(changed)}${values}${lost}${others ? ` (${others})` : ''}`
}

function costOf(changed: ObjectChange, object: KubeObject): { risk: Risk; diff: Diff } {
  const { kind, before, after, template } = changed
  const path = `${kind} ${changed.namespace ? `${changed.namespace}/` : ''}${changed.name}`
  const diff: Diff = kind === 'Secret' ? { kind: 'secret', path } : { kind: 'text', path, before: before ?? '', after }
  const lost = lostFiles(changed).length > 0
  return { risk: lost ? 'data' : template ? restartRisk(object) : 'safe', diff }
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
  kind === 'Secret' ? 'data' : ['Deployment', 'StatefulSet', 'HTTPRoute'].includes(kind) ? 'downtime' : 'safe'

function tellUnwanted(one: ObjectRef): string {
  const how = keptKinds.includes(one.kind)
    ? `it holds data, so remove it by hand: ${kubectlDelete(one).line.replace(/ --ignore-not-found.*/, '')}`
    : 'deploy -- --prune removes it'
  return `${sayObject(one)} is not declared any more; ${how}`
}

// The cloud would let it grow: for more money, and for good.
function refuseSize(
  { kind, name, namespace = '', resized }: ObjectChange,
  variables: ClaimVariables | undefined,
): Decision | undefined {
  if (!resized) return undefined
  const { from, to } = resized
  const patch = JSON.stringify({ spec: { resources: { requests: { storage: to } } } })
  return refuse(
    `volume ${name} has ${from} instead of ${to}, and a volume keeps its size here`,
    `${variables ? `Set ${variables.size}=${from}` : `Set the variable back to ${from}`}. To have it grow, which is billed and can never be undone, do it yourself, then deploy: ${sh`kubectl patch ${kind.toLowerCase()} ${name} -n ${namespace} -p ${patch}`.line}`,
  )
}

function remedyOf(called: string, object: KubeObject | undefined, reason: string): string {
  if (called.startsWith('PersistentVolumeClaim'))
    return 'A volume keeps its size and class here, since its data would be lost with it. Set the variable back, or move the data by hand.'
  if (object?.kind === 'StatefulSet')
    return `It is never replaced here. Take it away yourself, which leaves its pods and volumes, then deploy: ${deleteSet(object).line}`
  if (object && /immutable|Forbidden|cannot change/.test(reason)) {
    const { kind, name, namespace } = refOf(object)
    const { line } = sh`kubectl delete ${kind.toLowerCase()} ${name}`
    return `It is never replaced here: that would take down what runs. Delete it by hand when you accept that, then deploy: ${line}${namespace ? ` -n ${namespace}` : ''}`
  }
  return 'Correct the variable that this value comes from.'
}
