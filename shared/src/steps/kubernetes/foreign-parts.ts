import { type KubeObject, refOf, sayObject } from '../../command/kubectl.ts'
import { sh } from '../../command/sh.ts'
import { type Decision, refuse } from '../../engine/step.ts'
import type { ObjectChange } from '../../facts/kubernetes/manifests.ts'
import { type Named, type PodSpec, podSpecOf } from '../../facts/kubernetes/pod-spec.ts'

/** What the API server says for us where nobody says it. */
const defaults = {
  pod: ['restartPolicy', 'terminationGracePeriodSeconds', 'dnsPolicy', 'securityContext', 'schedulerName'].concat([
    'serviceAccount',
    'enableServiceLinks',
  ]),
  container: ['terminationMessagePath', 'terminationMessagePolicy', 'imagePullPolicy', 'resources', 'securityContext'],
}

/** Values that say what holds anyway: Terraform's provider writes some of them into every pod, the API server the others. */
const sayingNothing: Readonly<Record<string, unknown>> = {
  ...{ shareProcessNamespace: false, automountServiceAccountToken: true, privileged: false, procMount: 'Default' },
  ...{ successThreshold: 1, failureThreshold: 3, periodSeconds: 10, timeoutSeconds: 1, scheme: 'HTTP' },
}

/** Lists whose items are merged by a key, and how one is called. */
const lists = {
  pod: {
    containers: ['name', 'container'],
    initContainers: ['name', 'init container'],
    volumes: ['name', 'volume'],
    imagePullSecrets: ['name', 'pull secret'],
  },
  container: {
    env: ['name', 'variable'],
    volumeMounts: ['mountPath', 'mount'],
    ports: ['containerPort', 'port'],
  },
} as const satisfies Record<string, Readonly<Record<string, readonly [key: string, call: string]>>>

/** A part that is not ours, and the strategic merge patch of what holds it that takes it away. */
interface Part {
  readonly say: string
  readonly patch: Readonly<Record<string, unknown>>
  /** The name of a variable of a container. */
  readonly variable?: string
}

/** Variables of containers that a file of variables may set: nobody shall be told to take them away. */
export interface Settable {
  readonly names: readonly string[]
  /** `.env.cluster` */
  readonly file: string
}

type Level = keyof typeof lists

/** Parts of what is there afterwards that are not in what is wanted. */
function partsOf(level: Level, wanted: Named, after: Named): Part[] {
  const merged: Readonly<Record<string, readonly [string, string]>> = lists[level]
  return Object.entries(after).flatMap(([field, value]): Part[] => {
    const list = merged[field]
    if (list && Array.isArray(value)) return itemsOf(field, list, (wanted[field] ?? []) as Named[], value as Named[])
    return defaults[level].includes(field) && wanted[field] === undefined ? [] : fieldsOf(field, wanted[field], value)
  })
}

