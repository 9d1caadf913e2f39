import { redact } from './secret.ts'

/** A request that the API server's admission control denied: who did, in whose words, and what to do about it. */
export interface Denial {
  /** `admission webhook guard.example.com`, `quota few`, `namespace bots`. */
  readonly by: string
  readonly words: string
  readonly remedy: string
}

/** An admission webhook that the API server has to ask and cannot. */
export interface DeadWebhook {
  readonly name: string
  /** Why not: `connect: connection refused`. */
  readonly cause: string
  readonly remedy: string
}

type Part = (found: readonly string[]) => string

const listWebhooks = `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o 'custom-columns=KIND:.kind,NAME:.metadata.name,WEBHOOKS:.webhooks[*].name'`

/** What kubectl puts before the words of the API server. */
const before =
  /^(?:Error from server(?: \(\w+\))?: (?:error when [a-z ]+ "[^"]*": )?|The (?:request|\S+ "[^"]*") is invalid: (?:: )?)/

/** By how the words begin: those that deny hold texts of others, in which anything may stand. First wins. */
const denials: readonly [pattern: RegExp, by: Part, words: Part, remedy: Part][] = [
  [
    /^admission webhook "([^"]+)" denied the request(?:: (.+)| without explanation)/,
    ([, name]) => `admission webhook ${name}`,
    ([, , words]) => words ?? 'it gives no reason',
    () => `Change what it objects to, or ask who runs it. Its configuration: ${listWebhooks}`,
  ],
  [
    /^(?:\S+ "[^"]*" is forbidden: )?ValidatingAdmissionPolicy '([^']+)' with binding '([^']+)' denied request: (.+)/,
    ([, name]) => `admission policy ${name}`,
    ([, , , words = '']) => words,
    ([, name, binding]) =>
      `Change what it objects to, or ask who made it: kubectl get validatingadmissionpolicy/${name} validatingadmissionpolicybinding/${binding} -o yaml`,
  ],
  [
    /^\S+ "[^"]*" is forbidden: (?:exceeded|failed) quota: ([^,:]+)[,:] (.+)/,
    ([, name]) => `quota ${name} of the namespace`,
    ([, , words = '']) => words,
    ([, name]) =>
      `Have the quota raised, or use less of it: kubectl get resourcequota ${name} -o yaml, in that namespace.`,
  ],
  [
    /^\S+ "[^"]*" is forbidden: violates PodSecurity "([^"]+)": (.+)/,
    ([, level]) => `Pod Security (${level}) of the namespace`,
    ([, , words = '']) => words,
    () => 'The label pod-security.kubernetes.io/enforce of the namespace sets it: kubectl get namespaces --show-labels',
  ],
  [
    /^\S+ "[^"]*" is forbidden: unable to create new content in namespace (\S+) because it is being terminated/,
    ([, name]) => `namespace ${name}`,
    () => 'it is being deleted',
    ([, name]) => `Wait until it is gone, then run again. What holds it: kubectl get namespace ${name} -o yaml`,
  ],
  // A LimitRange and the rest of the admission control. Rights have an error of their own.
  [
    /^(\S+ "[^"]*") is forbidden: (?!User ")(.+)/,
    () => 'admission control of the API server',
    ([, object, words]) => `${object}: ${words}`,
    () => 'Change what it objects to, or ask the administrator of the cluster (kubectl get limitranges -A).',
  ],
]

/** The denial that kubectl tells of; undefined where there is none. */
export function readDenial(stderr: string): Denial | undefined {
  for (const words of wordsOf(stderr))
    for (const [pattern, by, say, remedy] of denials) {
      const found = words.match(pattern)
      if (found) return { by: by(found), words: redact(say(found)), remedy: remedy(found) }
    }
  return undefined
}

/** The webhook that the API server could not ask; undefined where it is none. */
export function readDeadWebhook(stderr: string): DeadWebhook | undefined {
  for (const words of wordsOf(stderr)) {
    const found = words.match(/^Internal error occurred: failed calling webhook "([^"]+)": (.+)/)
    if (!found) continue
    const [, name = '', why = ''] = found
    const [, host, cause = why.replace(/^failed to call webhook: /, '')] =
      why.match(/Post "https:\/\/([^"/]+)[^"]*": (.+)/) ?? []
    return { name, cause: redact(cause), remedy: remedyOf(host) }
  }
  return undefined
}

function remedyOf(host: string | undefined): string {
  const [, service, namespace] = host?.match(/^([^.]+)\.([^.]+)\.svc(?::|$)/) ?? []
  const where = service
    ? `Its Service is ${service} in namespace ${namespace}: kubectl get service,endpointslices,pods -n ${namespace}. `
    : host
      ? `It is at https://${host}. `
      : ''
  return `${where}Repair the webhook. Only where its program is gone for good, delete its configuration: ${listWebhooks}`
}

const wordsOf = (stderr: string): readonly string[] =>
  stderr.split('\n').flatMap((line) => {
    const found = line.match(before)
    return found ? [line.slice(found[0].length)] : []
  })
