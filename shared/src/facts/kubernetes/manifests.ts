import { parse, stringify } from 'yaml'
import { type Denial, readDenial } from '../../command/admission.ts'
import { type ClaimTemplate, readTemplates } from '../../command/claim-templates.ts'
import type { Output } from '../../command/command.ts'
import { type KubeObject, keyOf, kubectlDiff, kubectlFault, notYet, type ObjectRef } from '../../command/kubectl.ts'
import type { Question } from '../../engine/step.ts'
import { fieldsLost } from './managed-fields.ts'
import { type PodSpec, podSpecOf } from './pod-spec.ts'

/** How applying its manifest would change one object. */
export interface ObjectChange extends ObjectRef {
  /** YAML without what the API server keeps for itself; null where there is no such object. Of a Secret it is empty. */
  readonly before: string | null
  readonly after: string
  /** Of a Secret: the names of the keys, labels and annotations whose values change. No value of it is kept. */
  readonly keys: readonly string[]
  /** Fields of other managers that get our value: `Terraform: spec.replicas`. */
  readonly takenOver: readonly string[]
  /** Pods of this object are made anew. */
  readonly template: boolean
  /** What its pods are made of, where it is there and makes any. */
  readonly pods?: { readonly before: PodSpec; readonly after: PodSpec } | undefined
  /** Of a claim on a volume that is there: the size that it has, and another that it shall have. */
  readonly resized?: { readonly from: string; readonly to: string } | undefined
}

export interface ManifestsState {
  /** By {@link keyOf}; what is not in it is as it shall be. */
  readonly changed: ReadonlyMap<string, ObjectChange>
  /** There is no cluster yet. */
  readonly blank: boolean
  readonly missingNamespaces: readonly string[]
  /** The API server does not let an object become as it shall be, and why. */
  readonly refused: { readonly object: string; readonly reason: string } | undefined
  /** Admission control (a webhook, a policy, a quota) does not let an object become as it shall be. */
  readonly denied: Denial | undefined
  /** A kind that the cluster does not know, of an extension that is not installed: nothing of the others is known either. */
  readonly unknownKind: { readonly kind: string; readonly version: string } | undefined
  /** The claim templates that a StatefulSet has, by `NAMESPACE/NAME`, where they differ from those that it shall have. */
  readonly claimTemplates: ReadonlyMap<string, readonly ClaimTemplate[]>
  /** Of values that are not known yet, what makes them: the API server was asked with others in their place. */
  readonly notYet: readonly string[]
  /** What the API server says of manifests that it takes all the same. */
  readonly warnings: readonly string[]
}

/** What applying these manifests would change, as the API server says without doing it. `kubectl diff --server-side`. */
export function manifestsState(objects: readonly KubeObject[]): Question<ManifestsState> {
  return { command: kubectlDiff(objects), parse: parseDiff }
}

const none: ManifestsState = {
  ...{ changed: new Map(), blank: false, missingNamespaces: [], refused: undefined, denied: undefined },
  ...{ unknownKind: undefined, claimTemplates: new Map(), warnings: [], notYet: [] },
}

export function parseDiff({ code, stdout, stderr }: Output): ManifestsState {
  if (code === 127) return { ...none, blank: true }
  const claimTemplates = readTemplates(stderr)
  const open = stderr.split('\n').flatMap((line) => (line.startsWith(notYet) ? [line.slice(notYet.length)] : []))
  if (code > 1) {
    const [, kind, version] = stderr.match(/no matches for kind "([^"]+)" in version "([^"]+)"/) ?? []
    if (kind !== undefined && version !== undefined) return { ...none, unknownKind: { kind, version } }
    const denied = readDenial(stderr)
    // It may be what stands in the place of a value that is denied.
    if (denied && open.length > 0) throw new Error(open.join(' '))
    if (denied) return { ...none, claimTemplates, denied }
    // Details of a rejected value follow on further lines.
    const invalid = stderr.match(/The (\S+) "([^"]+)" is invalid:? ?([\s\S]*)/)
    if (!invalid) throw kubectlFault({ code, stderr })
    const [, called = '', name = '', reason = ''] = invalid
    return {
      ...none,
      claimTemplates,
      refused: { object: `${called} ${name}`, reason: reason.trim().split('\n')[0] ?? '' },
    }
  }
  const missingNamespaces = [...stderr.matchAll(/namespaces "([^"]+)" not found/g)].map(([, name]) => name ?? '')
  const changes = stdout
    .split(/^(?=diff )/m)
    .filter((block) => block.startsWith('diff '))
    .flatMap(readBlock)
  const warnings = [...stderr.matchAll(/^Warning: (.*)$/gm)].map(([, text = '']) => text)
  return {
    ...none,
    claimTemplates,
    warnings,
    missingNamespaces,
    notYet: open,
    changed: new Map(changes.map((change) => [keyOf(change), change])),
  }
}

