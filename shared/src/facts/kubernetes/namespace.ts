import { kubeGet } from '../../command/kube-get.ts'
import { kubectlFault } from '../../command/kubectl.ts'
import type { Question } from '../../engine/step.ts'

/** A namespace that is being deleted. Kubernetes never takes that back: nothing new can be made in it. */
export interface TerminatingNamespace {
  readonly name: string
  /** What keeps it from being gone, as the cluster says: `finalizers example.com/hold in 1 resource instances`. */
  readonly heldBy: readonly string[]
  /** The types of what is left in it, as kubectl takes them: `configmaps`. */
  readonly remaining: readonly string[]
}

/** Whether there is a namespace, and whether it is being deleted. `kubectl get namespace`. */
export function namespaceState(name: string): Question<'there' | 'missing' | TerminatingNamespace> {
  const { command, parse } = namespaces([name])
  return {
    command,
    parse(output) {
      const [found] = parse(output)
      return found === undefined ? 'missing' : (terminating(found) ?? 'there')
    },
  }
}

/** Which of some namespaces are being deleted. `kubectl get namespace`. */
export function terminatingNamespaces(names: readonly string[]): Question<readonly TerminatingNamespace[]> {
  const { command, parse } = namespaces(names)
  return { command, parse: (output) => parse(output).flatMap((found) => terminating(found) ?? []) }
}

function namespaces(names: readonly string[]): Question<readonly ApiNamespace[]> {
  return {
    command: kubeGet({ kinds: ['namespace'], names }),
    parse({ code, stdout, stderr }) {
      if (code === 127) return []
      if (code !== 0) throw kubectlFault({ code, stderr })
      if (stdout.trim() === '') return []
      // One is answered as itself, several as a list.
      const answer = JSON.parse(stdout) as ApiNamespace | { kind: 'List'; items: ApiNamespace[] }
      return 'items' in answer ? answer.items : [answer]
    },
  }
}

function terminating({ metadata, spec, status }: ApiNamespace): TerminatingNamespace | undefined {
  if (metadata.deletionTimestamp === undefined && status?.phase !== 'Terminating') return undefined
  const told = (status?.conditions ?? []).filter(({ status }) => status === 'True')
  const contents = told.find(({ type }) => type === 'NamespaceContentRemaining')?.message ?? ''
  const own = [...(metadata.finalizers ?? []), ...(spec?.finalizers ?? []).filter((name) => name !== 'kubernetes')]
  return {
    name: metadata.name,
    heldBy: [
      ...told.map(({ type, message = type }) => sayCondition(type, message)),
      ...own.map((name) => `finalizer ${name} of the namespace itself`),
    ],
    remaining: [...contents.matchAll(/(\S+?)\.? has \d+ resource instances/g)].map(([, type = '']) => type),
  }
}

// Said at length, with the count behind each: `Some resources are remaining: configmaps. has 1 resource instances`.
function sayCondition(type: string, message: string): string {
  const list = message.slice(message.indexOf(': ') + 2)
  if (type === 'NamespaceContentRemaining')
    return list.replaceAll(/(\S+?)\.? has (\d+) resource instances/g, (_, resource, count) => `${count} ${resource}`)
  if (type === 'NamespaceFinalizersRemaining') return `finalizers ${list}`
  return message
}

// The parts of the API's answers that are read.
interface ApiNamespace {
  metadata: { name: string; deletionTimestamp?: string; finalizers?: string[] }
  spec?: { finalizers?: string[] }
  status?: { phase?: string; conditions?: { type: string; status: string; message?: string }[] }
}
