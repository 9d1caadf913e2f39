import type { Step } from '@infra/shared/engine/step'
import { botCredentials } from '@infra/shared/steps/aws/iam-keys'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import { pullSecret } from '@infra/shared/steps/kubernetes/pull-secret'
import { sameRegion } from '@infra/shared/steps/kubernetes/same-region'
import { botSecrets, type ClusterContext } from '../context.ts'
import {
  appSecrets,
  namespaceObject,
  networkPolicies,
  pullSecretOptions,
  pullSecretRenewal,
} from '../manifests/namespace.ts'
import { botKeyStore } from './kubernetes.ts'

export interface NamespaceSteps {
  readonly all: readonly Step[]
  /** The bot's access key, kept in its Secret; undefined where the operator gives one. */
  readonly key: Step | undefined
}

const made = new WeakMap<ClusterContext, NamespaceSteps>()

/** The steps of the namespace, once for each run: the bot's own come after some of them. */
export function namespaceSteps(context: ClusterContext): NamespaceSteps {
  const known = made.get(context)
  if (known) return known
  const { env, kube, aws, prune, folder } = context
  const renewal = { image: env.ECR_REFRESH_IMAGE, region: env.AWS_REGION, endpoint: env.AWS_ENDPOINT_URL }
  const objects = manifests(
    kube,
    [namespaceObject, appSecrets(botSecrets(env)), ...networkPolicies(), ...pullSecretRenewal(renewal)],
    { script: 'namespace', workspace: 'cluster', prune },
  )
  const store = botKeyStore(env, folder)
  const key = store && botCredentials(aws, { user: env.BOT_IAM_USER, store, after: [objects] })
  const pull = pullSecret(kube, { ...pullSecretOptions, place: aws.place, after: [objects] })
  const region = sameRegion(kube, { workspace: 'cluster', region: env.AWS_REGION })
  const steps = { all: [region, objects, ...(key ? [key] : []), pull], key }
  made.set(context, steps)
  return steps
}
