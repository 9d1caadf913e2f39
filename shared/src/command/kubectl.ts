import { readDenial } from './admission.ts'
import { type Command, type Output, plainText, type Text } from './command.ts'
import { derive, isSecret, type Secret } from './secret.ts'
import { raw, type Shell, sh, withStdin } from './sh.ts'

export type KubeValue =
  | string
  | number
  | boolean
  | null
  | Secret
  | readonly KubeValue[]
  | { readonly [field: string]: KubeValue }

/** What names an object in a cluster. */
export interface ObjectRef {
  readonly kind: string
  /** Undefined for what belongs to no namespace, such as a ClusterRole. */
  readonly namespace?: string | undefined
  readonly name: string
}

/** A Kubernetes object as it shall be: a plain manifest whose values may be secrets. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: KubeValue
}

/** Under this name our fields are kept apart from those of others (server-side apply). */
export const fieldManager = 'infra'

export const managedBy = 'app.kubernetes.io/managed-by'
export const partOf = 'app.kubernetes.io/part-of'
export const component = 'app.kubernetes.io/component'

/** The labels of an object that a script of a workspace makes, by which later runs know it as theirs. */
export const ownLabels = ({ workspace, script }: { readonly workspace: string; readonly script: string }) => ({
  [managedBy]: fieldManager,
  [partOf]: workspace,
  [component]: script,
})

/** What a question about manifests runs: whole objects before and after, not only the lines around a difference. */
export const diffLine = raw(
  `KUBECTL_EXTERNAL_DIFF='diff -r -N -U99999' kubectl diff --server-side --force-conflicts --field-manager=${fieldManager} --show-managed-fields --concurrency=8 -f -`,
)

/** How a line of the stderr of that begins which tells of a value that is not known yet, and for which another stood. */
export const notYet = 'Not yet: '

/** What applying manifests would change, asked of the API server itself: it judges, fills in defaults and writes nothing. */
export function kubectlDiff(objects: readonly KubeObject[]): Command {
  return withStdin(diffLine, manifestText(objects))
}

/** Applies manifests; of fields that another manager has with another value, ours is taken. */
export function kubectlApply(objects: readonly KubeObject[]): Command {
  return withStdin(
    raw(`kubectl apply --server-side --force-conflicts --field-manager=${fieldManager} -f -`),
    manifestText(objects),
  )
}

/** Removes one object and waits until it is gone. */
export function kubectlDelete({ kind, namespace, name }: ObjectRef): Shell {
  const where = namespace === undefined ? raw('') : sh` -n ${namespace}`
  return sh`kubectl delete ${kind.toLowerCase()} ${name}${where} --ignore-not-found --wait --timeout=120s`
}

/** `deployment discord-bot`: how an object is called in plans. */
export function sayObject({ kind, name }: ObjectRef): string {
  return `${kind.replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, ' ').toLowerCase()} ${name}`
}

export function refOf({ kind, metadata }: KubeObject): ObjectRef {
  return { kind, namespace: metadata.namespace, name: metadata.name }
}

/** `Deployment discord-bot/redis`: one text for equal objects. */
export function keyOf({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace ?? ''}/${name}`
}

/** Manifests as one list, in JSON, secrets in it. */
export function manifestText(objects: readonly KubeObject[]): Text {
  return { parts: joined(jsonParts({ apiVersion: 'v1', kind: 'List', items: objects })) }
}

/** The `data` of a Secret: each value in base64. */
export function secretData(values: Readonly<Record<string, Secret>>): Record<string, Secret> {
  const encoded = (value: Secret) => derive((open) => Buffer.from(open(value)).toString('base64'))
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, encoded(value)]))
}

type Part = string | Secret

function jsonParts(value: KubeValue): Part[] {
  if (isSecret(value)) return [derive((open) => JSON.stringify(open(value)))]
  if (value === null || typeof value !== 'object') return [JSON.stringify(value)]
  const list = Array.isArray(value)
  const entries = Object.entries(value as Readonly<Record<string, KubeValue>>).filter(([, held]) => held !== undefined)
  const parts = entries.flatMap(([key, held], index): Part[] => [
    `${index === 0 ? '' : ','}${list ? '' : `${JSON.stringify(key)}:`}`,
    ...jsonParts(held),
  ])
  return list ? ['[', ...parts, ']'] : ['{', ...parts, '}']
}

/** The same parts with neighbouring plain ones joined. */
function joined(parts: readonly Part[]): Part[] {
  const result: Part[] = []
  for (const part of parts) {
    const last = result.at(-1)
    if (typeof part === 'string' && typeof last === 'string') result[result.length - 1] = last + part
    else result.push(part)
  }
  return result
}

/** Several texts of manifests as one, for one call. */
export function joinManifests(texts: readonly Text[]): Text {
  return { parts: texts.flatMap(({ parts }) => [...parts, ...plainText('\n').parts]) }
}

/** The last line that kubectl said, for a question that has no answer. */
export const kubectlFault = ({ code, stderr }: Pick<Output, 'code' | 'stderr'>): Error =>
  new Error(stderr.trim().split('\n').at(-1) || `exit code ${code}`)

/** What kubectl says of a failed change, without the name of its kind of error; of a denial who denied, and what to do. */
export function explainKubectl({
  stderr,
}: Output): { readonly cause: string; readonly remedy: string } | string | undefined {
  const denial = readDenial(stderr)
  if (denial) return { cause: `${denial.by} denied the request: ${denial.words}`, remedy: denial.remedy }
  const line = stderr.split('\n').find((text) => /^(error|Error from server|The \S+ ")/.test(text))
  return line?.replace(/^(error|Error from server \(\w+\)|Error from server): /, '')
}
