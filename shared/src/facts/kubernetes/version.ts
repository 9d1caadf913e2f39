import { jsonAnswer } from '../../command/json-answer.ts'
import { kubectlFault } from '../../command/kubectl.ts'
import { raw } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** The minor version of the cluster's Kubernetes: 36 of 1.36.3; null where there is no cluster. `GET /version`. */
export function serverMinor(): Question<number | null> {
  return {
    command: raw('kubectl get --raw /version'),
    parse({ code, stdout, stderr }) {
      if (code === 127) return null
      if (code !== 0) throw kubectlFault({ code, stderr })
      const said = jsonAnswer<{ minor?: unknown } | null>(stdout, 'kubectl get --raw /version')
      // Some say `36+`.
      const found = /^\d+/.exec(typeof said?.minor === 'string' ? said.minor : '')
      if (!found) throw new Error('kubectl get --raw /version: the answer is not understood')
      return Number(found[0])
    },
  }
}
