import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { askOf } from '../engine/ask.ts'
import { Failure } from '../engine/failure.ts'
import type { Target } from '../engine/target.ts'
import { type KubernetesState, kubernetesClusters, runningCluster } from '../facts/digitalocean/kubernetes.ts'
import { programThere } from '../facts/host/program.ts'
import { writeKubeconfig } from '../steps/kubernetes/kubeconfig.ts'
import { type KubeAccess, readAccess, userKubeconfig } from '../targets/kubernetes/kubeconfig.ts'
import { blankKubernetes, type KubectlOptions, kubernetes } from '../targets/kubernetes/kubectl.ts'
import { type Doks, doctlEnvironment, isKubeconfigOf, ownKubeconfig } from './doks.ts'
import type { PlatformEnv } from './env.ts'

export interface ClusterAccess extends Pick<KubectlOptions, 'values' | 'awsEnv' | 'credentialEnv'> {
  /** Undefined where KUBE_CONTEXT names another cluster. */
  readonly doks: Doks | undefined
  readonly offline: boolean
  /** The project's own folder, for this environment. */
  readonly folder: string
}

/** The cluster of an environment: that of KUBE_CONTEXT, or the DOKS cluster. */
export function openCluster(env: PlatformEnv, access: ClusterAccess): Target {
  const { doks, offline, folder, values, awsEnv, credentialEnv } = access
  if (offline) return blankKubernetes()
  return kubernetes({
    access: () => findCluster(env, folder, doks),
    ...(doks && { obtainAccess: () => obtainKubeconfig(doks) }),
    ...(doks && { verifyCluster: ({ doks: id }) => isKubeconfigOf(doks, id) }),
    placeholderName: `kubernetes ${env.DO_CLUSTER_NAME}`,
    ...(doks && { renewedBy: doks.kubeconfig.writtenBy }),
    cache: join(folder, 'kubectl'),
    doctlEnv: doctlEnvironment(env, folder),
    ...(awsEnv && { awsEnv }),
    ...(credentialEnv && { credentialEnv }),
    ...(values && { values }),
  })
}

/**
 * Writes the kubeconfig of a DOKS cluster that is there, on a machine that has none yet: without it a plan would know
 * nothing of what is in the cluster, and show all as to be created. What stands in the way is told by the step that writes
 * it, or by whatever needs the cluster.
 */
async function obtainKubeconfig({ name, cloud, kubeconfig }: Doks): Promise<void> {
  if (cloud.blank) return
  try {
    const { cluster, doctl } = await askOf(cloud, { cluster: runningCluster(name), doctl: programThere('doctl') })
    const isThere = cluster.endpoint !== '' && !/^delet/.test(cluster.state)
    if (isThere && doctl) await cloud.run([writeKubeconfig(kubeconfig.path, cluster.id)], () => {})
  } catch {}
}

/** The way into the cluster; undefined as long as there is no kubeconfig of the project's own. */
export function findCluster(env: PlatformEnv, folder: string, doks: Doks | undefined): KubeAccess | undefined {
  const { KUBECONFIG: files, KUBE_CONTEXT: context } = env
  if (context !== undefined) return readAccess(files ?? userKubeconfig(), context)
  if (files !== undefined)
    throw new Failure('error', 'KUBECONFIG is set, but not which of its contexts to use', {
      remedy: `Set KUBE_CONTEXT (the current one is ${readAccess(files).context}), or unset KUBECONFIG to use the cluster ${env.DO_CLUSTER_NAME}.`,
    })
  const own = ownKubeconfig(env, folder)
  return existsSync(own) ? { ...readAccess(own), ...(doks && { renewedBy: doks.kubeconfig.writtenBy }) } : undefined
}

/**
 * For a command that only makes sense inside the cluster: throws where no way in is known to lead to it. `looking`: that
 * there is none yet is an answer too.
 */
export async function assertInside(
  { kube, doks }: { readonly kube: Target; readonly doks: Doks | undefined },
  looking = false,
): Promise<void> {
  await kube.identify?.()
  if (!doks || !kube.notCreatedYet) return
  const { path, shown, writtenBy } = doks.kubeconfig
  const there = existsSync(path)
  if (looking && !there) return
  // Asked once more for what stands in the way: no token, no answer.
  if (there) await isKubeconfigOf(doks, undefined)
  throw new Failure(
    'error',
    there
      ? `${shown} leads to another cluster than ${doks.name} of this account`
      : `there is no kubeconfig for ${doks.name} yet`,
    { remedy: `${writtenBy} writes it; or set KUBECONFIG and KUBE_CONTEXT.` },
  )
}

/**
 * For `status`: there is a cluster to look into, or certainly none. Throws where nobody can tell: what was not looked at is
 * not absent.
 */
export async function assertVisible(context: {
  readonly kube: Target
  readonly doks: Doks | undefined
}): Promise<void> {
  await assertInside(context, true)
  const { kube, doks } = context
  if (!doks || !kube.notCreatedYet) return
  if (doks.cloud.blank) throw unknownCluster(doks.name, 'look into')
  const { found } = await askOf(doks.cloud, { found: kubernetesClusters(doks.name) })
  if (found?.[0] !== undefined) await assertInside(context)
}

const unknownCluster = (name: string, purpose: string) =>
  new Failure('error', `DIGITALOCEAN_TOKEN is not set: whether there is a cluster ${name} to ${purpose} is not known`, {
    remedy: 'Set it, or KUBECONFIG and KUBE_CONTEXT for another cluster than the DOKS one.',
  })

/** What a workspace has to take away is in there. */
export interface FoundCluster {
  /** The DOKS cluster, where the environment means one and it is there. */
  readonly doks: KubernetesState | undefined
  /** Whether there is a cluster to look into. */
  readonly inside: boolean
}

/**
 * For `destroy`: whether there is a cluster to look into. A DOKS cluster that is gone is not, even where its kubeconfig is
 * still there. Throws where nobody can tell, or no way in is known to lead to it.
 */
export async function findToDestroy(context: {
  readonly kube: Target
  readonly doks: Doks | undefined
}): Promise<FoundCluster> {
  const { doks, kube } = context
  if (!doks) return { doks: undefined, inside: !kube.blank }
  // Without the account nobody can tell whether there is a cluster: it would be left behind, and billed on.
  if (doks.cloud.blank) throw unknownCluster(doks.name, 'destroy')
  const { found } = await askOf(doks.cloud, { found: kubernetesClusters(doks.name) })
  const inside = found?.[0] !== undefined && !/^delet/.test(found[0].state)
  // What is in it would be passed over, or what is in another one taken.
  if (inside) await assertInside(context)
  return { doks: found?.[0], inside }
}
