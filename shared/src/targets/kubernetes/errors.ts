import { type DeadWebhook, readDeadWebhook, readDenial } from '../../command/admission.ts'
import type { Output } from '../../command/command.ts'
import { redact } from '../../command/secret.ts'
import { Failure, type FailureKind } from '../../engine/failure.ts'
import type { KubeAccess } from './kubeconfig.ts'

const install = 'Install it: https://kubernetes.io/docs/tasks/tools/ (brew install kubectl).'

type Say = (access: KubeAccess, found: RegExpMatchArray) => string

/** Faults of the way to the API server, not of what was asked: in kubectl's words, ours, what to do. First wins. */
const cases: readonly [pattern: RegExp, kind: FailureKind, say: Say, remedy: Say][] = [
  [
    /getting credentials: exec: (.*)/,
    'error',
    (_, found) => `the program that signs in to the cluster failed: ${found[1]}`,
    ({ context, renewedBy }) =>
      `The user of context ${context} signs in by a program (doctl, aws): is it installed, and signed in?${renewedBy ? ` The kubeconfig is renewed by ${renewedBy}.` : ''}`,
  ],
  [
    /You must be logged in to the server|\(Unauthorized\)|Unauthorized|asked for the client to provide credentials/,
    'error',
    ({ context, server }) => `${server} does not accept the credentials of context ${context}: expired or revoked`,
    ({ renewedBy }) =>
      renewedBy ? `Renew them: ${renewedBy}` : 'Renew them (doctl kubernetes cluster kubeconfig save NAME).',
  ],
  [
    /forbidden: User "([^"]*)" cannot (\S+) resource "([^"]*)"(?: in API group "([^"]*)")?(?: in the namespace "([^"]*)")?/,
    'error',
    (_, [, user, verb, resource, group, namespace]) =>
      `user ${user} may not ${verb} ${resource}${group ? `.${group}` : ''} ${namespace ? `in namespace ${namespace}` : 'in the whole cluster'}`,
    ({ context }) =>
      `Choose a context whose user may (KUBE_CONTEXT is ${context}), or have an administrator grant it. This deployment needs the rights of a cluster administrator.`,
  ],
  [
    /(?:.*x509: |tls: )(.*)/,
    'error',
    ({ server }, found) => `the certificate of ${server} is not trusted: ${found[1]}`,
    ({ context }) => `Is this the server you mean? Get the kubeconfig of context ${context} anew.`,
  ],
  [
    /context was not found for specified context|context "[^"]*" does not exist/,
    'error',
    ({ context, files }) => `there is no context ${context} in ${files}`,
    () => 'Correct KUBE_CONTEXT; kubectl config get-contexts tells which there are.',
  ],
  [
    /was refused - did you specify the right host|Unable to connect to the server|connection refused|no such host|i\/o timeout|TLS handshake timeout|context deadline exceeded|Client\.Timeout|connection reset by peer|network is unreachable|no route to host|unexpected EOF|http2: client connection lost/,
    'unreachable',
    ({ server }) => `the Kubernetes API at ${server} does not answer`,
    ({ context }) =>
      `Is the cluster running, is this machine online (VPN, firewall), and is ${context} the right context?`,
  ],
  [
    /ServiceUnavailable|server is currently unable to handle|etcdserver: |TooManyRequests|InternalError\)|the server was unable to return a response/,
    'unreachable',
    ({ server }) => `the Kubernetes API at ${server} has a fault of its own`,
    () => 'Wait a little and run again: it checks the current state first.',
  ],
]

/** How kubectl's own errors begin. */
const own = /^(error:|Error from server|Error in configuration|Unable to connect|The connection to the server)/

/** The failure that an answer tells of when the way to the cluster is at fault; `during` says what was being changed. */
export function kubectlFailure(access: KubeAccess, output: Output, during?: string): Failure | undefined {
  if (output.code === 0) return undefined
  if (output.code === 127 && /kubectl/.test(output.stderr)) {
    return new Failure('error', 'kubectl is not installed', { remedy: install })
  }
  // These hold the words of other programs, in which any of the cases below may stand.
  const dead = readDeadWebhook(output.stderr)
  if (dead) return deadWebhook(dead, during)
  // The answer was a judgement: the step says who judged.
  if (readDenial(output.stderr)) return undefined
  // What else it prints may be the log of a program with errors of its own.
  const errors = output.stderr
    .split('\n')
    .filter((line) => own.test(line))
    .join('\n')
  for (const [pattern, kind, say, remedy] of cases) {
    const found = errors.match(pattern)
    if (!found) continue
    return new Failure(kind, redact(say(access, found)), {
      remedy: remedy(access, found) + doubt(during),
      detail: errors
        .split('\n')
        .slice(-2)
        .map((line) => redact(line)),
    })
  }
  return undefined
}

const doubt = (during: string | undefined): string =>
  during
    ? ` What was under way (${during}) may or may not have been done; run the same command again: it checks the current state first.`
    : ''

const deadWebhook = ({ name, cause, remedy }: DeadWebhook, during: string | undefined): Failure =>
  new Failure('error', `admission webhook ${name} does not work, and the API server must ask it first: ${cause}`, {
    remedy: `${doubt(during)} ${remedy}`.trim(),
  })
