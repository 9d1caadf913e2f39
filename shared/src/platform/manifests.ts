import type { KubeObject, KubeValue } from '../command/kubectl.ts'
import { namespace } from './names.ts'

type Fields = { readonly [field: string]: KubeValue }

/** Metadata of an object in our namespace; `app` is what selectors know it by. */
export const metaOf = (name: string, more: { annotations?: Readonly<Record<string, string>> } = {}) => ({
  name,
  namespace,
  labels: { app: name },
  ...more,
})

/** What a container may do: nothing that needs a privilege. */
export const locked: Fields = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}

/** The same with a root that it may write to. */
export const lockedWritable: Fields = { ...locked, readOnlyRootFilesystem: false }

/** A pod that runs as one plain user, whose group owns its volumes. */
export const podSecurity = (user: number): Fields => ({
  runAsNonRoot: true,
  runAsUser: user,
  runAsGroup: user,
  fsGroup: user,
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
})

/**
 * Requests and limits of a container, each as `least..most`: `{ memory: '256Mi..512Mi', cpu: '100m..500m' }`. `scratch` is
 * what it writes on the node's own disk: its root and its log.
 */
export interface Resources {
  readonly memory: Range
  readonly cpu?: Range
  readonly scratch?: Range
}

type Range = `${string}..${string}`

/** What is kept free for a container (requests), and what it may take at most (limits). */
export function resources({ memory, cpu, scratch }: Resources): Fields {
  const at = (end: 0 | 1): Fields => {
    const of = (range: Range) => range.split('..')[end] ?? ''
    return { memory: of(memory), ...(cpu && { cpu: of(cpu) }), ...(scratch && { 'ephemeral-storage': of(scratch) }) }
  }
  return { requests: at(0), limits: at(1) }
}

/** Plain environment variables of a container; what is undefined is left out. */
export function plainEnv(values: Readonly<Record<string, string | number | boolean | undefined>>): Fields[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value: String(value) }],
  )
}

/** Environment variables that are keys of a Secret. */
export const secretEnv = (secret: string, keys: readonly string[]): Fields[] =>
  keys.map((key) => ({ name: key, valueFrom: { secretKeyRef: { name: secret, key } } }))

/** A Service inside the cluster. */
export function service(name: string, app: string, ports: Readonly<Record<string, number>>): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metaOf(name),
    spec: {
      type: 'ClusterIP',
      selector: { app },
      ports: Object.entries(ports).map(([port, number]) => ({
        name: port,
        port: number,
        targetPort: number,
        protocol: 'TCP',
      })),
    },
  }
}
