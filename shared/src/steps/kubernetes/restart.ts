import { all, sh } from '../../command/sh.ts'
import { changes, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { restartedAt } from '../../facts/kubernetes/pods.ts'

export interface RestartOptions {
  /** The workspace that deploys it, for messages. */
  readonly workspace: string
  readonly namespace: string
  readonly workload: `${'deployment' | 'statefulset'}/${string}`
  /** It shall have been restarted after this, in milliseconds since 1970. */
  readonly since: number
  /** Seconds that its new pods may take to get ready. */
  readonly seconds: number
  readonly risk: 'restart' | 'downtime'
}

/** A workload whose pods are newer than a moment, all ready. */
export function restarted(on: Target, { workspace, namespace, workload, since, seconds, risk }: RestartOptions): Step {
  return step({
    id: `restart ${workload}`,
    on,
    ask: { last: restartedAt(namespace, workload) },
    plan({ last }) {
      if (last === null) return refuse(`there is no ${workload}`, `npm run deploy -w ${workspace} makes it.`)
      const run = all(
        sh`kubectl rollout restart ${workload} -n ${namespace}`,
        sh`kubectl rollout status ${workload} -n ${namespace} --timeout=${`${seconds}s`}`,
      )
      const explain = () =>
        `${workload} did not get ready in ${seconds} seconds: npm run logs -w ${workspace} tells more`
      // Kubernetes keeps whole seconds.
      const done = last >= Math.floor(since / 1000) * 1000
      return changes(done ? [] : [update(`restart ${workload}`, run, { risk, explain })], 'restarted')
    },
  })
}
