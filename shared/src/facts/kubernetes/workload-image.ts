import { kubeGet } from '../../command/kube-get.ts'
import { kubectlFault } from '../../command/kubectl.ts'
import type { Question } from '../../engine/step.ts'

/** The image that a workload's first container is told to run; null where there is no such workload. `kubectl get`. */
export function workloadImage(namespace: string, workload: string): Question<string | null> {
  const [kind = '', name = ''] = workload.split('/')
  const path = '.spec.template.spec.containers[0].image'
  return {
    command: kubeGet({ kinds: [kind], names: [name], namespace, print: { as: 'value', path } }),
    parse({ code, stdout, stderr }) {
      if (code === 127 || (code === 0 && stdout.trim() === '')) return null
      if (code !== 0) throw kubectlFault({ code, stderr })
      return stdout.trim()
    },
  }
}
