import { type Command, type Output, revealText, type Text } from '../../command/command.ts'
import type { Shell } from '../../command/sh.ts'
import type { Listener } from '../../engine/target.ts'
import { awsFunction } from '../aws/credentials.ts'
import { signInEnv } from '../child-env.ts'
import { type ByteProcess, runLocal, startBytes } from '../process.ts'
import { kubectlFailure } from './errors.ts'
import type { KubeAccess } from './kubeconfig.ts'
import type { KubectlOptions } from './kubectl.ts'

interface Calling {
  readonly hear?: Listener
  /** The change that the command is part of. */
  readonly during?: string
  /** What it reads, where that is known only after it was started. */
  readonly stdin?: Promise<Text>
}

/** Runs a command with a way into the cluster. Throws where the way is at fault. */
export type Call = (access: KubeAccess, command: Command, calling?: Calling) => Promise<Output>

type Env = Readonly<Record<string, string | undefined>>

// The context is said in every call: the current one of a kubeconfig is whatever was used last.
const prelude = `kubectl() { command kubectl --context "$INFRA_CONTEXT" --cache-dir "$INFRA_KUBE_CACHE" \${INFRA_KUBE_TIMEOUT:+--request-timeout="$INFRA_KUBE_TIMEOUT"} "$@"; }
`

/** Runs commands by a shell of this machine, whose `kubectl` is told the way. */
export function caller(options: KubectlOptions): Call {
  return async (access, command, { hear, during, stdin } = {}) => {
    const callsAws = /(^|[|;&(\s])aws /.test(command.line)
    const env = {
      ...wayEnv(options, access),
      ...(callsAws && { ...options.awsEnv, ...(await options.credentialEnv?.()), ...options.env }),
      // Of a change the wait is part.
      INFRA_KUBE_TIMEOUT: during === undefined ? '20s' : undefined,
    }
    const input = stdin?.then(revealText) ?? (command.stdin ? revealText(command.stdin) : '')
    const line = prelude + (callsAws ? awsFunction : '') + command.line
    const output = await runLocal(line, input, env, hear, command.timeoutSeconds)
    const failure = kubectlFailure(access, output, during)
    if (failure) throw failure
    return output
  }
}

/** Starts a command with a way into the cluster; its streams are bytes. */
export const startIn = (options: KubectlOptions, access: KubeAccess, { line }: Shell): ByteProcess =>
  startBytes(prelude + line, { env: wayEnv(options, access) })

const wayEnv = (options: KubectlOptions, access: KubeAccess): Env => ({
  ...kubectlEnv(options, access),
  INFRA_CONTEXT: access.context,
  INFRA_KUBE_CACHE: options.cache,
})

/** What kubectl needs in its environment to find and enter a cluster. */
export const kubectlEnv = (options: KubectlOptions, access: KubeAccess): Env => ({
  ...signInEnv(process.env, access.signIn),
  ...(access.doks !== undefined && options.doctlEnv),
  // It lives for a moment: what it would collect is gone with it, and collecting takes a fifth of its time.
  GOGC: '400',
  ...options.env,
  KUBECONFIG: access.files,
})
