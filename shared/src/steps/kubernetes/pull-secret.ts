import { type AwsPlace, aws, explainAws } from '../../command/aws.ts'
import type { Output } from '../../command/command.ts'
import { kubeGet } from '../../command/kube-get.ts'
import { fieldManager, kubectlFault, ownLabels } from '../../command/kubectl.ts'
import { raw, type Shell, sh } from '../../command/sh.ts'
import { changes, create, type Dependency, type Question, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { findObject, ownObjects, renewedAt } from '../../facts/kubernetes/objects.ts'

export interface PullSecretOptions {
  readonly name: string
  readonly namespace: string
  readonly script: string
  readonly workspace: string
  readonly place: AwsPlace
  readonly dependsOn?: readonly Dependency[]
}

const dockerConfig = 'kubernetes.io/dockerconfigjson'

/** ECR's tokens live for 12 hours and are renewed every 4; the rest is time to notice that they were not. */
export const staleAfterHours = 5

/** The Secret that pods pull from ECR with, no older than it may be. The token goes from the aws CLI to kubectl by pipe. */
export function pullSecret(on: Target, options: PullSecretOptions): Step {
  const { name, namespace, workspace, place } = options
  const ref = { kind: 'Secret', namespace, name }
  return step({
    id: `pull secret ${name}`,
    on,
    ask: { age: secretAge(workspace, ref), type: secretType(namespace, name) },
    dependsOn: options.dependsOn ?? [],
    plan({ age, type }) {
      const run = renewPullSecret(options, aws(place, ...tokenCall))
      if (type !== null && type !== dockerConfig)
        return refuse(
          `secret ${name} is of the type ${type} instead of ${dockerConfig}, and a Secret keeps its type`,
          `Take it away, then deploy, which makes it anew (what runs goes on): ${sh`kubectl delete secret ${name} -n ${namespace}`.line}`,
        )
      if (age === null && type !== null)
        return changes([update(`secret ${name}: a token of ECR in place of what others made`, run, { explain })], '')
      if (age === null) return changes([create(`secret ${name} from ECR's token`, run, { explain })], '')
      if (age === 'fresh') return changes([], `less than ${staleAfterHours} hours old`)
      return changes(
        [update(`secret ${name}: its token is ${staleAfterHours} hours old or more`, run, { explain })],
        '',
      )
    },
  })
}

function explain(output: Output): string | undefined {
  const [first = ''] = output.stderr.trim().split('\n')
  const why = explainAws(output) ?? first
  return why && `no token of ECR could be kept: ${why}`
}

const tokenQuery = 'authorizationData[0].[proxyEndpoint,authorizationToken]'
const tokenCall = ['ecr', 'get-authorization-token', {}, { query: tokenQuery }] as const

/** Whether a secret was renewed lately; null when there is none. The age itself would differ from one look to the next. */
function secretAge(workspace: string, ref: { kind: string; namespace: string; name: string }) {
  const { command, parse } = ownObjects(workspace)
  return {
    command,
    parse: (output: Parameters<typeof parse>[0]): 'fresh' | 'stale' | null => {
      const found = findObject(parse(output), ref)
      return found && (hoursSince(found.renewed ?? 0) < staleAfterHours ? 'fresh' : 'stale')
    },
  }
}

/** The type of a Secret, whoever made it; null when there is none. */
function secretType(namespace: string, name: string): Question<string | null> {
  return {
    command: kubeGet({ kinds: ['secret'], names: [name], namespace, print: { as: 'value', path: '.type' } }),
    parse({ code, stdout, stderr }) {
      if (code === 127) return null
      if (code !== 0) throw kubectlFault({ code, stderr })
      return stdout.trim() || null
    },
  }
}

/** Hours since a second of 1970. */
export const hoursSince = (second: number): number => (Date.now() / 1000 - second) / 3600

/**
 * Shell that asks for a token and applies the Secret that holds it: printf is the shell's own, so that the token is in
 * no process list. `call` prints the registry's address and the token. The same runs here and in the cluster.
 */
export function renewPullSecret(
  { name, namespace, script, workspace }: Omit<PullSecretOptions, 'place' | 'dependsOn'>,
  call: Shell,
): Shell {
  const meta = JSON.stringify({
    name,
    namespace,
    labels: ownLabels({ workspace, script }),
  })
  const manifest = `{"apiVersion":"v1","kind":"Secret","type":"${dockerConfig}","metadata":${meta.slice(0, -1)},"annotations":{"${renewedAt}":"%s"}},"data":{".dockerconfigjson":"%s"}}`
  return sh`answer=$(${call}) || exit 1
set -- $answer
[ -n "$2" ] || { echo 'error: ECR gave no token' >&2; exit 1; }
config=$(printf '{"auths":{"%s":{"auth":"%s"}}}' "\${1#https://}" "$2" | base64 | tr -d '\\n')
printf ${manifest} "$(date +%s)" "$config" | ${raw(`kubectl apply --server-side --force-conflicts --field-manager=${fieldManager} -f -`)}`
}

/** The same as a script for a pod, whose environment tells region and endpoint. */
export function renewInPod(options: Omit<PullSecretOptions, 'place' | 'dependsOn'>): string {
  const endpoint = raw(`\${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"}`)
  const call = sh`aws ecr get-authorization-token ${endpoint} --query ${tokenQuery} --output text`
  return renewPullSecret(options, call).line
}
