import { kubeGet } from '../../command/kube-get.ts'
import { kubectlFault } from '../../command/kubectl.ts'
import type { Question } from '../../engine/step.ts'

/** A text of a ConfigMap; null where there is none. `kubectl get configmap`. */
export function configText(namespace: string, name: string, key: string): Question<string | null> {
  const path = `.data.${key.replaceAll('.', '\\.')}`
  return {
    command: kubeGet({ kinds: ['configmap'], names: [name], namespace, print: { as: 'value', path } }),
    parse({ code, stdout, stderr }) {
      if (code === 127 || (code === 0 && stdout === '')) return null
      if (code !== 0) throw kubectlFault({ code, stderr })
      return stdout
    },
  }
}

/** All that a ConfigMap holds, by name; null where there is none. Throws when that could not be read. */
export function configMapData(namespace: string, name: string): Question<Readonly<Record<string, string>> | null> {
  return {
    command: kubeGet({ kinds: ['configmap'], names: [name], namespace }),
    parse({ code, stdout, stderr }) {
      if (code === 127 || (code === 0 && stdout.trim() === '')) return null
      if (code !== 0) throw kubectlFault({ code, stderr })
      return (JSON.parse(stdout) as { data?: Readonly<Record<string, string>> }).data ?? {}
    },
  }
}
