import { explainKubectl as explain, type KubeObject, kubectlApply } from '../../command/kubectl.ts'
import { sh } from '../../command/sh.ts'
import { changes, create, type Decision, refuse, type Step, step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { namespaceState, type TerminatingNamespace } from '../../facts/kubernetes/namespace.ts'

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
      if (typeof state !== 'string') return refuseTerminating(state)
      const make = create(`namespace ${name}`, kubectlApply([object]), { explain })
      return changes(state === 'missing' ? [make] : [], 'there')
    },
  })
}

/** Refuses to plan anything in a namespace that is being deleted, with what holds it. */
export function refuseTerminating({ name, heldBy, remaining }: TerminatingNamespace): Decision {
  const wait = `Wait until it is gone (${sh`kubectl get namespace ${name}`.line}), then run again: its deletion cannot be taken back.`
  const look = sh`kubectl get ${remaining.join(',')} -n ${name}`.line
  const free = `kubectl patch TYPE NAME -n ${name} --type=merge -p '{"metadata":{"finalizers":null}}'`
  const list = remaining.length > 0 ? ` What is left in it: ${look}.` : ''
  const way = ` A finalizer is taken off by the program that set it; where that program is gone, by hand, which skips what it was to clean up: ${free}`
  return refuse(
    `namespace ${name} is being deleted${heldBy.length > 0 ? `, held by ${heldBy.join('; ')}` : ''}`,
    heldBy.length > 0 ? `${wait}${list}${way}` : wait,
  )
}
