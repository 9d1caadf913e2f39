import { kubeGet } from '../../command/kube-get.ts'
import { kubectlFault } from '../../command/kubectl.ts'
import type { Question } from '../../engine/step.ts'

/** When the containers of each app (label `app`) started last, in seconds since 1970; apps without a running one are left out. */
export type ContainerStarts = ReadonlyMap<string, { readonly oldest: number; readonly newest: number }>

/** Containers of all apps of a namespace, so that a run asks once; a container that was restarted in its pod counts by its last start. `kubectl get pods`. */
export function containerStarts(namespace: string): Question<ContainerStarts> {
  return {
    command: kubeGet({ kinds: ['pods'], namespace, selector: 'app' }),
    parse({ code, stdout, stderr }) {
      if (code === 127) return new Map()
      if (code !== 0) throw kubectlFault({ code, stderr })
      const found = new Map<string, { oldest: number; newest: number }>()
      for (const { metadata, status } of (JSON.parse(stdout) as { items: readonly ApiPod[] }).items) {
        if (metadata.deletionTimestamp) continue
        for (const { state } of status.containerStatuses ?? []) {
          if (!state?.running) continue
          const started = Date.parse(state.running.startedAt) / 1000
          const { oldest = started, newest = started } = found.get(metadata.labels.app ?? '') ?? {}
          found.set(metadata.labels.app ?? '', {
            oldest: Math.min(oldest, started),
            newest: Math.max(newest, started),
          })
        }
      }
      return found
    },
  }
}

interface ApiPod {
  metadata: { labels: Record<string, string>; deletionTimestamp?: string }
  status: { containerStatuses?: { state?: { running?: { startedAt: string } } }[] }
}