type Names = Record<string, string>

interface Living {
  kind: string
  metadata: {
    name: string
    namespace?: string
    managedFields?: unknown[]
    labels?: Names
    annotations?: Names
    [field: string]: unknown
  }
  data?: Names
  type?: string
  spec?: { template?: unknown; resources?: { requests?: { storage?: string } } }
  status?: unknown
}

/** One object of a diff that holds it whole: lines of both sides, of the side before, of the side after. */
function readBlock(block: string): ObjectChange[] {
  const lines = block.split('\n')
  const content = lines.slice(lines.findIndex((line) => line.startsWith('@@')) + 1)
  const side = (signs: string) =>
    content
      .filter((line) => signs.includes(line[0] ?? '\\'))
      .map((line) => line.slice(1))
      .join('\n')
  const before = parse(side(' -')) as Living | null
  const after = parse(side(' +')) as Living | null
  if (!after) return []
  const { kind, metadata } = after
  const [old, desired] = [before && stringify(ownPart(before)), stringify(ownPart(after))]
  // Another owner of a field with the same value is not a difference.
  if (old === desired) return []
  // kubectl masks its data only: an annotation of kubectl apply holds all of it once more.
  const hidden = kind === 'Secret'
  return [
    {
      kind,
      namespace: metadata.namespace,
      name: metadata.name,
      before: hidden && old !== null ? '' : old,
      after: hidden ? '' : desired,
      keys: hidden ? secretChanges(before, after) : [],
      takenOver: fieldsLost(before?.metadata.managedFields ?? [], metadata.managedFields ?? []),
      pods: podsOf(before, after),
      template: before !== null && stringify(before.spec?.template) !== stringify(after.spec?.template),
      resized: before && kind === 'PersistentVolumeClaim' ? resizing(before, after) : undefined,
    },
  ]
}

const kept = ['managedFields', 'generation', 'resourceVersion', 'uid', 'creationTimestamp', 'selfLink']

function ownPart({ status: _, metadata, ...rest }: Living) {
  const own = Object.fromEntries(Object.entries(metadata).filter(([field]) => !kept.includes(field)))
  return { ...rest, metadata: own }
}

function podsOf(before: Living | null, after: Living): ObjectChange['pods'] {
  const [old, desired] = [podSpecOf(before?.spec), podSpecOf(after.spec)]
  return old && desired && { before: old, after: desired }
}

function resizing(before: Living, after: Living): ObjectChange['resized'] {
  const [from, to] = [before, after].map(({ spec }) => spec?.resources?.requests?.storage)
  return from === undefined || to === undefined || from === to ? undefined : { from, to }
}

function secretChanges(before: Living | null, after: Living): string[] {
  const [old, desired] = [before?.metadata, after.metadata]
  return [
    ...changedNames(before?.data, after.data),
    ...changedNames(old?.labels, desired.labels).map((name) => `label ${name}`),
    ...changedNames(old?.annotations, desired.annotations).map((name) => `annotation ${name}`),
    ...(before && before.type !== after.type ? ['type'] : []),
  ]
}

// kubectl masks values of data: `***` where both sides have the same, else `*** (before)` and `*** (after)`.
function changedNames(before: Names = {}, after: Names = {}): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => before[name] !== after[name]).sort()
}
