import { type ClaimTemplate, claimName, claimTemplates, replicasOf } from '../../command/claim-templates.ts'
import type { KubeObject } from '../../command/kubectl.ts'
import { type Shell, sh } from '../../command/sh.ts'
import { type Decision, refuse } from '../../engine/step.ts'
import type { Claim, StorageState } from '../../facts/kubernetes/storage.ts'

/** The variables that the claims of an object come from, for remedies. */
export interface ClaimVariables {
  readonly size: string
  readonly storageClass: string
  /** Of a StatefulSet: the name of its claim template. Without it another name cannot be kept. */
  readonly name?: string
}

interface Wanted {
  readonly object: KubeObject
  readonly claim: string
  readonly storageClass: string | undefined
}

interface ClaimSpec {
  readonly storageClassName?: string
}

/** The claims that objects make: a PersistentVolumeClaim itself, a StatefulSet one for each template and pod. */
function claimsOf(object: KubeObject): readonly Wanted[] {
  if (object.kind === 'PersistentVolumeClaim') {
    const { storageClassName } = object.spec as ClaimSpec
    return [{ object, claim: object.metadata.name, storageClass: storageClassName }]
  }
  return claimTemplates(object).flatMap(({ metadata, spec }) =>
    Array.from({ length: replicasOf(object) }, (_, ordinal) => ({
      object,
      claim: claimName(metadata.name, object.metadata.name, ordinal),
      storageClass: spec.storageClassName,
    })),
  )
}

export const hasClaims = (object: KubeObject): boolean =>
  object.kind === 'PersistentVolumeClaim' || claimTemplates(object).length > 0

/** Refuses a storage class that the cluster has not, where a volume is still to be made of it: it would never be. */
export function refuseMissingClass(
  objects: readonly KubeObject[],
  { classes, claims }: StorageState,
  variables: Readonly<Record<string, ClaimVariables>>,
): Decision | undefined {
  const isBound = (name: string) => claims.some((claim) => claim.name === name && claim.bound)
  const wrong = objects
    .flatMap(claimsOf)
    .find(({ claim, storageClass }) => storageClass && !classes.includes(storageClass) && !isBound(claim))
  if (!wrong) return undefined
  const variable = variables[wrong.object.metadata.name]?.storageClass
  const list = classes.length > 0 ? classes.join(', ') : 'it has none at all'
  return refuse(
    `there is no storage class ${wrong.storageClass} in the cluster: volume ${wrong.claim} would never be made`,
    `${variable ? `Set ${variable} to a class of the cluster` : 'Name a class of the cluster'}: ${list}.`,
  )
}

/** Where the API server refuses a StatefulSet for its claim templates: what differs, and what to do about each. */
export function refuseTemplates(
  object: KubeObject,
  existing: readonly ClaimTemplate[],
  storage: StorageState | undefined,
  variables: ClaimVariables | undefined,
): Decision | undefined {
  const wanted = claimTemplates(object)
  const { name } = object.metadata
  const [gone] = existing.filter((old) => !wanted.some(({ metadata }) => metadata.name === old.metadata.name))
  const [fresh] = wanted.filter((one) => !existing.some(({ metadata }) => metadata.name === one.metadata.name))
  if (gone || fresh) return refuseName(object, gone, fresh, variables)
  for (const template of wanted) {
    const old = existing.find(({ metadata }) => metadata.name === template.metadata.name)
    const [from, to] = [old?.spec.storageClassName, template.spec.storageClassName]
    if (from !== undefined && from !== to) {
      const stuck = storage ? stuckClaims(object, template, storage) : []
      return refuseClass({ what: `stateful set ${name}`, from, to, stuck, object }, variables)
    }
    const [size, other] = [sizeOf(old), sizeOf(template)]
    if (size !== other)
      return refuse(
        `stateful set ${name} makes volumes of ${size} (claim template ${template.metadata.name}) instead of ${other}, and a claim template keeps its size`,
        `${variables ? `Set ${variables.size}=${size}` : `Set the variable back to ${size}`}: its volume and its data stay as they are.`,
      )
  }
  return undefined
}

const sizeOf = (template: ClaimTemplate | undefined): string => template?.spec.resources?.requests?.storage ?? 'no size'

/** Claims of a template that wait for a class: no data is in them. */
const stuckClaims = (object: KubeObject, { metadata }: ClaimTemplate, { claims }: StorageState): readonly Claim[] =>
  claims.filter(
    ({ name, bound }) =>
      !bound && claimsOf(object).some(({ claim }) => claim === name) && name.startsWith(metadata.name),
  )

