import { kubectlFault } from '../../command/kubectl.ts'
import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** Whether there is a namespace, and whether it is being taken away. `kubectl get namespace`. */
export function namespaceState(name: string): Question<'there' | 'terminating' | 'missing'> {
  return {
    command: sh`kubectl get namespace ${name} --ignore-not-found -o ${'jsonpath={.status.phase}'}`,
    parse({ code, stdout, stderr }) {
      if (code === 127) return 'missing'
      if (code !== 0) throw kubectlFault({ code, stderr })
      const phase = stdout.trim()
      return phase === '' ? 'missing' : phase === 'Terminating' ? 'terminating' : 'there'
    },
  }
}
