import { showText } from '@infra/shared/command/command'
import type { KubeObject } from '@infra/shared/command/kubectl'
import { diffLine } from '@infra/shared/command/kubectl'
import type { Work } from '@infra/shared/engine/plan'

// The parts of objects that are changed here.
interface Container {
  readonly name: string
  readonly image: string
  readonly env?: readonly { readonly name: string; readonly value?: string }[]
}
interface Parts {
  readonly data: Readonly<Record<string, string>>
  readonly spec: {
    readonly replicas: number
    readonly policyTypes: readonly string[]
    readonly ports: readonly { readonly port: number; readonly protocol: string; readonly targetPort: number }[]
    readonly template: {
      readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
      readonly spec: { readonly containers: readonly Container[]; readonly initContainers?: readonly Container[] }
    }
  }
}

/** What a drift is made of: fields for server-side apply by somebody else, and their names as the plan tells them. */
interface Drift {
  readonly fields: object
  readonly told: readonly string[]
}

/** The values of a Secret that others follow from: another one of them is no drift but another key. */
const keys = /^(encryption_key|vapid_private_key|rabbitmq_password|minio_password)$/

const values = (data: Readonly<Record<string, string>>, change: (value: string) => string) =>
  Object.fromEntries(Object.entries(data).map(([name, value]) => [name, change(value)]))

const template = ({ spec: { template } }: Parts) => {
  const changed = (containers: readonly Container[] = []) =>
    containers.map(({ name, env = [] }) => {
      const plain = env.filter(({ value }) => value !== undefined)
      return {
        name,
        image: 'drift:1',
        ...(plain.length > 0 && { env: plain.map((one) => ({ ...one, value: 'drift' })) }),
      }
    })
  const { annotations } = template.metadata
  const { containers, initContainers } = template.spec
  return {
    ...(annotations && { metadata: { annotations: values(annotations, () => 'drift') } }),
    spec: {
      containers: changed(containers),
      ...(initContainers && { initContainers: changed(initContainers) }),
    },
  }
}

/** How objects of a kind are changed by hand, beside their label. A kind that is not here has none but that. */
const drifts: Readonly<Record<string, (parts: Parts) => Drift>> = {
  ConfigMap: ({ data }) => ({ fields: { data: values(data, (text) => `${text}# drift\n`) }, told: ['data'] }),
  Secret: ({ data }) => {
    const derived = Object.fromEntries(Object.entries(data).filter(([name]) => !keys.test(name)))
    return { fields: { data: values(derived, () => 'ZHJpZnQ=') }, told: Object.keys(derived) }
  },
  Service: ({ spec: { ports } }) => ({
    fields: { spec: { ports: ports.map((port) => ({ ...port, targetPort: port.targetPort + 1 })) } },
    told: ['spec.ports'],
  }),
  // A rule that lets everybody through, in each direction that the policy is about.
  NetworkPolicy: ({ spec: { policyTypes } }) => {
    const rules = policyTypes.map((type) => type.toLowerCase())
    return {
      fields: {
        spec: {
          podSelector: { matchLabels: { app: 'drift' } },
          ...Object.fromEntries(rules.map((rule) => [rule, [{}]])),
        },
      },
      told: ['spec.podSelector', ...rules.map((rule) => `spec.${rule}`)],
    }
  },
  Deployment: (parts) => ({
    fields: { spec: { replicas: parts.spec.replicas + 1, template: template(parts) } },
    told: ['spec.replicas', 'spec.template'],
  }),
  // Not their replicas: each has a volume, which stays.
  StatefulSet: (parts) => ({ fields: { spec: { template: template(parts) } }, told: ['spec.template'] }),
  PersistentVolumeClaim: () => ({ fields: {}, told: [] }),
}

/** All objects that the steps of some work apply. */
export function declaredObjects(work: readonly Work[]): KubeObject[] {
  return work
    .flatMap(({ steps }) => steps.flatMap(({ ask }) => Object.values(ask)))
    .flatMap(({ command: { line, stdin } }) => (line === diffLine.line && stdin ? [stdin] : []))
    .flatMap((text) => (JSON.parse(showText(text)) as { items: KubeObject[] }).items)
}

const identityOf = ({ apiVersion, kind, metadata: { name, namespace } }: KubeObject, labels?: object) => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace !== undefined && { namespace }), ...(labels && { labels }) },
})

/** An object with all that can be changed of it by hand, and what the plan calls that. Throws for a kind that is new. */
export function driftOf(object: KubeObject): { readonly object: object; readonly told: readonly string[] } {
  const drift = drifts[object.kind]
  if (!drift) throw new Error(`say in drift.ts how a ${object.kind} is changed by hand`)
  const { fields, told } = drift(object as unknown as Parts)
  return { object: { ...identityOf(object, { app: 'drift' }), ...fields }, told }
}

/** Has the controllers leave the pods of a workload alone, whatever its template becomes; without `still` as before. */
export function held(object: KubeObject, still: boolean): object[] {
  const { kind } = object
  const spec =
    kind === 'Deployment'
      ? { paused: true }
      : kind === 'StatefulSet'
        ? { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } }
        : undefined
  return spec ? [{ ...identityOf(object), ...(still && { spec }) }] : []
}
