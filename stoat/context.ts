import { isDoCommand } from '@infra/shared/command/digitalocean'
import type { Target } from '@infra/shared/engine/target'
import { type Doks, environmentFolder, openDoks } from '@infra/shared/platform/doks'
import { openCluster } from '@infra/shared/platform/kubernetes'
import type { WorkloadContext } from '@infra/shared/platform/workload'
import { compositeTarget } from '@infra/shared/targets/composite'
import { digitalOcean } from '@infra/shared/targets/digitalocean/digitalocean'
import type { StoatEnv } from './env/env.ts'
import { newKeys, type StoatKeys } from './keys.ts'
import { openValues } from './open-values.ts'

/** What Stoat's scripts, checks and commands are given. */
export interface StoatContext extends WorkloadContext {
  readonly workspace: 'stoat'
  readonly env: StoatEnv
  /** Undefined where KUBECONFIG or KUBE_CONTEXT names another cluster than the DOKS one. */
  readonly doks: Doks | undefined
  /** The DigitalOcean account, with the cluster beside it, for the DNS record; undefined without a token. */
  readonly dns: Target | undefined
  /** Whether the workspace cluster is planned or deployed in the same run, before this one. */
  readonly afterCluster: boolean
  /** Keys that are used where neither the environment nor the cluster has any. */
  readonly made: StoatKeys
  /** Whether `verify` does what a user does, too. */
  readonly smoke: boolean
  /** Whether somebody says that there is a backup: `--has-backup`. */
  readonly hasBackup: boolean
  /** The project's own folder, for this environment. */
  readonly folder: string
}

interface Opening {
  readonly env: StoatEnv
  readonly offline: boolean
  readonly environment?: string | undefined
  readonly folder: string
  readonly prune: boolean
  readonly afterCluster: boolean
  readonly smoke: boolean
  readonly hasBackup?: boolean
}

/** Opens the cluster, by the same variables as the workspace that makes it. */
export function openStoat({
  env,
  offline,
  environment,
  prune,
  afterCluster,
  smoke,
  hasBackup = false,
  ...opening
}: Opening): StoatContext {
  const folder = environmentFolder(opening.folder, environment)
  const doks = openDoks(env, { offline, folder, writtenBy: 'npm run deploy -w cluster -- --tags kubernetes' })
  const made = newKeys()
  const kube: Target = openCluster(env, { doks, offline, folder, values: openValues(env, made, () => kube) })
  const dns = offline || !env.STOAT_DNS_RECORD ? undefined : openDns(env, kube)
  return { workspace: 'stoat', env, kube, doks, dns, folder, prune, afterCluster, smoke, hasBackup, made }
}

function openDns(env: StoatEnv, kube: Target): Target | undefined {
  const { DIGITALOCEAN_TOKEN: token, DIGITALOCEAN_API_URL: endpoint, DIGITALOCEAN_NAMESERVER: nameServer } = env
  if (!token) return undefined
  return compositeTarget(digitalOcean({ token, endpoint, nameServer }), kube, (command) => !isDoCommand(command))
}
