import type { KubeObject, KubeValue } from './kubectl.ts'

/** A claim template of a StatefulSet: the parts that decide which volume its pods get. */
export interface ClaimTemplate {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly accessModes?: readonly string[]
    /** Without it the cluster's default counts when the claim is made; it is not written into the template. */
    readonly storageClassName?: string
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

/**
 * The StatefulSet without the storage class where the claim template that exists has none: a template can never be
 * changed, and the claims made by it have the class that was the default then.
 */
export function keepingNoClass<T extends KubeObject>(object: T, existing: readonly ClaimTemplate[]): T {
  const without = (template: ClaimTemplate): ClaimTemplate => {
    const old = existing.find(({ metadata }) => metadata.name === template.metadata.name)
    if (!old || old.spec.storageClassName !== undefined || template.spec.storageClassName === undefined) return template
    const { storageClassName: _, ...spec } = template.spec
    return { ...template, spec }
  }
  const templates = claimTemplates(object)
  const kept = templates.map(without)
  if (kept.every((template, index) => template === templates[index])) return object
  return { ...object, spec: { ...(object.spec as object), volumeClaimTemplates: kept as unknown as KubeValue } }
}

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
