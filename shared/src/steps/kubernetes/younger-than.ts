import type { Output } from '../../command/command.ts'
import { type Shell, sh } from '../../command/sh.ts'
import { changes, type Dependency, type Explained, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { containerStarts } from '../../facts/kubernetes/container-starts.ts'
import { claimedAt } from '../../facts/kubernetes/volumes.ts'

/** A command that fails where something does not hold, and what to say then. */
export interface Provided {
  readonly that: Shell
  explain(output: Output): Explained | undefined
}

export interface YoungerOptions {
  readonly namespace: string
  /** Deployments, in the order in which they shall start. */
  readonly deployments: readonly string[]
  /** What all their containers must be younger than: the containers of an app, or the claim of a volume. */
  readonly than: string | { readonly claim: string }
  readonly why: string
  /** What must hold before a deployment is restarted, by its name. */
  readonly provided?: Readonly<Record<string, Provided>>
  /** Seconds that the new pods of each may take to get ready. */
  readonly timeoutSeconds: number
  readonly dependsOn?: readonly Dependency[]
}

/**
 * Deployments whose containers started after those of another app, or after a volume was claimed: for programs that lose
 * their connection for good when the other starts anew, or that prepare a volume at their own start alone. Decided by
 * facts, so that a run which died in between, or nobody at all, heals on the next.
 */
export function youngerThan(on: Target, options: YoungerOptions): Step {
  const { namespace, deployments, than, why, provided = {}, timeoutSeconds, dependsOn = [] } = options
  const [app, claim] = typeof than === 'string' ? [than, undefined] : [undefined, than.claim]
  const called = app ?? `volume ${claim}`
  return step({
    id: `${deployments.join(', ')} after ${called}`,
    on,
    dependsOn,
    // A rollout of the other app that is yet to come makes a restart needed that nobody can see now.
    unknownWhilePending: true,
    ask: {
      starts: containerStarts(namespace),
      ...(claim !== undefined && { claimed: claimedAt(namespace, claim) }),
    },
    plan({ starts, claimed }) {
      const since = app === undefined ? (claimed as number | null | undefined) : starts.get(app)?.newest
      if (since === undefined || since === null)
        return changes([], `${called} ${app ? 'does not run' : 'is not there'}`)
      const old = deployments.filter((name) => (starts.get(name)?.oldest ?? since) < since)
      const restart = (name: string) =>
        update(
          `restart deployment ${name}: ${why}`,
          [
            ...(provided[name] ? [provided[name].that] : []),
            sh`kubectl rollout restart deployment/${name} -n ${namespace}`,
            sh`kubectl rollout status deployment/${name} -n ${namespace} --timeout=${`${timeoutSeconds}s`}`,
          ],
          {
            risk: 'downtime',
            explain: (output) =>
              provided[name]?.explain(output) ?? `${name} did not get ready in ${timeoutSeconds} seconds`,
          },
        )
      return changes(old.map(restart), `started after ${called}`)
    },
  })
}
