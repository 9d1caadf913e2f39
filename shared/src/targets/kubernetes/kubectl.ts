import { type Command, isText, nothing, type Output, plainText, revealText, type Text } from '../../command/command.ts'
import { quote } from '../../command/sh.ts'
import { Failure } from '../../engine/failure.ts'
import type { Listener, Target } from '../../engine/target.ts'
import { awsFunction } from '../aws/credentials.ts'
import { blank } from '../blank.ts'
import { inOrder } from '../in-order.ts'
import { runLocal } from '../process.ts'
import { diffAll, isDiff } from './diffs.ts'
import { kubectlFailure } from './errors.ts'
import { type KubeAccess, userKubeconfig } from './kubeconfig.ts'
import { breakKubeLock, type KubeLock, takeKubeLock } from './lock.ts'

export interface KubectlOptions {
  /** Which cluster; undefined as long as there is no kubeconfig, because an earlier step makes it. Looked up anew each time. */
  access(): KubeAccess | undefined
  /**
   * Says whether a way leads to the cluster that is meant, where only somebody else knows. Asked before a way is used for
   * the first time; one that does not is no way at all.
   */
  leads?(access: KubeAccess): Promise<boolean>
  /** How it is called until then. */
  readonly awaitedAs: string
  /** The command that writes its kubeconfig, for messages; undefined where it is the user's own. */
  readonly renewedBy?: string
  /** Where kubectl keeps what it knows of the API: without it every process asks for all of it again. */
  readonly cache: string
  /** Variables for the children, for commands that other programs take part in (the aws CLI). */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** By what the aws CLI in these commands acts as the account's target does. */
  lend?(): Promise<Readonly<Record<string, string | undefined>>>
  /** Values that only become known in the course of a run, by the text that stands for them in manifests. */
  readonly values?: Readonly<Record<string, OpenValue>>
}

/** What stands in manifests for something that an earlier step makes. */
export interface OpenValue {
  /** Looks it up; undefined as long as there is none. Nothing is applied without it. */
  find(): Promise<string | undefined>
  /** What questions are asked with until then; without it they stay without an answer. */
  readonly meanwhile?: string
  /** What to say where it is needed before there is one, and what makes it. */
  readonly missing?: string
}

// The context is said in every call: the current one of a kubeconfig is whatever was used last.
const prelude = `kubectl() { command kubectl --context "$INFRA_CONTEXT" --cache-dir "$INFRA_KUBE_CACHE" \${INFRA_KUBE_TIMEOUT:+--request-timeout="$INFRA_KUBE_TIMEOUT"} "$@"; }
`

/**
 * A cluster reached by kubectl on this machine. Questions run side by side, those about manifests in one process;
 * commands run in order. Manifests and secrets go by stdin only.
 */
