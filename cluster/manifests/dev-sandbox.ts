import type { KubeObject, KubeValue } from '@infra/shared/command/kubectl'
import { lockedWritable, metaOf, plainEnv, podSecurity, resources, service } from '@infra/shared/platform/manifests'
import { namespace } from '@infra/shared/platform/names'
import { pullSecretOptions } from './namespace.ts'
import { listens } from './ports.ts'

export interface SandboxOptions {
  readonly image: string
  /** Of the volume at /workspaces: `10Gi`. */
  readonly size: string
  readonly storageClass: string
  readonly scope: SandboxScope
  /** Cloned into an empty workspace; an empty repository is made there otherwise. */
  readonly repository?: string | undefined
  /** The MCP servers; none run without. */
  readonly mcp?: McpOptions | undefined
}

export interface McpOptions {
  readonly image: string
  /** The programs that the shell's server may run, separated by commas. */
  readonly commands: string
}

const account = 'sandbox'
const volume = 'workspaces-data'
const mount = { name: volume, mountPath: '/workspaces' }

/** How far the sandbox sees: all namespaces, its own, or nothing. */
export type SandboxScope = 'cluster' | 'namespace' | 'none'

const rbac = 'rbac.authorization.k8s.io'
const reader = 'sandbox-reader'

/**
 * What the sandbox may do in the cluster: look at it, and change nothing. What may hold a password is not shown: Secrets,
 * ConfigMaps, logs. In the scope of a namespace its role is bound there only.
 */
export function sandboxAccess(scope: SandboxScope): KubeObject[] {
  const read = ['get', 'list', 'watch']
  const binding = {
    apiVersion: `${rbac}/v1`,
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: reader },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
  }
  const role: KubeObject = {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name: reader },
    rules: [
      { apiGroups: [''], resources: readable, verbs: read },
      { apiGroups: ['apps', 'batch'], resources: ['*'], verbs: read },
    ],
  }
  const bound: Record<SandboxScope, KubeObject[]> = {
    cluster: [role, { ...binding, kind: 'ClusterRoleBinding', metadata: { name: `${reader}-binding` } }],
    namespace: [role, { ...binding, kind: 'RoleBinding', metadata: metaOf(`${reader}-binding`) }],
    none: [],
  }
  return [{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: metaOf(account) }, ...bound[scope]]
}

// All of the core group but what may hold a password: RBAC has no way to say "all but".
const readable = [
  ...['endpoints', 'events', 'limitranges', 'namespaces', 'nodes', 'persistentvolumeclaims', 'persistentvolumes'],
  ...['pods', 'pods/status', 'podtemplates', 'replicationcontrollers', 'resourcequotas', 'serviceaccounts', 'services'],
]

/** The sandbox with its volume, and its MCP servers where they are wanted. */
export function devSandbox(options: SandboxOptions): KubeObject[] {
  const { size, storageClass, mcp } = options
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: metaOf('dev-sandbox-workspaces'),
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: storageClass,
        resources: { requests: { storage: size } },
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metaOf('dev-sandbox'),
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'dev-sandbox' } },
        // The volume can be held by one node only: the old pod goes before the new one comes. Not `Recreate`, which
        // could not adopt a Deployment that rolls.
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
        template: { metadata: { labels: { app: 'dev-sandbox' } }, spec: sandboxPod(options) },
      },
    },
    ...(mcp ? mcpServers.map(({ name, port }) => service(`${name}-service`, 'dev-sandbox', { mcp: port })) : []),
  ]
}

function sandboxPod({ image, repository, mcp, scope }: SandboxOptions): KubeValue {
  return {
    serviceAccountName: account,
    ...(scope === 'none' && { automountServiceAccountToken: false }),
    imagePullSecrets: [{ name: pullSecretOptions.name }],
    securityContext: podSecurity(1000),
    terminationGracePeriodSeconds: 10,
    volumes: [{ name: volume, persistentVolumeClaim: { claimName: 'dev-sandbox-workspaces' } }],
    initContainers: [
      {
        name: 'workspace',
        image,
        command: ['/bin/sh', '-c', prepare],
        env: plainEnv({ REPOSITORY: repository, HOME: '/tmp' }),
        resources: resources({ memory: '64Mi..512Mi', ...share }),
        securityContext: lockedWritable,
        volumeMounts: [mount],
      },
    ],
    containers: [
      {
        name: 'dev-sandbox',
        image,
        env: plainEnv({ HOME: '/workspaces' }),
        workingDir: '/workspaces',
        resources: resources({ memory: '1Gi..2Gi', cpu: '100m..2', scratch: '256Mi..8Gi' }),
        securityContext: lockedWritable,
        volumeMounts: [mount],
      },
      ...(mcp ? mcpServers.map((server) => mcpContainer(mcp, server)) : []),
    ],
  }
}

/** What is run there is anybody's idea: it shall not take the node's processors or disk from the bot and Redis. */
const share = { cpu: '50m..1', scratch: '64Mi..2Gi' } as const

// What is there is never touched: it is somebody's work.
const prepare = `cd /workspaces || exit 1
[ -z "$(ls -A repo 2>/dev/null)" ] || exit 0
if [ -n "$REPOSITORY" ]; then git clone -- "$REPOSITORY" repo; else git init -q repo; fi`

interface McpServer {
  readonly name: string
  readonly port: number
  /** The MCP server that speaks by stdin and stdout; supergateway puts it on the network. */
  readonly command: string
}

/** Model Context Protocol servers over the workspace. */
export const mcpServers: readonly McpServer[] = [
  { name: 'filesystem', port: listens.filesystem, command: 'mcp-server-filesystem /workspaces' },
  { name: 'git', port: listens.git, command: 'mcp-server-git --repository /workspaces/repo' },
  { name: 'shell', port: listens.shell, command: 'mcp-shell-server' },
]

// The bot finds them by their Services, at /sse. Without a list of its own the shell's server runs nothing.
function mcpContainer({ image, commands }: McpOptions, { name, port, command }: McpServer): KubeValue {
  return {
    name: `mcp-${name}`,
    image,
    command: ['supergateway', '--stdio', command, '--port', String(port)],
    env: plainEnv({ HOME: '/tmp', ...(name === 'shell' && { ALLOW_COMMANDS: commands }) }),
    ports: [{ name: `mcp-${name}`, containerPort: port, protocol: 'TCP' }],
    // Ready once it listens: one that ends at once must not count as rolled out.
    readinessProbe: { tcpSocket: { port }, periodSeconds: 5 },
    livenessProbe: { tcpSocket: { port }, initialDelaySeconds: 10, periodSeconds: 30 },
    workingDir: '/workspaces',
    resources: resources({ memory: '192Mi..512Mi', ...share }), // Node and the server: 180 MB at rest
    securityContext: lockedWritable,
    volumeMounts: [mount],
  }
}
