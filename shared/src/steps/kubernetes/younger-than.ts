import { sh } from '../../command/sh.ts'
import { changes, type Dependency, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { containerStarts } from '../../facts/kubernetes/container-starts.ts'

export interface YoungerOptions {
  readonly namespace: string
  /** Deployments, in the order in which they shall start. */
  readonly deployments: readonly string[]
  /** The app whose containers all of theirs must be younger than. */
  readonly than: string
  readonly why: string
  /** Seconds that the new pods of each may take to get ready. */
  readonly timeoutSeconds: number
  readonly dependsOn?: readonly Dependency[]
}

/**
 * Deployments whose containers started after those of another app: for programs that lose their connection to it for good
 * when it starts anew. Decided by facts, so that a run which died in between, or nobody at all, heals on the next.
 */
export function youngerThan(on: Target, options: YoungerOptions): Step {
  const { namespace, deployments, than, why, timeoutSeconds, dependsOn = [] } = options
  return step({
    id: `${deployments.join(', ')} after ${than}`,
    on,
    dependsOn,
    // A rollout of the other app that is yet to come makes a restart needed that nobody can see now.
    unknownWhilePending: true,
    ask: { starts: containerStarts(namespace, [...deployments, than]) },
    plan({ starts }) {
      const since = starts.get(than)?.newest
      if (since === undefined) return changes([], `${than} does not run`)
      const old = deployments.filter((name) => (starts.get(name)?.oldest ?? since) < since)
      const restart = (name: string) =>
        update(
          `restart deployment ${name}: ${why}`,
          [
            sh`kubectl rollout restart deployment/${name} -n ${namespace}`,
            sh`kubectl rollout status deployment/${name} -n ${namespace} --timeout=${`${timeoutSeconds}s`}`,
          ],
          { risk: 'downtime', explain: () => `${name} did not get ready in ${timeoutSeconds} seconds` },
        )
      return changes(old.map(restart), `started after ${than}`)
    },
  })
}
