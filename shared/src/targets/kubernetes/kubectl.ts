import { type Command, nothing, type Output, revealText } from '../../command/command.ts'
import { quote } from '../../command/sh.ts'
import { Failure } from '../../engine/failure.ts'
import type { Listener, Target } from '../../engine/target.ts'
import { awsFunction } from '../aws/credentials.ts'
import { blank } from '../blank.ts'
import { signInEnv } from '../child-env.ts'
import { inOrder } from '../in-order.ts'
import { runLocal } from '../process.ts'
import { diffAll, isDiff } from './diffs.ts'
import { kubectlFailure } from './errors.ts'
import { type KubeAccess, userKubeconfig } from './kubeconfig.ts'
import { breakKubeLock, type KubeLock, takeKubeLock } from './lock.ts'
import { fillValues, type OpenValue } from './open-values.ts'
import { provenAccess } from './proven-access.ts'

export interface KubectlOptions {
  /** Which cluster; undefined as long as there is no kubeconfig, because an earlier step makes it. Looked up anew each time. */
  access(): KubeAccess | undefined
  /**
   * Says whether a way leads to the cluster that is meant, where only somebody else knows. Asked before a way is used for
   * the first time; one that does not is useless.
   */
  verifyCluster?(access: KubeAccess): Promise<boolean>
  /** How it is called until then. */
  readonly placeholderName: string
  /** The command that writes its kubeconfig, for messages; undefined where it is the user's own. */
  readonly renewedBy?: string
  /** Where kubectl keeps what it knows of the API: without it every process asks for all of it again. */
  readonly cache: string
  /** More variables for every command. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Variables for doctl, where a kubeconfig signs in by it. */
  readonly doctlEnv?: Readonly<Record<string, string | undefined>>
  /** Variables for commands that the aws CLI takes part in. */
  readonly awsEnv?: Readonly<Record<string, string | undefined>>
  /** By what the aws CLI in these commands acts as the account's target does. */
  credentialEnv?(): Promise<Readonly<Record<string, string | undefined>>>
  /** Values that only become known in the course of a run, by the text that stands for them in manifests. */
  readonly values?: Readonly<Record<string, OpenValue>>
}

// The context is said in every call: the current one of a kubeconfig is whatever was used last.
const prelude = `kubectl() { command kubectl --context "$INFRA_CONTEXT" --cache-dir "$INFRA_KUBE_CACHE" \${INFRA_KUBE_TIMEOUT:+--request-timeout="$INFRA_KUBE_TIMEOUT"} "$@"; }
`

/** Runs a command with a way into the cluster. `during` names the change that it is part of. */
type Call = (access: KubeAccess, command: Command, hear: Listener, during?: string) => Promise<Output>

/**
 * A cluster reached by kubectl on this machine. Questions run side by side, those about manifests in one process;
 * commands run in order. Manifests and secrets go by stdin only.
 */
export function kubernetes(options: KubectlOptions): Target {
  const { values = {} } = options
  const { known, verified, missing } = provenAccess(options)
  const call = caller(options)
  let held: KubeLock | undefined

  return {
    get name() {
      const access = known()
      if (!access) return options.placeholderName
      return `kubernetes ${access.cluster} (context ${access.context}) at ${access.server}`
    },
    blank: false,
    get notCreatedYet() {
      return known() === undefined
    },
    typed: ({ line }) => typedLine(known(), line),
    // What stands in the way of that is told when something is asked.
    identify: () =>
      verified().then(
        () => {},
        () => {},
      ),
    async ask(questions) {
      const access = await verified()
      if (!access) return questions.map(() => nothing)
      const filled = await Promise.all(questions.map((question) => fillValues(values, question, true)))
      return askAll(filled, (command) => call(access, command, () => {}))
    },
    async run(commands, hear) {
      const access = await verified()
      if (!access) throw missing()
      return inOrder(commands, async (command) => {
        if (held?.lost)
          throw new Failure('locked', 'the lock was lost: another run may be at work', { remedy: 'Run again.' })
        const ready = await fillValues(values, command, false)
        if (typeof ready === 'string')
          throw new Failure('error', ready, { remedy: 'An earlier script makes it: run without --tags.' })
        return call(access, ready, hear, ready.line.split('\n')[0]?.slice(0, 80) ?? '')
      })
    },
    async lock(request) {
      const access = await verified()
      // A cluster that is yet to be made has nobody at work in it.
      if (!access) return { release: async () => {} }
      const lock = await takeKubeLock((command) => call(access, command, () => {}), request)
      held = lock
      return {
        async release() {
          held = undefined
          // What was destroyed took the lock along.
          if (known()) await lock.release()
        },
      }
    },
    async unlock() {
      const access = await verified()
      if (!access && options.access()) throw missing()
      return access && breakKubeLock((command) => call(access, command, () => {}))
    },
    close: async () => {},
  }
}

function caller(options: KubectlOptions): Call {
  return async (access, command, hear, during) => {
    const callsAws = /(^|[|;&(\s])aws /.test(command.line)
    const env = {
      ...signInEnv(process.env, access.signIn),
      ...(access.doks !== undefined && options.doctlEnv),
      ...(callsAws && { ...options.awsEnv, ...(await options.credentialEnv?.()) }),
      ...options.env,
      KUBECONFIG: access.files,
      INFRA_CONTEXT: access.context,
      INFRA_KUBE_CACHE: options.cache,
      // Of a change the wait is part.
      INFRA_KUBE_TIMEOUT: during === undefined ? '20s' : undefined,
    }
    const stdin = command.stdin ? revealText(command.stdin) : ''
    const output = await runLocal(prelude + (callsAws ? awsFunction : '') + command.line, stdin, env, hear)
    const failure = kubectlFailure(access, output, during)
    if (failure) throw failure
    return output
  }
}

function typedLine(access: KubeAccess | undefined, line: string): string {
  if (!access) return line
  const files = access.files === userKubeconfig() ? '' : `KUBECONFIG=${quote(access.files)} `
  return line.replaceAll(/(^|[;&|(]\s*)kubectl /gm, `$1${files}kubectl --context ${quote(access.context)} `)
}

/** Asks side by side, all questions about manifests in one process. A text in place of a command is its answer. */
async function askAll(
  questions: readonly (Command | string)[],
  ask: (command: Command) => Promise<Output>,
): Promise<Output[]> {
  const answers: Output[] = []
  const ready = [...questions.entries()].flatMap(([index, command]) => {
    if (typeof command !== 'string') return [{ index, command }]
    answers[index] = { code: 2, stdout: '', stderr: command }
    return []
  })
  const diffs = ready.filter(({ command }) => isDiff(command))
  const rest = ready.filter(({ command }) => !isDiff(command))
  const [shown] = await Promise.all([
    diffAll(
      diffs.map(({ command }) => command),
      ask,
    ),
    ...rest.map(async ({ index, command }) => {
      answers[index] = await ask(command)
    }),
  ])
  diffs.forEach(({ index }, at) => {
    answers[index] = shown[at] as Output
  })
  return answers
}

/** A cluster that shall not be asked: planned as one that has nothing. */
export function blankKubernetes(): Target {
  return blank('a Kubernetes cluster')
}
