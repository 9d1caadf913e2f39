import type { KubeObject } from '@infra/shared/command/kubectl'
import type { Step } from '@infra/shared/engine/step'
import { type ManifestsOptions, manifests } from '@infra/shared/steps/kubernetes/manifests'
import { type RolloutOptions, rollouts } from '@infra/shared/steps/kubernetes/rollouts'
import type { ClusterContext } from '../context.ts'
import { namespace } from '../manifests/pod.ts'

interface Workload {
  readonly objects: readonly KubeObject[]
  readonly workloads: RolloutOptions['workloads']
  /** What is made for its pods before: an image, a key. */
  readonly gets?: ManifestsOptions['gets']
}

/** The objects of a script, and their pods ready. */
export function deployment(
  { kube, prune, env }: ClusterContext,
  script: string,
  { objects, workloads, gets = [] }: Workload,
): Step[] {
  const of = { script, workspace: 'cluster' }
  const applied = manifests(kube, objects, { ...of, prune, gets })
  const wait = { ...of, namespace, workloads, seconds: env.ROLLOUT_TIMEOUT }
  return [applied, rollouts(kube, { ...wait, after: [applied] })]
}
