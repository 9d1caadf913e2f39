import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { namespaceObject } from '@infra/shared/platform/namespace'
import { userToUse } from '@infra/shared/steps/aws/iam'
import { botCredentials } from '@infra/shared/steps/aws/iam-keys'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import { pullSecret } from '@infra/shared/steps/kubernetes/pull-secret'
import { sameRegion } from '@infra/shared/steps/kubernetes/same-region'
import type { ClusterContext } from '../context.ts'
import { appSecrets, pullSecretOptions, pullSecretRenewal } from '../manifests/namespace.ts'
import { networkPolicies } from '../manifests/network.ts'
import { botSecrets } from '../parts/bot-variables.ts'
import { botKeyStore } from '../parts/kubernetes.ts'

export default script(
  'namespace',
  { about: 'the namespace: secrets, the renewal of the pull secret, who may connect to whom', tags: ['workloads'] },
  ({ env, kube, aws, prune, folder }: ClusterContext, add) => {
    const store = botKeyStore(env, folder)
    if (store) add(userToUse(aws, env.BOT_IAM_USER))
    add(sameRegion(kube, { workspace: 'cluster', region: env.AWS_REGION }))
    const renewal = { image: env.ECR_REFRESH_IMAGE, region: env.AWS_REGION, endpoint: env.AWS_ENDPOINT_URL }
    const policies = networkPolicies({
      litellm: env.LITELLM_BASE_URL,
      awsEndpoint: env.AWS_ENDPOINT_URL,
      sandboxReads: env.SANDBOX_SCOPE !== 'none',
      sandboxNetworks: env.SANDBOX_NETWORKS?.split(','),
    })
    const objects = add(
      manifests(kube, [namespaceObject, appSecrets(botSecrets(env)), ...policies, ...pullSecretRenewal(renewal)], {
        ...{ script: 'namespace', workspace: 'cluster', prune },
      }),
    )
    if (store) add(botCredentials(aws, { user: env.BOT_IAM_USER, store, dependsOn: [objects] }))
    add(pullSecret(kube, { ...pullSecretOptions, place: aws.place, dependsOn: [objects] }))
  },
)

standalone(import.meta.url)
