import type { Output } from '../../command/command.ts'
import type { ObjectRef } from '../../command/kubectl.ts'
import { raw, sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** What stands in a namespace by its own right: not what Kubernetes put there, nor what goes with its owner. */
export interface NamespaceContents {
  readonly objects: readonly ObjectRef[]
  /** Why there may be more than could be listed, in kubectl's words; undefined when all of it was. */
  readonly untold: string | undefined
}

// Only these are printed: a Secret's data is none of them.
const columns = [
  'K:.kind',
  'N:.metadata.name',
  'U:.metadata.uid',
  'D:.metadata.deletionTimestamp',
  'O:.metadata.ownerReferences[*].uid',
  'P:.metadata.ownerReferences[*].kind',
].join(',')

/** Where these are gone, what they own is about to follow. */
const controllers = ['CronJob', 'DaemonSet', 'Deployment', 'Job', 'Pod', 'ReplicaSet', 'Service', 'StatefulSet']

/**
 * Everything in a namespace, of whatever kind the cluster knows, also by extensions. Events are left out, and what can
 * only be read. Two processes of kubectl.
 */
export function namespaceContents(namespace: string): Question<NamespaceContents> {
  const kinds = raw(
    `kinds=$(kubectl api-resources --namespaced --verbs=list,delete -o name | grep -vE '^events(\\.|$)' | tr '\\n' ,)`,
  )
  const list = sh`kubectl get "\${kinds%,}" -n ${namespace} --ignore-not-found --no-headers -o custom-columns=${columns}`
  // What cannot be listed is told and no failure: an extension that is down shall not stand in the way of all the rest.
  return {
    command: sh`${kinds}
${list}
exit 0`,
    parse: parseContents,
  }
}

function parseContents({ code, stdout, stderr }: Output): NamespaceContents {
  if (code === 127) return { objects: [], untold: undefined }
  // Whatever is said beside warnings: a namespace is removed with all that nobody told of.
  const untold = stderr.split('\n').find((line) => line.trim() !== '' && !/^(Warning:|No resources found)/.test(line))
  const listed = stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [kind = '', name = '', uid = '', ended, owners, parents] = line
        .split(/\s+/)
        .map((cell) => (cell === '<none>' ? undefined : cell))
      return { kind, name, uid, ended: ended !== undefined, owners: words(owners), parents: words(parents) }
    })
  const known = new Set(listed.map(({ uid }) => uid))
  const services = new Set(listed.filter(({ kind }) => kind === 'Service').map(({ name }) => name))
  const roots = listed.filter(
    ({ kind, name, ended, owners, parents }) =>
      !ended &&
      !owners.some((uid) => known.has(uid)) &&
      !parents.some((parent) => controllers.includes(parent)) &&
      !(kind === 'ConfigMap' && name === 'kube-root-ca.crt') &&
      !(kind === 'ServiceAccount' && name === 'default') &&
      // Not owned by their Service, but named after it.
      !(kind === 'Endpoints' && services.has(name)),
  )
  // What two API groups have is listed twice.
  const once = new Map(roots.map(({ kind, name, uid }) => [uid, { kind, name }]))
  return { objects: [...once.values()], untold }
}

const words = (cell: string | undefined) => cell?.split(',') ?? []
