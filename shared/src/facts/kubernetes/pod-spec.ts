/** A part of a pod that is known by a name: a container, a volume, a variable. */
export type Named = Readonly<Record<string, unknown>>

/** The parts of a pod's specification that are looked at one by one; the rest by their fields only. */
export interface PodSpec {
  readonly containers?: readonly Named[]
  readonly initContainers?: readonly Named[]
  readonly volumes?: readonly Named[]
  readonly [field: string]: unknown
}

interface Holder {
  readonly template?: { readonly spec?: PodSpec }
  readonly jobTemplate?: { readonly spec?: Holder }
}

/** The specification of the pods that an object makes, by its `spec`; undefined where it makes none. */
export function podSpecOf(spec: unknown): PodSpec | undefined {
  const { template, jobTemplate } = (spec ?? {}) as Holder
  return template?.spec ?? (jobTemplate && podSpecOf(jobTemplate.spec))
}
