import type { KubeObject, KubeValue } from '@infra/shared/command/kubectl'

export const namespace = 'discord-bot'

/** Where the bot, Redis and the sandbox's MCP servers listen. */
export const listens = { bot: 3000, redis: 6379, filesystem: 8777, git: 8778, shell: 8779 } as const

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

/** `256Mi`–`512Mi` and `100m`–`500m`: what is kept free for it, and what it may take at most. */
export function resources(memory: readonly [string, string], cpu?: readonly [string, string]): Fields {
  return {
    requests: { memory: memory[0], ...(cpu && { cpu: cpu[0] }) },
    limits: { memory: memory[1], ...(cpu && { cpu: cpu[1] }) },
  }
}

/** Plain environment variables of a container; what is undefined is left out. */
export function plainEnv(values: Readonly<Record<string, string | number | undefined>>): Fields[] {
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
