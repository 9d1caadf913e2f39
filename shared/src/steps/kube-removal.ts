import type { Output } from '../command/command.ts'
import { kubectlDelete, type ObjectRef, sayObject } from '../command/kubectl.ts'
import { type Change, changes, noting, type Risk, remove, type Step, step } from '../engine/step.ts'
import type { Target } from '../engine/target.ts'
import { ownObjects } from '../facts/kube-objects.ts'
import { foreignObjects, volumeClaims } from '../facts/kube-volumes.ts'

export interface KubeRemoval {
  readonly workspace: string
  readonly namespace: string
  /** The apps whose volumes are ours, although a StatefulSet made them and not we. */
  readonly apps: readonly string[]
  /** Names of volumes that somebody has typed; the others are kept. */
  readonly confirmed: readonly string[]
}

// What runs goes first, then what it needed; what holds data, and all the rest, last.
const order = [
  ['CronJob', 'Job', 'Deployment', 'StatefulSet', 'Service'],
  [
    'NetworkPolicy',
    'ConfigMap',
    'Secret',
    'RoleBinding',
    'Role',
    'ClusterRoleBinding',
    'ClusterRole',
    'ServiceAccount',
  ],
].flat()

const risks: Readonly<Record<string, Risk>> = { Deployment: 'downtime', StatefulSet: 'downtime', Service: 'downtime' }

/**
 * No objects of a workspace, by its labels. Volumes are kept unless their names were typed, and the namespace as long as
 * there is a volume in it, or something of others.
 */
export function noObjects(on: Target, { workspace, namespace, apps, confirmed }: KubeRemoval): Step {
  return step({
    id: `no objects of ${workspace}`,
    on,
    ask: {
      own: ownObjects(workspace),
      claims: volumeClaims(namespace),
      foreign: foreignObjects(namespace, workspace),
    },
    plan({ own, claims, foreign }) {
      const gone = (ref: ObjectRef, risk: Risk, say = sayObject(ref)): Change =>
        remove(say, kubectlDelete(ref), { risk, explain })
      const plain = order.flatMap((kind) => own.filter((one) => one.kind === kind))
      const named = new Set(own.filter(({ kind }) => kind === 'PersistentVolumeClaim').map(({ name }) => name))
      const ours = claims.filter(({ name, app }) => named.has(name) || (app !== undefined && apps.includes(app)))
      const doomed = ours.filter(({ name }) => confirmed.includes(name))
      const kept = ours.filter(({ name }) => !confirmed.includes(name))
      const others = foreign.filter((one) => !ours.some(({ name }) => one === `persistentvolumeclaim/${name}`))
      const place = own.find(({ kind, name }) => kind === 'Namespace' && name === namespace)
      const empty = kept.length === 0 && others.length === 0
      const volume = (name: string) => ({ kind: 'PersistentVolumeClaim', namespace, name })
      const list = [
        ...plain.map((one) => gone(one, risks[one.kind] ?? 'safe')),
        ...doomed.map(({ name, size }) => gone(volume(name), 'data', `volume ${name} (${size}), all it holds`)),
        ...(place && empty ? [gone(place, 'safe')] : []),
      ]
      const notes = [
        ...kept.map(({ name, size }) => `volume ${name} (${size}) is kept, with what it holds, and is billed on`),
        ...(place && others.length > 0 ? [`namespace ${namespace} is kept: ${others.join(', ')} is not ours`] : []),
      ]
      return noting(changes(list, 'there are none'), notes)
    },
  })
}

function explain({ stderr }: Output): string | undefined {
  return stderr
    .split('\n')
    .find((line) => /^(error|Error from server)/.test(line))
    ?.replace(/^(error|Error from server \(\w+\)|Error from server): /, '')
}
