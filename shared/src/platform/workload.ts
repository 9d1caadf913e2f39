import type { KubeObject } from '../command/kubectl.ts'
import type { Step } from '../engine/step.ts'
import type { Target } from '../engine/target.ts'
import { type ManifestsOptions, manifests } from '../steps/kubernetes/manifests.ts'
import { type RolloutOptions, rollouts } from '../steps/kubernetes/rollouts.ts'
import { namespace } from './names.ts'

/** What scripts of workloads get from their workspace's context. */
export interface WorkloadContext {
  readonly workspace: string
  readonly kube: Target
  /** Remove objects of the workspace that are not declared any more: `--prune`. */
  readonly prune: boolean
  readonly env: { readonly ROLLOUT_TIMEOUT: number }
}

interface Workload {
  readonly objects: readonly KubeObject[]
  readonly workloads: RolloutOptions['workloads']
  /** What is made for its pods before: an image, a key. */
  readonly podInputs?: ManifestsOptions['podInputs']
  /** The variables that its volumes come from, for remedies. */
  readonly claimVariables?: ManifestsOptions['claimVariables']
  /** The variables of its containers that the environment may set. */
  readonly settable?: ManifestsOptions['settable']
  /** What to do where a newer image has changed data and does not get ready: none goes back then. */
  readonly noWayBack?: string
  /** What comes before its objects. */
  readonly dependsOn?: ManifestsOptions['dependsOn']
}

/** The objects of a script, and their pods ready. */
export function deployment(
  { workspace, kube, prune, env }: WorkloadContext,
  script: string,
  { objects, workloads, podInputs = [], claimVariables = {}, settable = [], noWayBack, dependsOn = [] }: Workload,
): Step[] {
  const of = { script, workspace }
  const applied = manifests(kube, objects, { ...of, prune, podInputs, claimVariables, settable, dependsOn })
  const wait = { ...of, namespace, workloads, seconds: env.ROLLOUT_TIMEOUT, noWayBack }
  return [applied, rollouts(kube, { ...wait, dependsOn: [applied] })]
}
