import type { Output } from '../../command/command.ts'
import { fieldManager, type ObjectRef, sayObject } from '../../command/kubectl.ts'
import { raw, type Shell, sh } from '../../command/sh.ts'
import { changes, type Dependency, type Explained, noting, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { findObject, type OwnObject, ownObjects } from '../../facts/kubernetes/objects.ts'
import { type PodState, podStates } from '../../facts/kubernetes/pods.ts'
import { diagnosis } from './diagnosis.ts'

export interface RolloutOptions {
  /** The script that they belong to, and the workspace. */
  readonly script: string
  readonly workspace: string
  readonly namespace: string
  /** `deployment/discord-bot`, `statefulset/redis`; the pods of each carry `app: <name>`. */
  readonly workloads: readonly `${'deployment' | 'statefulset'}/${string}`[]
  /** How long pods may take to get ready, in seconds. */
  readonly seconds: number
  /**
   * For Deployments whose program changes data for good at its start, so that no older image may follow once a newer one
   * has started: such a one stays as it is. What to do then.
   */
  readonly noWayBack?: string | undefined
  readonly dependsOn: readonly Dependency[]
}

/**
 * Workloads whose pods are all of the newest template, and ready. Waits for all of them at once. One that does not get
 * there is told with its events, pods and last log lines, and goes back to the revision that served before.
 */
export function rollouts(on: Target, options: RolloutOptions): Step {
  const { namespace, workloads, workspace, seconds, noWayBack } = options
  return step({
    id: `rollout ${options.script}`,
    on,
    ask: {
      own: ownObjects(workspace),
      ...(workloads.some((one) => one.startsWith('statefulset/')) && { pods: podStates(namespace) }),
    },
    unsettled: `Pods that were ready lost it again: kubectl get nodes; kubectl get pods -n ${namespace} -o wide`,
    dependsOn: options.dependsOn,
    plan({ own, pods = [] }, { pending }) {
      const states = workloads.map((workload) => {
        const ref = refOfWorkload(workload, namespace)
        return { workload, ref, state: stateOf(findObject(own, ref), pods) }
      })
      // What is about to be changed may begin one.
      const open = states.filter(({ state }) => state === 'under way' || pending.length > 0)
      const degraded = states.filter((one) => one.state === 'degraded' && !open.includes(one))
      const what = open.map(({ ref }) => sayObject(ref)).join(', ')
      const run = waitFor(
        open.map(({ workload }) => workload),
        namespace,
        seconds,
        noWayBack !== undefined,
      )
      return noting(
        changes(
          open.length > 0 ? [update(`${what} rolled out`, run, { explain: explainer(noWayBack) })] : [],
          'rolled out',
        ),
        degraded.map(
          ({ ref }) => `${sayObject(ref)} was rolled out before and is not ready now; verify and status tell more`,
        ),
      )
    },
  })
}

function refOfWorkload(workload: string, namespace: string): ObjectRef {
  const [kind = '', name = ''] = workload.split('/')
  return { kind: kind === 'deployment' ? 'Deployment' : 'StatefulSet', namespace, name }
}

/**
 * How far a rollout has come. One that once was complete and has lost a pod since is degraded, and no rollout: going back to
 * an older template would not heal it.
 */
function stateOf(now: OwnObject | null, pods: readonly PodState[]): 'done' | 'under way' | 'degraded' {
  if (!now || now.observed < now.generation || now.updated < now.replicas || now.total > now.updated) return 'under way'
  if (now.kind === 'StatefulSet') {
    if (!now.revised) return 'under way'
    const lost = pods.filter(({ app, lostReadiness }) => app === now.name && lostReadiness)
    return now.ready >= now.replicas ? 'done' : now.ready + lost.length >= now.replicas ? 'degraded' : 'under way'
  }
  if (now.available >= now.replicas) return 'done'
  return now.progress === 'NewReplicaSetAvailable' ? 'degraded' : 'under way'
}

const functions = raw(`${diagnosis.line}
# Of the newest revision alone: what stands beside it is of older attempts.
why() {
  if [ "$kind" = deployment ]; then
    set -- $(kubectl get deployment "$name" -n "$ns" -o 'jsonpath={.metadata.uid} {.metadata.annotations.deployment\\.kubernetes\\.io/revision}')
    set -- "$1" $(kubectl get replicasets -n "$ns" -l "app=$name" --no-headers \\
      -o 'custom-columns=O:.metadata.ownerReferences[0].uid,R:.metadata.annotations.deployment\\.kubernetes\\.io/revision,H:.metadata.labels.pod-template-hash,U:.metadata.uid' |
      awk -v owner="$1" -v revision="$2" '$1 == owner && $2 == revision { print $4, $3 }')
    diagnose "app=$name\${3:+,pod-template-hash=$3}" "$1" \${2:+"$2"}
  else
    set -- $(kubectl get statefulset "$name" -n "$ns" -o 'jsonpath={.metadata.uid} {.status.updateRevision}')
    diagnose "app=$name\${2:+,controller-revision-hash=$2}" "$1"
  fi
}
# Not "kubectl rollout undo", which writes in the name of "kubectl": what the older revision says would belong to that name,
# so that it stayed when no manifest says it any more, and the object would look like one that somebody else made.
restore() {
  kubectl patch "$kind/$name" -n "$ns" --type="$1" --patch-file=/dev/stdin --dry-run=server -o json |
    kubectl patch --local -f - --type=json -o json -p '[{"op":"remove","path":"/status"},
      {"op":"remove","path":"/metadata/resourceVersion"},{"op":"remove","path":"/metadata/uid"}]' |
    kubectl apply --server-side --force-conflicts --field-manager=${fieldManager} -f - >&2
}
# Whether the newest revision has another image than the one to go back to, and a container of it has started.
began() {
  image=$(kubectl get deployment "$name" -n "$ns" -o 'jsonpath={.spec.template.spec.containers[0].image}')
  [ "$image" != "$(kubectl get replicaset "$1" -n "$ns" -o 'jsonpath={.spec.template.spec.containers[0].image}')" ] || return
  # Where the answer does not come, it counts as one that has: nothing older is started then.
  pods=$(kubectl get pods -n "$ns" -l "app=$name" -o 'jsonpath={range .items[*]}{.spec.containers[0].image}{" "}{.status.containerStatuses[*].state.*.startedAt}{.status.containerStatuses[*].lastState.*.startedAt}{"\\n"}{end}') || return 0
  echo "$pods" | awk -v image="$image" '$1 == image && NF > 1 { found = 1 } END { exit !found }'
}
back() {
  if [ "$kind" = deployment ]; then
    set -- $(kubectl get replicasets -n "$ns" -l "app=$name" --no-headers \\
      -o 'custom-columns=R:.metadata.annotations.deployment\\.kubernetes\\.io/revision,A:.status.availableReplicas,O:.metadata.ownerReferences[0].name,N:.metadata.name' |
      awk -v name="$name" '$3 == name { if ($1 + 0 > top) top = $1 + 0; at[$1 + 0] = $2 + 0; set[$1 + 0] = $4 }
        END { for (r in at) if (r + 0 < top) { if (at[r] > 0 && r + 0 > good) good = r + 0; if (r + 0 > last) last = r + 0 }
          to = good ? good : last; if (to > 0) print to, set[to] }')
    [ $# = 2 ] || { echo "  $name: there is no earlier revision to go back to" >&2; return; }
    if [ "$ways" = 1 ] && began "$2"; then echo "  $name: stays at its image, which has begun to work on the data" >&2; return; fi
    { printf '[{"op":"replace","path":"/spec/template","value":'
      kubectl get replicaset "$2" -n "$ns" -o 'jsonpath={.spec.template}'
      printf '},{"op":"remove","path":"/spec/template/metadata/labels/pod-template-hash"}]'; } | restore json || return
    kubectl rollout status "$kind/$name" -n "$ns" --timeout=60s >/dev/null || return
    echo "  $name: went back to revision $1" >&2
  else
    set -- $(kubectl get statefulset "$name" -n "$ns" -o 'jsonpath={.status.currentRevision} {.status.updateRevision}')
    [ "$1" != "$2" ] || { echo "  $name: there is no earlier revision to go back to" >&2; return; }
    kubectl get controllerrevision "$1" -n "$ns" -o 'jsonpath={.data}' | restore strategic || return
    # A StatefulSet waits for ever for a pod that never got ready: only its removal lets the older one follow.
    kubectl delete pods -n "$ns" -l "app=$name,controller-revision-hash=$2" --wait=false >&2
    kubectl rollout status "$kind/$name" -n "$ns" --timeout=60s >/dev/null || return
    echo "  $name: went back to the revision before" >&2
  fi
}
rollout() {
  kind=\${1%%/*}; name=\${1#*/}
  kubectl rollout status "$1" -n "$ns" --timeout="$limit" && return 0
  echo "  $name: not ready" >&2; why; back; return 1
}
`)

/** Waits for all of them side by side; fails when one failed, after that one went back. */
function waitFor(workloads: readonly string[], namespace: string, seconds: number, oneWay: boolean): Shell {
  return sh`ns=${namespace}; limit=${`${seconds}s`}; ways=${oneWay ? 1 : 2}
${functions}
pids=
for workload in ${workloads}; do rollout "$workload" & pids="$pids $!"; done
code=0
for pid in $pids; do wait "$pid" || code=1; done
exit $code`
}

/** What came of each; and what to do where one did not go back. */
const explainer =
  (noWayBack: string | undefined) =>
  ({ stderr }: Output): Explained | string | undefined => {
    const lines = stderr.match(/^ {2}\S+: (not ready|went back .*|stays at .*|there is no earlier revision.*)$/gm)
    const cause = lines?.map((line) => line.trim()).join('; ')
    const stays = lines?.some((line) => line.includes(': stays at ')) === true
    return cause !== undefined && stays && noWayBack !== undefined ? { cause, remedy: noWayBack } : cause
  }
