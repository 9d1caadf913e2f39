import type { Output } from '../../command/command.ts'
import { raw, type Shell, sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** What something in the cluster answers, or why it does not. */
export interface Answer {
  readonly ok: boolean
  readonly text: string
}

/** What a Service answers, and whether it was one of its pods that did. */
export interface ServiceAnswer extends Answer {
  readonly isReached: boolean
}

// In the words of the API server's proxy: of a Service without a ready pod, and of a pod that takes no connection.
const unreached = /no endpoints available for service |error trying to reach service: /

/** What a Service answers to a GET, asked through the API server's proxy: `serviceAnswer('bots', 'bot:http', '/health')`. */
export function serviceAnswer(namespace: string, service: string, path: string): Question<ServiceAnswer> {
  return {
    command: sh`kubectl get --raw ${`/api/v1/namespaces/${namespace}/services/${service}/proxy${path}`} 2>&1`,
    parse(output) {
      const answer = parse(output)
      return { ...answer, isReached: answer.ok || !unreached.test(answer.text) }
    },
  }
}

/** A program that hangs must not hold up all that is asked beside it. */
const podSeconds = 20

/** What a command prints in a pod, in so many seconds; `from` is a command of this machine whose output it reads. */
export function podAnswer(
  namespace: string,
  pod: string,
  command: readonly string[],
  { from, seconds = podSeconds }: { readonly from?: Shell; readonly seconds?: number } = {},
): Question<Answer> {
  const run = sh`kubectl exec${from ? raw(' -i') : raw('')} -n ${namespace} ${pod} -- ${command} 2>&1`
  return { command: { ...(from ? sh`${from} | ${run}` : run), timeoutSeconds: seconds }, parse }
}

// Ready before begun, begun before ending; of equals the newest.
const choosePod = `{ rank = ($2 == "True") ($3 == "<none>") ($4 == "Running") $5; if (rank >= best) { best = rank; pod = $1 } } END { print pod }`
const podColumns =
  'custom-columns=N:.metadata.name,R:.status.conditions[?(@.type=="Ready")].status,D:.metadata.deletionTimestamp,P:.status.phase,C:.metadata.creationTimestamp'

/**
 * What a command prints in the pod of an app, whoever made that and whatever it is called; `absent` where the app has no pod.
 * Pods are known by their label `app`.
 */
export function appAnswer(namespace: string, app: string, command: readonly string[]): Question<Answer | 'absent'> {
  const none = `there is no pod of ${app}`
  return {
    command: {
      ...sh`exec 2>&1
pods=$(kubectl get pods -n ${namespace} -l ${`app=${app}`} --no-headers -o ${podColumns}) || exit
pod=$(printf '%s\n' "$pods" | awk ${choosePod})
if [ -z "$pod" ]; then echo ${none}; exit 1; fi
kubectl exec -n ${namespace} "$pod" -- ${command}`,
      timeoutSeconds: podSeconds,
    },
    parse(output) {
      const answer = parse(output)
      const isGone = /^Error from server \(NotFound\): (pods|namespaces) "/.test(answer.text)
      return output.code === 127 || answer.text === none || isGone ? 'absent' : answer
    },
  }
}

/**
 * Whether a pod of a workload gets through to a Redis, by the Service's address, so that no name has to be resolved:
 * `open`, `closed` (refused, or no answer within five seconds), or why it could not be tried. The pod's image needs a
 * shell with nc, or bash.
 */
export function redisConnection(
  namespace: string,
  from: { readonly workload: string; readonly container: string },
  to: { readonly name: string; readonly port: number },
): Question<'open' | 'closed' | { readonly untried: string }> {
  const { workload, container } = from
  return {
    command: {
      ...sh`address=$(kubectl get service ${to.name} -n ${namespace} -o ${'jsonpath={.spec.clusterIP}'}) || exit
kubectl exec -n ${namespace} ${workload} -c ${container} -- sh -c ${tryRedis} sh "$address" ${to.port} 2>&1`,
      timeoutSeconds: podSeconds,
    },
    parse({ code, stdout, stderr }) {
      const told = stdout.trim().split('\n').at(-1) ?? ''
      if (code === 0 && (told === 'open' || told === 'closed')) return told
      return { untried: told || stderr.trim().split('\n').at(-1) || `exit code ${code}` }
    },
  }
}

// A Redis answers whoever gets through, if only that a password is missing.
const tryRedis = `ask() { printf 'PING\\r\\nQUIT\\r\\n'; sleep 1; }
if command -v nc >/dev/null; then answer=$(ask | timeout 5 nc -w 3 "$1" "$2" 2>/dev/null)
elif command -v bash >/dev/null; then
  answer=$(timeout 5 bash --norc -c 'exec 3<>"/dev/tcp/$1/$2" && printf "PING\\r\\nQUIT\\r\\n" >&3 && cat <&3' bash "$1" "$2" 2>/dev/null)
else echo 'the image has neither nc nor bash to try with'; exit 3
fi
if [ -n "$answer" ]; then echo open; else echo closed; fi`

// A pod that refuses a connection is a finding, and no fault of the way to the cluster: its error is part of the answer.
function parse({ code, stdout, stderr }: Output): Answer {
  const text = (code === 124 ? stderr : stdout).trim().split('\n').at(-1) ?? ''
  return { ok: code === 0, text: text || (code === 127 ? 'there is no cluster' : `exit code ${code}`) }
}
