import { kubectlFault } from '../../command/kubectl.ts'
import { raw } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** How much room is left on a volume. */
export interface VolumeRoom {
  /** In bytes. */
  readonly capacity: number
  readonly available: number
  /** No file can be made any more, whatever room there is. */
  readonly outOfInodes: boolean
}

/**
 * The room on the claimed volumes of a namespace, by claim, as kubelet measures it once a minute; or why that may not be
 * read, which takes a right of its own (nodes/proxy). A claim is left out where no pod uses it, or where its kind of volume
 * is not measured. One request a node.
 */
export function volumeRoom(
  namespace: string,
): Question<ReadonlyMap<string, VolumeRoom> | { readonly untried: string }> {
  return {
    command: raw(`nodes=$(kubectl get nodes -o 'jsonpath={.items[*].metadata.name}') || exit
for node in $nodes; do
  text=$(kubectl get --raw "/api/v1/nodes/$node/proxy/stats/summary") || exit
  printf '%s' "$text" | tr -d '\\n'; echo
done`),
    parse({ code, stdout, stderr }) {
      if (code === 127) return new Map()
      if (stderr.includes('(Forbidden)')) return { untried: kubectlFault({ code, stderr }).message }
      if (code !== 0) throw kubectlFault({ code, stderr })
      const volumes = stdout
        .split('\n')
        .filter((line) => line !== '')
        .flatMap((text) => (JSON.parse(text) as Summary).pods)
        .flatMap(({ volume = [] }) => volume)
        .filter(({ pvcRef }) => pvcRef?.namespace === namespace)
      return new Map(
        volumes.flatMap(({ pvcRef, capacityBytes: capacity, availableBytes: available, inodes, inodesFree }) =>
          pvcRef === undefined || capacity === undefined || available === undefined
            ? []
            : [[pvcRef.name, { capacity, available, outOfInodes: inodes !== 0 && inodesFree === 0 }] as const],
        ),
      )
    },
  }
}

interface Summary {
  readonly pods: readonly {
    readonly volume?: readonly {
      readonly pvcRef?: { readonly name: string; readonly namespace: string }
      readonly capacityBytes?: number
      readonly availableBytes?: number
      readonly inodes?: number
      readonly inodesFree?: number
    }[]
  }[]
}
