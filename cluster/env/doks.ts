import { flag, integer, matching } from '@infra/shared/env/text'
import { type VariableMeta, variable } from '@infra/shared/env/variable'
import { accountVariables } from '@infra/shared/platform/env'

const kubernetes = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group: 'Kubernetes', ...meta })
// DigitalOcean judges its own names; a dash in front would be an option of doctl.
const slug = /^[A-Za-z0-9][\w.-]*$/

/** The account of the DOKS cluster, and what a new one is made of. */
export const doksVariables = {
  ...accountVariables,
  DO_CLUSTER_REGION: variable(
    matching(/^[a-z]{3}\d$/, 'the slug of a region').prefault('tor1'),
    kubernetes({ description: 'Region of a new cluster', example: 'tor1' }),
  ),
  DO_CLUSTER_VERSION: variable(
    matching(slug, 'the slug of a version, or latest').prefault('latest'),
    kubernetes({ description: 'Kubernetes version of a new cluster', example: '1.36.3-do.0' }),
  ),
  DO_NODE_SIZE: variable(
    matching(slug, 'the slug of a size').prefault('s-4vcpu-8gb'),
    kubernetes({ description: "Size of a new cluster's nodes", example: 's-4vcpu-8gb' }),
  ),
  DO_NODE_COUNT: variable(
    integer(1, 100).prefault('2'),
    kubernetes({ description: 'Number of nodes of a new cluster', example: '2' }),
  ),
  DO_CLUSTER_HA: variable(
    flag().prefault('false'),
    kubernetes({ description: 'Whether a new cluster has a highly available control plane', example: 'true' }),
  ),
  DO_CLUSTER_AUTO_UPGRADE: variable(
    flag().prefault('true'),
    kubernetes({ description: 'Whether a new cluster installs patch versions automatically', example: 'false' }),
  ),
}
