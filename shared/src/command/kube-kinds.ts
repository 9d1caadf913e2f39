/** Where the API server keeps the objects of a kind. */
export interface KubeKind {
  readonly kind: string
  /** `apps`; empty for the core. */
  readonly group: string
  readonly plural: string
  readonly namespaced: boolean
  /** Not every cluster knows it: it comes with an extension. */
  readonly extension: boolean
}

const rows: readonly (readonly [group: string, kinds: string])[] = [
  ['', 'ConfigMap PersistentVolumeClaim Pod Secret Service ServiceAccount'],
  ['apps', 'Deployment StatefulSet'],
  ['batch', 'CronJob Job'],
  ['networking.k8s.io', 'NetworkPolicy'],
  ['rbac.authorization.k8s.io', 'Role RoleBinding'],
]

const clusterWide: typeof rows = [
  ['', 'Namespace Node PersistentVolume'],
  ['rbac.authorization.k8s.io', 'ClusterRole ClusterRoleBinding'],
  ['storage.k8s.io', 'StorageClass'],
]

const extensions: typeof rows = [['gateway.networking.k8s.io', 'HTTPRoute']]

const listed = (table: typeof rows, namespaced: boolean, extension = false): KubeKind[] =>
  table.flatMap(([group, kinds]) =>
    kinds.split(' ').map((kind) => ({ kind, group, plural: pluralOf(kind.toLowerCase()), namespaced, extension })),
  )

const pluralOf = (word: string) => word.replace(/y$/, 'ie').replace(/s$/, 'se').concat('s')

/** All of these are served as version `v1` of their group. */
const known = [...listed(rows, true), ...listed(clusterWide, false), ...listed(extensions, true, true)]

const words = new Map(
  known.flatMap((one) => {
    const names = [one.plural, one.kind.toLowerCase()]
    return [...names, ...names.map((name) => `${name}.${one.group}`)].map((word) => [word, one] as const)
  }),
)

/** What kubectl understands by a word such as `secret` or `deployments.apps`; undefined for a kind that is not listed here. */
export const kubeKind = (word: string): KubeKind | undefined => words.get(word)

/** The path of a kind's objects on the API server: `/apis/apps/v1/namespaces/bots/deployments`. */
export function kubePath({ group, plural, namespaced }: KubeKind, namespace?: string): string {
  const root = group === '' ? '/api/v1' : `/apis/${group}/v1`
  return namespaced && namespace !== undefined
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`
    : `${root}/${plural}`
}