/** A field that nobody here says, or such parts of one, which then is an object. */
function fieldsOf(field: string, wanted: unknown, after: unknown): Part[] {
  if (after === null || sayingNothing[field] === after) return []
  if (wanted === undefined) return [{ say: field, patch: { [field]: null } }]
  if (!isObject(wanted) || !isObject(after)) return []
  return Object.entries(after).flatMap(([inner, value]) =>
    fieldsOf(inner, wanted[inner], value).map(({ say, patch }) => ({
      say: `${field}.${say}`,
      patch: { [field]: patch },
    })),
  )
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function itemsOf(
  field: string,
  [key, call]: readonly [string, string],
  wanted: readonly Named[],
  after: readonly Named[],
) {
  return after.flatMap((item): Part[] => {
    const own = wanted.find((one) => one[key] === item[key])
    const patched = (part: object) => ({ [field]: [{ [key]: item[key], ...part }] })
    const variable = field === 'env' && { variable: String(item[key]) }
    if (!own) return [{ say: `${call} ${item[key]}`, patch: patched({ $patch: 'delete' }), ...variable }]
    if (field !== 'containers' && field !== 'initContainers') return []
    return partsOf('container', own, item).map(({ say, patch, ...rest }) => ({
      ...rest,
      say: `${say} of ${call} ${item[key]}`,
      patch: patched(patch),
    }))
  })
}

/**
 * What others put into the pods of an object and a deployment leaves there, since it has no say about it: a line each, and
 * the command that takes all of it away. No value is told.
 */
export function partsOfOthers(
  object: KubeObject,
  { pods }: ObjectChange,
  { names, file }: Settable = { names: [], file: '' },
): readonly string[] {
  const wanted = podSpecOf(object.spec)
  if (!wanted || !pods) return []
  const all = partsOf('pod', wanted, pods.after)
  if (all.length === 0) return []
  const isSettable = ({ variable }: Part) => variable !== undefined && names.includes(variable)
  const [parts, unset] = [all.filter((part) => !isSettable(part)), all.filter(isSettable)]
  const { kind, name, namespace = 'default' } = refOf(object)
  // Our containers mount these as long as nothing is deployed; after that nobody does.
  const used = mountsOf(pods.before).filter(({ container }) =>
    wanted.containers?.some(({ name }) => name === container),
  )
  const isUsed = ({ volumes = [] }: { readonly volumes?: readonly Named[] }) =>
    volumes.some(({ name }) => used.some(({ volume }) => volume === name))
  const patches = parts.map(({ patch }) => patch).filter((patch) => !isUsed(patch))
  const spec = patches.reduce(mergePatches, {})
  const template = { template: { spec } }
  const patch = JSON.stringify({ spec: kind === 'CronJob' ? { jobTemplate: { spec: template } } : template })
  const { line } = sh`kubectl patch ${kind.toLowerCase()} ${name} -n ${namespace} -p ${patch}`
  const called = sayObject({ kind, name })
  return [
    ...unset.map(
      ({ say, variable }) =>
        `${called}: ${say} stays as others set it: ${variable} in ${file} says it from here, and is not set`,
    ),
    ...parts.map(({ say }) => `${called}: ${say} is not ours and stays in its pods`),
    ...twoPlaces(called, wanted, pods.after),
    ...(patches.length > 0
      ? [`${called}: where nobody needs what is not ours, take it away, then deploy: ${line}`]
      : []),
  ]
}

type Patch = Readonly<Record<string, unknown>>

/** Two patches as one: what both say of one item of a list is said together. */
function mergePatches(one: Patch, other: Patch): Patch {
  const result: Record<string, unknown> = { ...one }
  for (const [field, value] of Object.entries(other)) {
    const held = result[field]
    if (!Array.isArray(held) || !Array.isArray(value)) {
      result[field] = isObject(held) && isObject(value) ? mergePatches(held, value) : value
      continue
    }
    const items = [...(held as Patch[])]
    for (const item of value as Patch[]) {
      const key = ['name', 'mountPath', 'containerPort'].find((key) => item[key] !== undefined) ?? 'name'
      const at = items.findIndex((own) => own[key] === item[key])
      if (at < 0) items.push(item)
      else items[at] = mergePatches(items[at] as Patch, item)
    }
    result[field] = items
  }
  return result
}

interface Mount {
  readonly container: string
  readonly path: string
  readonly volume: string
}

const mountsOf = ({ containers = [] }: PodSpec): readonly Mount[] =>
  containers.flatMap(({ name, volumeMounts = [] }) =>
    (volumeMounts as Named[]).map(({ mountPath, name: volume }) => ({
      container: String(name),
      path: String(mountPath),
      volume: String(volume),
    })),
  )

/** Containers of others that have another volume than ours have at the same path: each sees files of its own. */
function twoPlaces(called: string, wanted: PodSpec, after: PodSpec): string[] {
  const ours = mountsOf(wanted)
  const names = new Set(wanted.containers?.map(({ name }) => name))
  return mountsOf(after).flatMap(({ container, path, volume }) => {
    const own = ours.find((one) => one.path === path && one.volume !== volume)
    if (!own || names.has(container)) return []
    return [
      `${called}: at ${path} container ${container} sees volume ${volume}, and ${own.container} another one, ${own.volume}`,
    ]
  })
}

/** Files of a pod that are gone for good with it: they lie in an emptyDir in whose place another volume comes. */
export interface LostFiles {
  readonly container: string
  readonly path: string
  readonly volume: string
}

export function lostFiles({ pods }: ObjectChange): readonly LostFiles[] {
  if (!pods) return []
  const { before, after } = pods
  const isEmptyDir = (name: string) =>
    before.volumes?.some((volume) => volume.name === name && volume.emptyDir !== undefined) === true
  const later = mountsOf(after)
  return mountsOf(before).filter(
    ({ container, path, volume }) =>
      isEmptyDir(volume) &&
      later.some((one) => one.container === container && one.path === path && one.volume !== volume),
  )
}

/** How to keep files that would be lost. */
export function tellLost(object: KubeObject, { container, path, volume }: LostFiles): string {
  const { kind, name, namespace = 'default' } = refOf(object)
  const at = sh`-n ${namespace} ${`${kind.toLowerCase()}/${name}`} -c ${container} -- tar -C ${path}`.line
  return `${sayObject({ kind, name })}: the files at ${path} of container ${container} lie in its volume ${volume} and go with the pod if that is an emptyDir. To keep them, before: kubectl exec ${at} -cf - . >${name}.tar; afterwards: kubectl exec -i ${at} -xf - <${name}.tar`
}

/**
 * Where the API server refuses pods because a volume of one of our names is of another kind there, which no manifest can
 * say differently: what makes it ours.
 */
export function refuseVolumeKind(object: KubeObject, reason: string): Decision | undefined {
  const [, kind] = reason.match(/volumes\[\d+\]\.(\w+): Forbidden: may not specify more than 1 volume type/) ?? []
  const wanted = podSpecOf(object.spec)
  const ours = wanted?.volumes?.filter((volume) => kind !== undefined && volume[kind] !== undefined) ?? []
  if (!wanted || ours.length === 0) return undefined
  const ref = refOf(object)
  const patched = ours.map((volume) => ({ ...volume, $retainKeys: Object.keys(volume) }))
  const patch = JSON.stringify({ spec: { template: { spec: { volumes: patched } } } })
  const { line } = sh`kubectl patch ${ref.kind.toLowerCase()} ${ref.name} -n ${ref.namespace ?? 'default'} -p ${patch}`
  const names = ours.map(({ name }) => String(name))
  const places = mountsOf(wanted).filter(({ volume }) => names.includes(volume))
  const [first] = places
  return refuse(
    `${sayObject(ref)} has a volume of the name ${names.join(', ')} that is no ${kind}`,
    `${first ? `${tellLost(object, first)}. ` : ''}Make it one, then deploy: ${line}`,
  )
}
