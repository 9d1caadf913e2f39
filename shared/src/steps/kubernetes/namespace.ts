import { explainKubectl as explain, type KubeObject, kubectlApply } from '../../command/kubectl.ts'
import { changes, create, refuse, type Step, step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { namespaceState } from '../../facts/kubernetes/namespace.ts'

/**
 * There is a namespace. For a workspace that lives in the namespace of another: what is there is left as it is, and one
 * that is made here is adopted by its owner later.
 */
export function namespacePresent(on: Target, object: KubeObject): Step {
  const { name } = object.metadata
  return step({
    id: `namespace ${name}`,
    on,
    ask: { state: namespaceState(name) },
    plan({ state }) {
      if (state === 'terminating')
        return refuse(
          `namespace ${name} is being taken away`,
          `Wait until it is gone (kubectl get namespace ${name}), then run again.`,
        )
      const make = create(`namespace ${name}`, kubectlApply([object]), { explain })
      return changes(state === 'missing' ? [make] : [], 'there')
    },
  })
}
