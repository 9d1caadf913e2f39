import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@infra/shared/engine/failure'
import type { Target } from '@infra/shared/engine/target'
import { latestImage } from '@infra/shared/facts/aws/ecr-images'
import { keyStamp } from '@infra/shared/facts/kubernetes/key-stamp'
import type { KeyStore } from '@infra/shared/steps/aws/iam-keys'
import { secretKeyStore } from '@infra/shared/steps/kubernetes/secret-key-store'
import { type AwsTarget, environment } from '@infra/shared/targets/aws/aws'
import { type KubeAccess, readAccess, userKubeconfig } from '@infra/shared/targets/kubernetes/kubeconfig'
import { blankKubernetes, kubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { awsAccess, type ClusterContext } from '../context.ts'
import type { ClusterEnv } from '../env/env.ts'
import { appSecret } from '../manifests/namespace.ts'
import { namespace } from '../manifests/pod.ts'
import { type Doks, doctlEnvironment, leadsTo, ownKubeconfig } from './doks.ts'

interface Place {
  readonly aws: AwsTarget
  /** Undefined where KUBE_CONTEXT names another cluster. */
  readonly doks: Doks | undefined
  readonly offline: boolean
  /** The project's own folder, for this environment. */
  readonly folder: string
}

/** The cluster of an environment: that of KUBE_CONTEXT, or the one whose kubeconfig the script kubernetes writes. */
export function openKubernetes(env: ClusterEnv, { aws, doks, offline, folder }: Place): Target {
  if (offline) return blankKubernetes()
  const kube = kubernetes({
    access: () => findCluster(env, folder),
    ...(doks && { leads: ({ doks: id }) => leadsTo(doks, id) }),
    awaitedAs: `kubernetes ${env.DO_CLUSTER_NAME}`,
    cache: join(folder, 'kubectl'),
    env: {
      // For the pull secret, whose token goes from the aws CLI to kubectl.
      ...environment(awsAccess(env)),
      // For doctl, by which kubectl signs in to the DOKS cluster.
      ...doctlEnvironment(env, folder),
    },
    lend: aws.lend,
    values: {
      ...Object.fromEntries(
        ['discord-bot', 'dev-sandbox'].map((name) => [
          latestOf(name),
          {
            find: () => imageInEcr(aws, name, env.IMAGE_REGISTRY),
            missing: `there is no image ${name}:latest in ECR yet: npm run deploy -w cluster -- --tags images builds it`,
          },
        ]),
      ),
      [botKey]: { find: () => keyInSecret(kube), meanwhile: 'not-made-yet' },
    },
  })
  return kube
}

/** The way into the cluster; undefined as long as there is no kubeconfig of our own. */
export function findCluster(env: ClusterEnv, folder: string): KubeAccess | undefined {
  const { KUBECONFIG: files, KUBE_CONTEXT: context } = env
  if (context !== undefined) return readAccess(files ?? userKubeconfig(), context)
  if (files !== undefined)
    throw new Failure('error', 'KUBECONFIG is set, but not which of its contexts to use', {
      remedy: `Set KUBE_CONTEXT (the current one is ${readAccess(files).context}), or unset KUBECONFIG to use the cluster ${env.DO_CLUSTER_NAME}.`,
    })
  const own = ownKubeconfig(env, folder)
  return existsSync(own) ? readAccess(own) : undefined
}

/**
 * For a command that only makes sense inside the cluster: throws where no way in is known to lead to it. `looking`: that
 * there is none yet is an answer too.
 */
export async function assertInside(
  { kube, doks }: Pick<ClusterContext, 'kube' | 'doks'>,
  looking = false,
): Promise<void> {
  await kube.identify?.()
  if (!doks || !kube.awaited) return
  const { path, shown } = doks.kubeconfig
  const there = existsSync(path)
  if (looking && !there) return
  // Asked once more for what stands in the way: no token, no answer.
  if (there) await leadsTo(doks, undefined)
  throw new Failure(
    'error',
    there
      ? `${shown} leads to another cluster than ${doks.name} of this account`
      : `there is no kubeconfig for ${doks.name} yet`,
    { remedy: 'npm run deploy -w cluster -- --tags kubernetes writes it; or set KUBECONFIG and KUBE_CONTEXT.' },
  )
}

/** Stands in manifests for the image that a repository's `latest` is. */
export const latestOf = (repository: string): string => `image.invalid/${repository}:latest`

/** Stands in manifests for the stamp of the access key that is made for the bot. */
export const botKey = `access-key-of/${appSecret}`

async function keyInSecret(kube: Target): Promise<string | undefined> {
  const { command, parse } = keyStamp(namespace, appSecret)
  const [output] = await kube.ask([command])
  return output && parse(output)
}

async function imageInEcr(aws: AwsTarget, repository: string, registry?: string): Promise<string | undefined> {
  const { command, parse } = latestImage(aws.place, repository, registry)
  const [output] = await aws.ask([command])
  if (!output) return undefined
  try {
    return parse(output)
  } catch (error) {
    const denied = aws.denied?.(output)
    if (denied) throw denied
    throw new Failure('error', `ECR does not tell which image ${repository}:latest is`, {
      detail: [(error as Error).message],
      remedy: `npm run images -w cluster shows what it tells; mend the cause and run again.`,
    })
  }
}

/** Where the access key that is made for the bot is kept; undefined where the operator gives one. */
export function botKeyStore(env: ClusterEnv, folder: string): KeyStore | undefined {
  if (env.BOT_AWS_ACCESS_KEY_ID) return undefined
  const { KUBE_CONTEXT: context, KUBECONFIG = userKubeconfig() } = env
  const place = context === undefined ? { files: ownKubeconfig(env, folder) } : { files: KUBECONFIG, context }
  return secretKeyStore({ namespace, secret: appSecret, ...place })
}
