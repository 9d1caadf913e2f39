import { kubeGet } from '../../command/kube-get.ts'
import { kubectlFault } from '../../command/kubectl.ts'
import { type Secret, secret } from '../../command/secret.ts'
import type { Question } from '../../engine/step.ts'

/** What a Secret holds, by name; null where there is none. Throws when that could not be read. `kubectl get secret`. */
export function secretValues(namespace: string, name: string): Question<ReadonlyMap<string, Secret> | null> {
  return {
    command: kubeGet({ kinds: ['secret'], names: [name], namespace }),
    parse({ code, stdout, stderr }) {
      if (code === 127 || (code === 0 && stdout.trim() === '')) return null
      if (code !== 0) throw kubectlFault({ code, stderr })
      const { data = {} } = read(stdout)
      return new Map(Object.entries(data).map(([key, value]) => [key, secret(Buffer.from(value, 'base64').toString())]))
    },
  }
}

function read(text: string): { data?: Readonly<Record<string, string>> } {
  try {
    return JSON.parse(text)
  } catch {
    // The parser quotes what it read.
    throw new Error('kubectl gave no JSON')
  }
}
