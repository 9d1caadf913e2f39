import { kubectlFault } from '../../command/kubectl.ts'
import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** The image that a workload's first container is told to run; null where there is no such workload. `kubectl get`. */
export function workloadImage(namespace: string, workload: string): Question<string | null> {
  const path = 'jsonpath={.spec.template.spec.containers[0].image}'
  return {
    command: sh`kubectl get ${workload} -n ${namespace} --ignore-not-found -o ${path}`,
    parse({ code, stdout, stderr }) {
      if (code === 127 || (code === 0 && stdout.trim() === '')) return null
      if (code !== 0) throw kubectlFault({ code, stderr })
      return stdout.trim()
    },
  }
}
