import type { Output } from '../../command/command.ts'
import { valuesAt } from '../../command/json-path.ts'
import type { KubeGetRequest, KubePrint } from '../../command/kube-get.ts'
import { type KubeKind, kubeKind, kubePath } from '../../command/kube-kinds.ts'
import type { ApiAnswer, ApiGet } from './api-proxy.ts'

type Found = Readonly<Record<string, unknown>>

/** The objects; or that the cluster knows no such kind; or undefined, where only kubectl itself can tell. */
type Looked = readonly Found[] | 'no such kind' | undefined

/**
 * What a `kubectl get` would answer, by reading from the API server. Undefined where that is not certain: refused, failed,
 * or of a kind that is not known here. kubectl has to be asked then, and tells it in its own words.
 */
export async function readByApi(request: KubeGetRequest, get: ApiGet): Promise<Output | undefined> {
  const { names, kinds: words } = request
  const looked = await Promise.all(
    words.map(async (word): Promise<Looked> => {
      const kind = kubeKind(word)
      return kind && (names === undefined ? listOf(kind, request, get) : namedOf(kind, names, request, get))
    }),
  )
  const objects: Found[] = []
  for (const one of looked) {
    if (one === undefined || (one === 'no such kind' && looked.length > 1)) return undefined
    if (one === 'no such kind') return noSuchKind(words[0] ?? '')
    objects.push(...one)
  }
  const stdout = printed(objects, request)
  return stdout === undefined ? undefined : { code: 0, stdout, stderr: '' }
}

const noSuchKind = (word: string): Output => ({
  code: 1,
  stdout: '',
  stderr: `error: the server doesn't have a resource type "${word.split('.')[0]}"\n`,
})

async function listOf(kind: KubeKind, { namespace, selector, print }: KubeGetRequest, get: ApiGet): Promise<Looked> {
  const query = selector === undefined ? '' : `?labelSelector=${encodeURIComponent(selector)}`
  const { status, body } = await get(
    kubePath(kind, namespace) + query,
    hidesContent(kind, print) ? metadataOnly : undefined,
  )
  if (status === 404 && kind.extension)
    return (await get(`/apis/${kind.group}`)).status === 404 ? 'no such kind' : undefined
  if (status !== 200) return undefined
  const { kind: called, items } = JSON.parse(body) as { kind?: string; items?: readonly Found[] | null }
  // An empty list of metadata alone has no items, not even none.
  return called?.endsWith('List') ? (items ?? []).map((item) => typed(kind, item)) : undefined
}

// What is not printed is not fetched: no value of a Secret for a list of names.
const metadataOnly = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
const hidesContent = ({ kind }: KubeKind, print: KubePrint): boolean =>
  (kind === 'Secret' || kind === 'ConfigMap') &&
  print.as === 'columns' &&
  print.paths.every((path) => /^\.(kind|metadata|spec|status)\b/.test(path))

async function namedOf(
  kind: KubeKind,
  names: readonly string[],
  { namespace }: KubeGetRequest,
  get: ApiGet,
): Promise<Looked> {
  const answers = await Promise.all(
    names.map((name) => get(`${kubePath(kind, namespace)}/${encodeURIComponent(name)}`).then(objectOf(name))),
  )
  const certain = answers.filter((answer) => answer !== undefined)
  return certain.length < answers.length ? undefined : certain.flat().map((object) => typed(kind, object))
}

/** The object as a list of one; of none where the API server says that this very object is not there. */
const objectOf =
  (name: string) =>
  ({ status, body }: ApiAnswer): readonly Found[] | undefined => {
    if (status === 200) return [JSON.parse(body) as Found]
    if (status !== 404 || !body.startsWith('{')) return undefined
    const { reason, details } = JSON.parse(body) as { reason?: string; details?: { name?: string } }
    return reason === 'NotFound' && details?.name === name ? [] : undefined
  }

/** An item of a list does not say what it is; `managedFields` is what kubectl leaves out. */
function typed({ kind, group }: KubeKind, { metadata, ...rest }: Found): Found {
  const { managedFields: _, ...own } = metadata as Found
  return { ...rest, apiVersion: group === '' ? 'v1' : `${group}/v1`, kind, metadata: own }
}

/** As kubectl prints them; undefined for what it prints in a way of its own. */
function printed(objects: readonly Found[], { names, print }: KubeGetRequest): string | undefined {
  if (print.as === 'columns') {
    const lines = objects.map((object) => print.paths.map((path) => cell(valuesAt(path, object))))
    return lines.every((cells) => cells.every((one) => one !== undefined))
      ? lines.map((cells) => `${cells.join('   ')}\n`).join('')
      : undefined
  }
  if (names !== undefined && objects.length === 0) return ''
  const whole = names?.length === 1 ? objects[0] : { apiVersion: 'v1', kind: 'List', items: objects }
  if (print.as === 'json') return JSON.stringify(whole)
  const values = valuesAt(print.path, whole)
  return values.every(isPlain) ? values.join(' ') : undefined
}

const cell = (values: readonly unknown[]): string | undefined =>
  values.length === 0 ? '<none>' : values.every(isPlain) ? values.join(',') : undefined

const isPlain = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
