import { join } from 'node:path'
import { isDoCommand } from '../command/digitalocean.ts'
import { reveal } from '../command/secret.ts'
import { askOf } from '../engine/ask.ts'
import { Failure } from '../engine/failure.ts'
import type { Target } from '../engine/target.ts'
import { kubernetesClusters } from '../facts/digitalocean/kubernetes.ts'
import { blank } from '../targets/blank.ts'
import { compositeTarget } from '../targets/composite.ts'
import { digitalOcean } from '../targets/digitalocean/digitalocean.ts'
import { local } from '../targets/local.ts'
import type { PlatformEnv } from './env.ts'

/** The account of the DOKS cluster, and the way into that. */
export interface Doks {
  readonly name: string
  /** The DigitalOcean account, with this machine beside it. */
  readonly cloud: Target
  /** Where the kubeconfig of the cluster is, and how messages call that. */
  readonly kubeconfig: {
    readonly path: string
    readonly shown: string
    /** The command that writes it. */
    readonly writtenBy: string
  }
  /** Where doctl keeps its tokens of a while. */
  readonly tokens: string
}

/**
 * Where an environment has its kubeconfig and doctl its tokens: of two environments the clusters may have one name, each
 * in an account of its own.
 */
export const environmentFolder = (folder: string, environment: string | undefined): string =>
  environment === undefined ? folder : join(folder, 'environments', environment)

/** The project's own kubeconfig, of the DOKS cluster. */
export const ownKubeconfig = (env: PlatformEnv, folder: string) => join(folder, `kubeconfig-${env.DO_CLUSTER_NAME}`)

/** What doctl finds in its environment: the token, and our configuration in place of the user's. */
export function doctlEnvironment(env: PlatformEnv, folder: string): Record<string, string | undefined> {
  const home = join(folder, 'doctl')
  return {
    DIGITALOCEAN_ACCESS_TOKEN: env.DIGITALOCEAN_TOKEN && reveal(env.DIGITALOCEAN_TOKEN),
    DIGITALOCEAN_API_URL: env.DIGITALOCEAN_API_URL,
    DIGITALOCEAN_CONFIG: join(home, 'config.yaml'),
    DIGITALOCEAN_CONTEXT: 'default',
    XDG_CONFIG_HOME: home,
  }
}

interface Opening {
  readonly offline: boolean
  readonly folder: string
  /** The command that writes the cluster's kubeconfig. */
  readonly writtenBy: string
}

/** The DOKS cluster's account, blank without a token; undefined where KUBECONFIG or KUBE_CONTEXT names another cluster. */
export function openDoks(env: PlatformEnv, { offline, folder, writtenBy }: Opening): Doks | undefined {
  if (env.KUBECONFIG !== undefined || env.KUBE_CONTEXT !== undefined) return undefined
  const { DIGITALOCEAN_TOKEN: token, DIGITALOCEAN_API_URL: endpoint } = env
  const path = ownKubeconfig(env, folder)
  const place = {
    name: env.DO_CLUSTER_NAME,
    kubeconfig: { path, shown: path.slice(path.lastIndexOf('/.infra/') + 1), writtenBy },
    tokens: join(folder, 'doctl/doctl/cache/exec-credential'),
  }
  if (offline) return { ...place, cloud: blank('a DigitalOcean account') }
  if (!token)
    return { ...place, cloud: blank('no DigitalOcean account: DIGITALOCEAN_TOKEN is not set, nor KUBE_CONTEXT') }
  const machine = local({ env: doctlEnvironment(env, folder) })
  return {
    ...place,
    cloud: compositeTarget(digitalOcean({ token, endpoint }), machine, (command) => !isDoCommand(command)),
  }
}

/**
 * Whether a kubeconfig leads to the cluster that has the name in this account: the name alone tells nothing, since there
 * may be one in another account, or have been one before. Throws without an account to ask.
 */
export async function isKubeconfigOf({ name, cloud, kubeconfig }: Doks, id: string | undefined): Promise<boolean> {
  if (cloud.blank)
    throw new Failure(
      'error',
      `DIGITALOCEAN_TOKEN is not set: whether ${kubeconfig.shown} leads to the cluster ${name} is not known`,
      {
        remedy: 'Set it, or KUBECONFIG and KUBE_CONTEXT for another cluster than the DOKS one.',
      },
    )
  const { found } = await askOf(cloud, { found: kubernetesClusters(name) })
  return found?.some((cluster) => cluster.id === id) === true
}
