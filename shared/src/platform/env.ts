import type { Secret } from '../command/secret.ts'
import { url } from '../env/network.ts'
import { token } from '../env/secrets.ts'
import { integer, matching } from '../env/text.ts'
import { type VariableMeta, variable } from '../env/variable.ts'

const kubernetes = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group: 'Kubernetes', ...meta })
const workloads = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group: 'Workloads', ...meta })

/** What leads to the Kubernetes cluster, as every workspace that runs there knows it. */
export interface PlatformEnv {
  readonly KUBECONFIG?: string | undefined
  readonly KUBE_CONTEXT?: string | undefined
  readonly DO_CLUSTER_NAME: string
  readonly DIGITALOCEAN_TOKEN?: Secret | undefined
  readonly DIGITALOCEAN_API_URL?: string | undefined
}

/** Where the cluster is. */
export const kubernetesVariables = {
  KUBECONFIG: variable(
    matching(/^\S(.*\S)?$/, 'the path of a kubeconfig, or several with colons between them').optional(),
    kubernetes({
      description: 'Your own kubeconfig, for another cluster than the DOKS one; needs `KUBE_CONTEXT`',
      example: '~/.kube/config',
      paths: true,
      common: true,
      unset: 'one of the project, for the DOKS cluster',
    }),
  ),
  KUBE_CONTEXT: variable(
    matching(/^\S+$/, 'the name of a context').optional(),
    kubernetes({
      description: 'The context in the kubeconfig; the current context is never used implicitly',
      example: 'do-tor1-discord-bot-cluster',
      common: true,
      unset: 'the DOKS cluster',
    }),
  ),
  DO_CLUSTER_NAME: variable(
    matching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'the name of a cluster').prefault('discord-bot-cluster'),
    kubernetes({
      tfvar: 'do_cluster_name',
      description: 'Name of the DOKS cluster; only `-- --create` creates a new one',
      example: 'discord-bot-cluster',
    }),
  ),
}

/** The account of the DOKS cluster. */
export const accountVariables = {
  DIGITALOCEAN_TOKEN: variable(
    token().optional(),
    kubernetes({
      description: "The DigitalOcean account's API token, to find or create the cluster and sign in to it",
      example: 'dop_v1_...',
      placeholder: 'dop_v1_...',
      secret: true,
      common: true,
      unset: 'the cluster is the one of KUBECONFIG and KUBE_CONTEXT',
      tfvar: 'do_token',
      remedy: 'make one: https://cloud.digitalocean.com/account/api/tokens',
    }),
  ),
  DIGITALOCEAN_API_URL: variable(
    url().optional(),
    kubernetes({
      description: 'Another DigitalOcean API, for rehearsals',
      example: 'http://127.0.0.1:5001',
      common: true,
      unset: 'the real DigitalOcean',
    }),
  ),
}

/** Whom to ask for DNS records that DigitalOcean serves. */
export const digitalOceanNameServer = (group: string) =>
  variable(matching(/^(\d{1,3}\.){3}\d{1,3}(:\d{1,5})?$/, 'an IPv4 address, with or without a port').optional(), {
    group,
    description: 'The only DNS server to ask, for rehearsals',
    example: '127.0.0.1:8053',
    common: true,
    unset: "DigitalOcean's name servers and this machine's resolver",
  })

/** The storage class of the volumes. */
export const STORAGE_CLASS = variable(
  matching(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'the name of a storage class').prefault('do-block-storage'),
  workloads({ description: 'Storage class of the volumes', example: 'standard' }),
)

/** How long a rollout may take, in seconds. */
export const ROLLOUT_TIMEOUT = variable(
  integer(5, 3600, 'a number of seconds').prefault('300'),
  workloads({
    description: 'Seconds that new pods may take to become ready before a rollback',
    example: '600',
  }),
)

/** The variables that together say which Kubernetes cluster is deployed to. */
export const kubernetesPlace = ['DO_CLUSTER_NAME', 'DIGITALOCEAN_TOKEN', 'KUBECONFIG', 'KUBE_CONTEXT'] as const
