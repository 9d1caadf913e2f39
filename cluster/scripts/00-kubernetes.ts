import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { type KubernetesOptions, kubernetesCluster } from '@infra/shared/steps/digitalocean/kubernetes'
import { kubeconfig } from '@infra/shared/steps/kubernetes/kubeconfig'
import type { ClusterContext } from '../context.ts'
import { kubernetesPrices } from '../prices/digitalocean.ts'

/** What the DOKS cluster would be made of. */
export const desiredCluster = ({ env, create }: ClusterContext): KubernetesOptions => ({
  name: env.DO_CLUSTER_NAME,
  region: env.DO_CLUSTER_REGION,
  version: env.DO_CLUSTER_VERSION,
  size: env.DO_NODE_SIZE,
  count: env.DO_NODE_COUNT,
  ha: env.DO_CLUSTER_HA,
  autoUpgrade: env.DO_CLUSTER_AUTO_UPGRADE,
  tag: 'managed-by:infra',
  create,
  createCommand: 'npm run deploy -w cluster -- --create',
  prices: kubernetesPrices,
})

export default script(
  'kubernetes',
  {
    about: 'the DOKS cluster and a kubeconfig for it; nothing where KUBECONFIG or KUBE_CONTEXT names another',
    tags: ['cloud'],
  },
  (context: ClusterContext, add) => {
    const { doks } = context
    if (!doks) return
    const cluster = add(kubernetesCluster(doks.cloud, desiredCluster(context)))
    const { path, shown } = doks.kubeconfig
    add(kubeconfig(doks.cloud, { cluster: context.env.DO_CLUSTER_NAME, path, shown, dependsOn: [cluster] }))
  },
)

standalone(import.meta.url)
