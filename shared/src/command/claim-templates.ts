import type { KubeObject, KubeValue } from './kubectl.ts'

/** A claim template of a StatefulSet: the parts that decide which volume its pods get. */
export interface ClaimTemplate {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly accessModes?: readonly string[]
    /** Without it the cluster's default counts when the claim is made; it is not written into the template. */
    readonly storageClassName?: string
    readonly volumeMode?: string
    readonly resources?: { readonly requests?: { readonly storage?: string } }
  }
}

interface SetSpec {
  readonly replicas?: number
  readonly volumeClaimTemplates?: readonly ClaimTemplate[]
}

/** The claim templates of a StatefulSet; none of anything else. */
export const claimTemplates = ({ kind, spec }: KubeObject): readonly ClaimTemplate[] =>
  kind === 'StatefulSet' ? ((spec as SetSpec | undefined)?.volumeClaimTemplates ?? []) : []

/** How many pods a StatefulSet has, each with claims of its own. */
export const replicasOf = ({ spec }: KubeObject): number => (spec as SetSpec | undefined)?.replicas ?? 1

/** The claim that a pod of a StatefulSet gets by a template: `data-redis-0`. */
export const claimName = (template: string, set: string, ordinal: number): string => `${template}-${set}-${ordinal}`

/** Whether a template that exists names no storage class, and a wanted one does. */
const lacksClass = (wanted: ClaimTemplate, old: ClaimTemplate): boolean =>
  old.spec.storageClassName === undefined && wanted.spec.storageClassName !== undefined

/** Whether two templates of one name make the same volumes: mounted ones of this size, class and access. */
function makeSame(wanted: ClaimTemplate, old: ClaimTemplate): boolean {
  const size = ({ spec }: ClaimTemplate) => spec.resources?.requests?.storage
  const access = ({ spec }: ClaimTemplate) => [...(spec.accessModes ?? [])].sort().join()
  return (
    (lacksClass(wanted, old) || wanted.spec.storageClassName === old.spec.storageClassName) &&
    (old.spec.volumeMode ?? 'Filesystem') === 'Filesystem' &&
    size(wanted) === size(old) &&
    access(wanted) === access(old)
  )
}

/**
 * The StatefulSet with its claim templates as they exist, where they make the volumes that are wanted: a template can never
 * be changed, and what else it says, such as labels, or the namespace that Terraform's provider writes into it, is for new
 * claims only. One without a storage class has made claims of the class that was the default then.
 */
export function keepingTemplates<T extends KubeObject>(object: T, existing: readonly ClaimTemplate[]): T {
  const templates = claimTemplates(object)
  const kept = templates.map((template) => {
    const old = existing.find(({ metadata }) => metadata.name === template.metadata.name)
    return old && makeSame(template, old) ? old : template
  })
  if (kept.every((template, index) => template === templates[index])) return object
  return { ...object, spec: { ...(object.spec as object), volumeClaimTemplates: kept as unknown as KubeValue } }
}

/** Whether a StatefulSet keeps a claim template that names no storage class, although one is wanted. */
export const keepsNoClass = (object: KubeObject, existing: readonly ClaimTemplate[]): boolean =>
  claimTemplates(object).some((template) =>
    existing.some(
      (old) => old.metadata.name === template.metadata.name && makeSame(template, old) && lacksClass(template, old),
    ),
  )

const mark = 'claim templates of StatefulSet '

/** A line that tells the claim templates of a StatefulSet as they are, beside the answer of `kubectl diff`. */
export const templatesLine = (namespace: string, name: string, json: string): string =>
  `${mark}${namespace}/${name}: ${json}\n`

/** The claim templates that {@link templatesLine} told, by `NAMESPACE/NAME`. */
export function readTemplates(stderr: string): ReadonlyMap<string, readonly ClaimTemplate[]> {
  const lines = stderr.split('\n').filter((line) => line.startsWith(mark))
  return new Map(
    lines.map((line) => {
      const [, name = '', json = ''] = line.slice(mark.length).match(/^(\S+): (.*)$/) ?? []
      return [name, JSON.parse(json || '[]') as ClaimTemplate[]]
    }),
  )
}
