import { matching } from '@infra/shared/env/text'
import { type VariableMeta, variable } from '@infra/shared/env/variable'

const kubernetes = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group: 'Kubernetes', ...meta })

/** Where the cluster is. */
export const kubernetesVariables = {
  KUBECONFIG: variable(
    matching(/^\S(.*\S)?$/, 'the path of a kubeconfig, or several with colons between them').optional(),
    kubernetes({
      description: 'A kubeconfig of your own, for another cluster than the DOKS one; goes with `KUBE_CONTEXT`',
      example: '~/.kube/config',
      paths: true,
      common: true,
      unset: 'one of the project, for the DOKS cluster',
    }),
  ),
  KUBE_CONTEXT: variable(
    matching(/^\S+$/, 'the name of a context').optional(),
    kubernetes({
      description: 'The context in it: the current one is never used silently',
      example: 'do-tor1-discord-bot-cluster',
      common: true,
      unset: 'the DOKS cluster',
    }),
  ),
  DO_CLUSTER_NAME: variable(
    matching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'the name of a cluster').prefault('discord-bot-cluster'),
    kubernetes({
      tfvar: 'do_cluster_name',
      description: 'The DOKS cluster: one of this name is used; a new one is made with `-- --create` only',
      example: 'discord-bot-cluster',
    }),
  ),
}
