import { kubeGet } from '../../command/kube-get.ts'
import { kubectlFault } from '../../command/kubectl.ts'
import type { Question } from '../../engine/step.ts'

/** Of what a Job was made: by this annotation a Job of another recipe is told. */
export const recipeKey = 'infra/recipe'

export interface JobState {
  readonly recipe: string | undefined
  readonly result: 'succeeded' | 'failed' | 'under way'
  /** When it was made, in seconds since 1970. */
  readonly made: number
}

/** A Job; null where there is none. `kubectl get job`. */
export function jobState(namespace: string, name: string): Question<JobState | null> {
  return {
    command: kubeGet({ kinds: ['job'], names: [name], namespace }),
    parse({ code, stdout, stderr }) {
      if (code === 127 || (code === 0 && stdout.trim() === '')) return null
      if (code !== 0) throw kubectlFault({ code, stderr })
      const { metadata, status } = JSON.parse(stdout) as ApiJob
      const has = (type: string) =>
        status.conditions?.some((one) => one.type === type && one.status === 'True') === true
      return {
        recipe: metadata.annotations?.[recipeKey],
        result: has('Complete') ? 'succeeded' : has('Failed') ? 'failed' : 'under way',
        made: Date.parse(metadata.creationTimestamp) / 1000,
      }
    },
  }
}

interface ApiJob {
  metadata: { creationTimestamp: string; annotations?: Record<string, string> }
  status: { conditions?: { type: string; status: string }[] }
}
