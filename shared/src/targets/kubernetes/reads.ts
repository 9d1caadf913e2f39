import type { Output } from '../../command/command.ts'
import type { KubeGetCommand } from '../../command/kube-get.ts'
import type { ApiProxy } from './api-proxy.ts'
import { readByApi } from './api-reads.ts'
import type { KubeAccess } from './kubeconfig.ts'

/** Answers a `kubectl get`. */
export type Read = (access: KubeAccess, command: KubeGetCommand) => Promise<Output>

interface Question {
  readonly command: KubeGetCommand
  /** Of all who ask the same. */
  readonly settle: ((answer: Promise<Output>) => void)[]
}

interface Batch {
  readonly access: KubeAccess
  /** By their lines. */
  readonly questions: Map<string, Question>
}

/**
 * Answers reads that are asked for at the same time by one process, equal ones once: each kubectl costs more than what
 * it finds. What cannot be told for certain that way is asked by a kubectl of its own (`alone`), so that it is answered,
 * or fails, as if it had been from the start.
 */
export function combinedReads(alone: Read, start: (access: KubeAccess) => Promise<ApiProxy>): Read {
  let batches = new Map<string, Batch>()
  const flush = () => {
    for (const batch of batches.values()) void answer(batch, alone, start)
    batches = new Map()
  }
  return (access, command) =>
    new Promise((settle) => {
      // By then all steps of a batch have said what else they need to know, for their manifests.
      if (batches.size === 0) setImmediate(flush)
      const batch = entry(batches, JSON.stringify(access), () => ({ access, questions: new Map() }))
      entry(batch.questions, command.line, () => ({ command, settle: [] })).settle.push(settle)
    })
}

async function answer({ access, questions }: Batch, alone: Read, start: (access: KubeAccess) => Promise<ApiProxy>) {
  const byItself = ({ command, settle }: Question) => {
    const output = alone(access, command)
    for (const one of settle) one(output)
  }
  // Named objects first: there are manifests that wait for what these hold.
  const all = [...questions.values()].sort((one, other) => rank(one) - rank(other))
  const api = all.length > 1 ? await start(access).catch(() => undefined) : undefined
  if (!api) return all.forEach(byItself)
  await Promise.all(
    all.map(async (question) => {
      const output = await readByApi(question.command.request, api.get).catch(() => undefined)
      if (output === undefined) byItself(question)
      else for (const one of question.settle) one(Promise.resolve(output))
    }),
  )
  // It goes by itself at the latest with this process.
  await api.close().catch(() => {})
}

const rank = ({ command }: Question) => (command.request.names === undefined ? 1 : 0)

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make()
  map.set(key, found)
  return found
}
