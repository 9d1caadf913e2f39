import { createHash } from 'node:crypto'
import type { Output } from '../../command/command.ts'
import { showText } from '../../command/command.ts'
import { type KubeObject, kubectlApply, kubectlDelete, manifestText, ownLabels, refOf } from '../../command/kubectl.ts'
import { sh } from '../../command/sh.ts'
import { changes, create, type Dependency, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type JobState, jobState, recipeKey } from '../../facts/kubernetes/job.ts'
import { claimedAt } from '../../facts/kubernetes/volumes.ts'
import { diagnosis } from './diagnosis.ts'

export interface JobOptions {
  readonly script: string
  readonly workspace: string
  /** What it leaves behind, for the plan: `bucket revolt-uploads`. */
  readonly result: string
  /** The volume that holds its result: a Job that is older has done nothing for this one. */
  readonly keptIn?: string | undefined
  /** Seconds that it may take. */
  readonly timeoutSeconds: number
  readonly dependsOn?: readonly Dependency[]
}

/**
 * A Job that has succeeded. It is made again when it failed, when its recipe is another, when somebody took it away, and
 * when the volume that it worked on is younger: what it does must bear being done twice.
 */
export function completedJob(on: Target, object: KubeObject, options: JobOptions): Step {
  const { script, workspace, result, keptIn, timeoutSeconds, dependsOn = [] } = options
  const { name, namespace = '' } = object.metadata
  const recipe = createHash('sha256')
    .update(showText(manifestText([object])))
    .digest('hex')
    .slice(0, 16)
  const made: KubeObject = {
    ...object,
    metadata: {
      ...object.metadata,
      labels: { ...object.metadata.labels, ...ownLabels({ workspace, script }) },
      annotations: { ...object.metadata.annotations, [recipeKey]: recipe },
    },
  }
  const wait = waitForJob(namespace, name, timeoutSeconds)
  const apply = [kubectlApply([made]), wait]
  return step({
    id: `job ${name}`,
    on,
    dependsOn,
    ask: { job: jobState(namespace, name), ...(keptIn !== undefined && { volume: claimedAt(namespace, keptIn) }) },
    plan({ job, volume }) {
      if (!job) return changes([create(`job ${name} (${result})`, apply, { explain })], '')
      const why = whyAgain(job, recipe, (volume as number | null | undefined) ?? null)
      if (why !== undefined)
        return changes([update(`job ${name} again: ${why}`, [kubectlDelete(refOf(made)), ...apply], { explain })], '')
      return changes(job.result === 'under way' ? [update(`job ${name} awaited`, wait, { explain })] : [], result)
    },
  })
}

function whyAgain(
  { result, recipe: before, made }: JobState,
  recipe: string,
  volume: number | null,
): string | undefined {
  if (volume !== null && volume > made)
    return 'its volume is a new one, and what the one before held is lost unless somebody copied it'
  if (before !== recipe) return 'its recipe changed'
  return result === 'failed' ? 'it failed' : undefined
}

// A failed Job is told at once: waiting for its success alone would take all of the time.
const waitForJob = (namespace: string, name: string, seconds: number) => sh`ns=${namespace}; job=${name}
${diagnosis}
end=$(( $(date +%s) + ${seconds} ))
while [ "$(date +%s)" -lt "$end" ]; do
  state=$(kubectl get job "$job" -n "$ns" -o 'jsonpath={.status.conditions[?(@.status=="True")].type}') || exit 1
  case "$state" in *Complete*) exit 0;; *Failed*) break;; esac
  sleep 1
done
diagnose "app=$job" $(kubectl get job "$job" -n "$ns" -o 'jsonpath={.metadata.uid}' 2>/dev/null)
exit 1`

function explain({ stderr }: Output): string | undefined {
  const told = stderr.split('\n').filter((line) => line.trim() !== '')
  return told.length > 0 ? `the job did not succeed: ${told.at(-1)?.trim()}` : undefined
}