interface ClassChange {
  readonly what: string
  readonly from: string
  readonly to: string | undefined
  readonly stuck: readonly Claim[]
  readonly object: KubeObject
}

/** A class stays with what it has made; where it made nothing, what waits for it goes without a loss. */
function refuseClass({ what, from, to, stuck, object }: ClassChange, variables: ClaimVariables | undefined): Decision {
  const reason = `${what} has the storage class ${from} instead of ${to ?? 'none'}, and keeps it`
  if (stuck.length === 0)
    return refuse(
      reason,
      `${variables ? `Set ${variables.storageClass}=${from}` : `Set the variable back to ${from}`}: its volume and its data stay as they are. To move the data to a volume of another class, copy it by hand.`,
    )
  const names = stuck.map(({ name }) => name)
  const namespace = object.metadata.namespace ?? 'default'
  const claims = sh`kubectl delete persistentvolumeclaim ${names} -n ${namespace}`.line
  const commands = object.kind === 'StatefulSet' ? `${deleteSet(object).line} && ${claims}` : claims
  return refuse(
    reason,
    `Claim ${names.join(', ')} still waits for class ${from} and holds no data. Remove what was made with it, then deploy: ${commands}`,
  )
}

/** A claim that waits for its class, asked for with another one. */
export function refuseStuckClaim(
  object: KubeObject,
  { claims }: StorageState,
  variables: ClaimVariables | undefined,
): Decision | undefined {
  const [wanted] = claimsOf(object)
  const old = claims.find(({ name }) => name === wanted?.claim)
  if (!wanted || !old || old.storageClass === undefined || old.storageClass === wanted.storageClass) return undefined
  const change = { what: `volume ${old.name}`, from: old.storageClass, to: wanted.storageClass, object }
  return refuseClass({ ...change, stuck: old.bound ? [] : [old] }, variables)
}

function refuseName(
  object: KubeObject,
  gone: ClaimTemplate | undefined,
  wanted: ClaimTemplate | undefined,
  variables: ClaimVariables | undefined,
): Decision {
  const { name } = object.metadata
  const [old, fresh] = [gone?.metadata.name, wanted?.metadata.name]
  const claim = (template: string | undefined) => (template ? claimName(template, name, 0) : 'none')
  const reason = `stateful set ${name} keeps its data in claim ${claim(old)} (claim template ${old ?? 'none'}) instead of ${claim(fresh)}`
  if (gone && wanted && variables?.name) {
    // All of them at once: each would be refused after the one before it.
    const size = sizeOf(gone) === sizeOf(wanted) ? [] : [`${variables.size}=${sizeOf(gone)}`]
    const { storageClassName: kept } = gone.spec
    const isOther = kept !== undefined && kept !== wanted.spec.storageClassName
    const values = [`${variables.name}=${old}`, ...size, ...(isOther ? [`${variables.storageClass}=${kept}`] : [])]
    return refuse(reason, `Set ${values.join(' and ')}: its volume and its data stay as they are.`)
  }
  return refuse(
    `${reason}: the data would not come along`,
    `To move it: stop the pods (${scaleDown(object).line}), take the stateful set away, which leaves its claims (${deleteSet(object).line}), deploy, and copy the data from ${claim(old)} to ${claim(fresh)} in a pod that mounts both.`,
  )
}

const scaleDown = ({ metadata: { name, namespace = 'default' } }: KubeObject): Shell =>
  sh`kubectl scale statefulset ${name} -n ${namespace} --replicas=0`

/** Takes a StatefulSet away and leaves its pods and claims: the next one of its name takes them over. */
export const deleteSet = ({ metadata: { name, namespace = 'default' } }: KubeObject): Shell =>
  sh`kubectl delete statefulset ${name} -n ${namespace} --cascade=orphan`

/** Claims of a StatefulSet by another template than it has: what is in them is not used. */
export function unusedClaims(
  object: KubeObject,
  { claims }: StorageState,
  variables?: ClaimVariables,
): readonly string[] {
  if (object.kind !== 'StatefulSet') return []
  const { name } = object.metadata
  const used = new Set(claimsOf(object).map(({ claim }) => claim))
  const ofSet = new RegExp(`^(.+)-${name}-\\d+$`)
  return claims.flatMap((claim) => {
    const template = claim.name.match(ofSet)?.[1]
    const isUsed = used.has(claim.name) || claimTemplates(object).some(({ metadata }) => metadata.name === template)
    if (template === undefined || isUsed || claim.app !== name || !claim.bound) return []
    const way = variables?.name ? `: ${variables.name}=${template} names it` : ''
    return [`claim ${claim.name} of an earlier stateful set ${name} is not used, nor the data in it${way}`]
  })
}
