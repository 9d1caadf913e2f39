import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { Failure } from '../../engine/failure.ts'

/** The cluster that a context of a kubeconfig leads to. */
export interface KubeAccess {
  /** Files, as the variable KUBECONFIG has them: separated by colons. */
  readonly files: string
  readonly context: string
  readonly cluster: string
  readonly server: string
  /** The id of the DOKS cluster whose credentials doctl gets; undefined where the user signs in by other means. */
  readonly doks?: string | undefined
  /** The program that signs kubectl in; undefined where the kubeconfig holds a token or a certificate. */
  readonly signIn?: string | undefined
  /** The command that writes this kubeconfig anew; undefined where it is the user's own. */
  readonly renewedBy?: string
}

interface Named {
  readonly name?: string
  readonly context?: { readonly cluster?: string; readonly user?: string }
  readonly cluster?: { readonly server?: string; readonly 'insecure-skip-tls-verify'?: unknown }
  readonly user?: { readonly exec?: { readonly command?: string; readonly args?: readonly string[] | null } }
}

interface Kubeconfig {
  readonly 'current-context'?: string
  readonly contexts?: readonly Named[]
  readonly clusters?: readonly Named[]
  readonly users?: readonly Named[]
}

/** Where kubectl looks when it is told nothing. */
export const userKubeconfig = (): string => join(homedir(), '.kube', 'config')

/**
 * Looks up a context in kubeconfig files, by kubectl's own rule: of what several files say the first counts. Without
 * `context` the current one of the file is taken, which is for a file of our own only.
 */
export function readAccess(files: string, context?: string): KubeAccess {
  const configs = files
    .split(':')
    .filter((file) => file !== '' && existsSync(file))
    .map(readConfig)
  if (configs.length === 0)
    throw new Failure('error', `there is no kubeconfig ${files}`, {
      remedy: 'Correct KUBECONFIG, or unset it and KUBE_CONTEXT to use the cluster that DO_CLUSTER_NAME names.',
    })
  const contexts = configs.flatMap(({ contexts }) => contexts ?? [])
  const wanted = context ?? configs.find((config) => config['current-context'])?.['current-context']
  const found = contexts.find(({ name }) => name === wanted)?.context
  if (!wanted || !found)
    throw new Failure('error', `there is no context ${wanted ?? ''} in ${files}`.replace('  ', ' '), {
      remedy: `Correct KUBE_CONTEXT. There are: ${contexts.map(({ name }) => name).join(', ') || 'none'}`,
    })
  const clusters = configs.flatMap(({ clusters }) => clusters ?? [])
  const cluster = clusters.find(({ name }) => name === found.cluster)?.cluster
  const server = cluster?.server
  if (!server)
    throw new Failure('error', `context ${wanted} leads to no cluster: ${found.cluster ?? 'it names none'}`, {
      remedy: `Mend ${files}: kubectl config view shows it.`,
    })
  assertVerified({ files, context: wanted, cluster: found.cluster ?? '', server }, cluster['insecure-skip-tls-verify'])
  const users = configs.flatMap(({ users }) => users ?? [])
  const exec = users.find(({ name }) => name === found.user)?.user?.exec
  const signsIn = exec?.args ?? []
  const doks = signsIn.includes('exec-credential') ? signsIn.find((word) => /^[0-9a-f-]{36}$/.test(word)) : undefined
  return { files, context: wanted, cluster: found.cluster ?? '', server, doks, signIn: exec?.command }
}

/**
 * Refuses a way on which nobody proves to be the cluster: whoever stands between would be sent every secret and every
 * credential. A server on this machine (kubectl proxy) may speak plain http.
 */
function assertVerified({ files, context, cluster, server }: KubeAccess, skipped: unknown): void {
  const plain = /^http:/i.test(server) && !/^http:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|\/|$)/i.test(server)
  if (!skipped && !plain) return
  const why = skipped ? 'insecure-skip-tls-verify is set' : `${server} is not https`
  const mend = skipped
    ? `Give it the cluster's authority: kubectl config set-cluster ${cluster} --insecure-skip-tls-verify=false --embed-certs --certificate-authority=FILE`
    : `Give it the https address: kubectl config set-cluster ${cluster} --server=https://HOST:PORT`
  throw new Failure('error', `context ${context} does not check who answers: ${why} for cluster ${cluster}`, {
    detail: [`in ${files}`],
    remedy: `${mend}. Secrets would go to whoever answers.`,
  })
}

function readConfig(file: string): Kubeconfig {
  try {
    return (parse(readFileSync(file, 'utf8')) ?? {}) as Kubeconfig
  } catch (error) {
    // The parser quotes what it read, which may be a token: only where it stopped is told.
    const line = (error as { linePos?: { line: number }[] }).linePos?.[0]?.line
    const why = line ? `line ${line} is not YAML` : ((error as NodeJS.ErrnoException).code ?? 'it is not YAML')
    throw new Failure('error', `${file} cannot be read as a kubeconfig: ${why}`, {
      remedy: 'Correct KUBECONFIG or the file.',
    })
  }
}
