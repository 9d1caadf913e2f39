import { kubeGet } from '../../command/kube-get.ts'
import { kubectlFault } from '../../command/kubectl.ts'
import type { Question } from '../../engine/step.ts'

/** What volumes can be made of, and the claims on them in a namespace. */
export interface StorageState {
  /** The names of the cluster's storage classes. */
  readonly classes: readonly string[]
  readonly claims: readonly Claim[]
}

export interface Claim {
  readonly name: string
  /** Whose pods use it, by the label `app`. */
  readonly app: string | undefined
  /** Undefined where the claim names none and the cluster has no default. */
  readonly storageClass: string | undefined
  /** It has its volume; one that has not (`Pending`) holds no data yet. */
  readonly bound: boolean
}

/** Storage classes, and the claims of one namespace. Undefined where there is no cluster yet. One `kubectl get`. */
export function storageState(namespace: string): Question<StorageState | undefined> {
  const kinds = ['storageclasses.storage.k8s.io', 'persistentvolumeclaims']
  const paths = ['.kind', '.metadata.name', '.spec.storageClassName', '.status.phase', '.metadata.labels.app']
  return {
    command: kubeGet({ kinds, namespace, print: { as: 'columns', paths } }),
    parse({ code, stdout, stderr }) {
      if (code === 127) return undefined
      if (code !== 0) throw kubectlFault({ code, stderr })
      const rows = stdout
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => line.split(/\s+/).map((cell) => (cell === '<none>' ? undefined : cell)))
      const of = (wanted: string) => rows.filter(([kind]) => kind === wanted)
      return {
        classes: of('StorageClass').map(([, name = '']) => name),
        claims: of('PersistentVolumeClaim').map(([, name = '', storageClass, phase, app]) => ({
          ...{ name, app, storageClass },
          bound: phase === 'Bound',
        })),
      }
    },
  }
}