export function kubernetes(options: KubectlOptions): Target {
  const { cache, values = {} } = options
  let held: KubeLock | undefined
  let proven: string | undefined

  const isProven = (access: KubeAccess) => !options.leads || wayOf(access) === proven
  /** The way in, as far as it is known to lead to the cluster that is meant. */
  const known = (): KubeAccess | undefined => {
    const access = options.access()
    return access && isProven(access) ? access : undefined
  }
  /** The same, found out first where it is not known yet. */
  const proved = async (): Promise<KubeAccess | undefined> => {
    const access = options.access()
    if (!access || isProven(access)) return access
    if (!(await options.leads?.(access))) return undefined
    proven = wayOf(access)
    return access
  }
  const noWay = (): Failure => {
    const other = options.access()
    const name = options.awaitedAs
    const what = other
      ? `${other.files} leads to another cluster than ${name}`
      : `there is no kubeconfig for ${name} yet`
    return new Failure('error', what, {
      remedy: options.renewedBy
        ? `${options.renewedBy} writes it; or set KUBECONFIG and KUBE_CONTEXT.`
        : 'Set KUBECONFIG and KUBE_CONTEXT.',
    })
  }

  const call = async (access: KubeAccess, command: Command, hear: Listener, during?: string): Promise<Output> => {
    const env = {
      ...options.env,
      ...(await options.lend?.()),
      KUBECONFIG: access.files,
      INFRA_CONTEXT: access.context,
      INFRA_KUBE_CACHE: cache,
      // Of a change the wait is part.
      INFRA_KUBE_TIMEOUT: during === undefined ? '20s' : undefined,
    }
    const output = await runLocal(
      prelude + awsFunction + command.line,
      command.stdin ? revealText(command.stdin) : '',
      env,
      hear,
    )
    const failure = kubectlFailure(access, output, during)
    if (failure) throw failure
    return output
  }

  /** The command with its open values; or what to say of the first that is not known yet. */
  const fill = async (command: Command, asking: boolean): Promise<Command | string> => {
    let stdin = command.stdin
    const needed = Object.entries(values).filter(([name]) =>
      stdin?.parts.some((part) => typeof part === 'string' && part.includes(name)),
    )
    const found = await Promise.all(needed.map(([, { find }]) => find()))
    for (const [index, [name, { meanwhile, missing }]] of needed.entries()) {
      const value = found[index] ?? (asking ? meanwhile : undefined)
      if (value === undefined) return missing ?? `${name} is not known yet`
      if (stdin) stdin = replaced(stdin, name, value)
    }
    return stdin === command.stdin ? command : { ...command, ...(isText(stdin) && { stdin }) }
  }

  return {
    get name() {
      const access = known()
      if (!access) return options.awaitedAs
      return `kubernetes ${access.cluster} (context ${access.context}) at ${access.server}`
    },
    blank: false,
    get awaited() {
      return known() === undefined
    },
    typed({ line }) {
      const access = known()
      if (!access) return line
      const files = access.files === userKubeconfig() ? '' : `KUBECONFIG=${quote(access.files)} `
      return line.replaceAll(/(^|[;&|(]\s*)kubectl /gm, `$1${files}kubectl --context ${quote(access.context)} `)
    },
    // What stands in the way of that is told when something is asked.
    identify: () =>
      proved().then(
        () => {},
        () => {},
      ),
    async ask(questions) {
      const access = await proved()
      if (!access) return questions.map(() => nothing)
      const answers: Output[] = []
      const filled = await Promise.all(questions.map((question) => fill(question, true)))
      const ready = [...filled.entries()].flatMap(([index, command]) => {
        if (typeof command !== 'string') return [{ index, command }]
        answers[index] = { code: 2, stdout: '', stderr: command }
        return []
      })
      const quietly = (command: Command) => call(access, command, () => {})
      const diffs = ready.filter(({ command }) => isDiff(command))
      const rest = ready.filter(({ command }) => !isDiff(command))
      const [shown] = await Promise.all([
        diffAll(
          diffs.map(({ command }) => command),
          quietly,
        ),
        ...rest.map(async ({ index, command }) => {
          answers[index] = await quietly(command)
        }),
      ])
      diffs.forEach(({ index }, at) => {
        answers[index] = shown[at] as Output
      })
      return answers
    },
    async run(commands, hear) {
      const access = await proved()
      if (!access) throw noWay()
      return inOrder(commands, async (command) => {
        if (held?.lost)
          throw new Failure('locked', 'the lock was lost: another run may be at work', { remedy: 'Run again.' })
        const ready = await fill(command, false)
        if (typeof ready === 'string')
          throw new Failure('error', ready, {
            remedy: 'An earlier script makes it: run without --tags.',
          })
        return call(access, ready, hear, ready.line.split('\n')[0]?.slice(0, 80) ?? '')
      })
    },
    async lock(request) {
      const access = await proved()
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
      const access = await proved()
      if (!access && options.access()) throw noWay()
      return access && breakKubeLock((command) => call(access, command, () => {}))
    },
    close: async () => {},
  }
}

/** A cluster that shall not be asked: planned as one that has nothing. */
export function blankKubernetes(): Target {
  return blank('a Kubernetes cluster')
}

const wayOf = ({ files, context, server, doks }: KubeAccess): string => [files, context, server, doks].join('\n')

function replaced({ parts }: Text, name: string, value: string): Text {
  const swap = (part: Text['parts'][number]) =>
    typeof part === 'string' ? plainText(part.replaceAll(name, value)).parts : [part]
  return { parts: parts.flatMap(swap) }
}
