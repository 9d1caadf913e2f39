import type { KubeObject } from '../command/kubectl.ts'
import { namespace } from './names.ts'

/** The namespace of all workspaces. Stoat lives in it too, whose images want more than `restricted` allows. */
export const namespaceObject: KubeObject = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: namespace,
    labels: {
      'pod-security.kubernetes.io/enforce': 'baseline',
      'pod-security.kubernetes.io/warn': 'restricted',
      'pod-security.kubernetes.io/audit': 'restricted',
    },
  },
}
