import { kubeGet } from '../../command/kube-get.ts'
import { kubectlFault } from '../../command/kubectl.ts'
import type { Question } from '../../engine/step.ts'

export interface NodeState {
  readonly name: string
  /** `6.12.48+deb13-amd64`. */
  readonly kernel: string
  /** Whether its processors know AVX; undefined where nobody labelled the node with it (Node Feature Discovery). */
  readonly avx: boolean | undefined
}

/** The nodes of the cluster. `kubectl get nodes`. */
export function nodeStates(): Question<readonly NodeState[]> {
  return {
    command: kubeGet({ kinds: ['nodes'] }),
    parse({ code, stdout, stderr }) {
      if (code === 127) return []
      if (code !== 0) throw kubectlFault({ code, stderr })
      return (JSON.parse(stdout) as { items: readonly ApiNode[] }).items.map(({ metadata, status }) => {
        const labels = metadata.labels ?? {}
        const discovered = Object.keys(labels).some((label) => label.startsWith(cpu))
        return {
          name: metadata.name,
          kernel: status.nodeInfo.kernelVersion,
          avx: discovered ? labels[`${cpu}AVX`] === 'true' : undefined,
        }
      })
    },
  }
}

const cpu = 'feature.node.kubernetes.io/cpu-cpuid.'

interface ApiNode {
  metadata: { name: string; labels?: Record<string, string> }
  status: { nodeInfo: { kernelVersion: string } }
}
