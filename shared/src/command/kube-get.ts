import type { Command, Request } from './command.ts'
import { assertPath } from './json-path.ts'
import { kubeKind } from './kube-kinds.ts'
import { raw, type Shell, sh } from './sh.ts'

/** What is printed of what a `kubectl get` finds; paths are kubectl's JSONPath, as far as `valuesAt` knows it. */
export type KubePrint =
  | { readonly as: 'json' }
  /** One value, as it is. */
  | { readonly as: 'value'; readonly path: string }
  /** A line each, with a cell for each path: `<none>` where it leads nowhere. */
  | { readonly as: 'columns'; readonly paths: readonly string[] }

/** Objects of one kind by their names (those that are not there are left out), or all of some kinds. */
export interface KubeGet {
  /** As kubectl takes them: `secret`, `deployments.apps`. */
  readonly kinds: readonly string[]
  readonly names?: readonly string[]
  /** Where the kinds are of a namespace; of all namespaces without. */
  readonly namespace?: string
  readonly selector?: string
  readonly print?: KubePrint
}

/** A `kubectl get` as data, so that a target may answer many of them at once. */
export interface KubeGetCommand extends Command {
  readonly request: KubeGetRequest
}

export interface KubeGetRequest extends Request, Required<Pick<KubeGet, 'kinds' | 'print'>> {
  readonly kind: 'kubectl get'
  readonly names: readonly string[] | undefined
  readonly namespace: string | undefined
  readonly selector: string | undefined
}

/** A `kubectl get`. Throws a TypeError on a path whose meaning is not known here. */
export function kubeGet({ kinds, names, namespace, selector, print = { as: 'json' } }: KubeGet): KubeGetCommand {
  if (print.as === 'value') assertPath(print.path)
  if (print.as === 'columns') print.paths.forEach(assertPath)
  const what = names === undefined ? raw('') : sh` ${names}`
  const everywhere = names === undefined && kinds.some((kind) => kubeKind(kind)?.namespaced !== false)
  const space = namespace === undefined ? raw(everywhere ? ' -A' : '') : sh` -n ${namespace}`
  const where = selector === undefined ? raw('') : sh` -l ${selector}`
  const absent = names === undefined ? raw('') : raw(' --ignore-not-found')
  const { line } = sh`kubectl get ${kinds.join(',')}${what}${space}${where}${absent}${printed(print)}`
  return { line, request: { kind: 'kubectl get', kinds, names, namespace, selector, print } }
}

function printed(print: KubePrint): Shell {
  if (print.as === 'json') return raw(' -o json')
  if (print.as === 'value') return sh` -o ${`jsonpath={${print.path}}`}`
  const columns = print.paths.map((path, index) => `C${index}:${path}`).join(',')
  return sh` --no-headers -o ${`custom-columns=${columns}`}`
}

export const isKubeGet = (command: Command): command is KubeGetCommand => command.request?.kind === 'kubectl get'
