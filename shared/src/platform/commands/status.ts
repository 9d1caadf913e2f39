import type { OwnObject } from '../../facts/kubernetes/objects.ts'
import type { podStates } from '../../facts/kubernetes/pods.ts'
import { age, type Rows } from '../../report/table.ts'

type Pod = ReturnType<ReturnType<typeof podStates>['parse']>[number]

/** The pods of a workspace, for `status`. */
export const podRows = (pods: readonly Pod[]): Rows => [
  ['NAME', 'READY', 'STATE', 'RESTARTS', 'AGE'],
  ...pods.map(({ name, ready, state, restarts, started }) => [
    ...[name, ready ? 'yes' : 'no', state, String(restarts), age(Date.now() / 1000 - started)],
  ]),
]

/** The workloads of a workspace, and how far their rollouts are. */
export const workloadRows = (own: readonly OwnObject[]): Rows => [
  ['NAME', 'READY', 'ROLLOUT'],
  ...own
    .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
    .map(({ kind, name, ready, replicas, progress }) => [
      ...[`${kind.toLowerCase()}/${name}`, `${ready}/${replicas}`, progress ?? ''],
    ]),
]
