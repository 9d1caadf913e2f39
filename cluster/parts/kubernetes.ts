import { Failure } from '@infra/shared/engine/failure'
import type { Target } from '@infra/shared/engine/target'
import { latestImage } from '@infra/shared/facts/aws/ecr-images'
import { keyStamp } from '@infra/shared/facts/kubernetes/key-stamp'
import { type Doks, ownKubeconfig } from '@infra/shared/platform/doks'
import { openCluster } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import type { KeyStore } from '@infra/shared/steps/aws/iam-keys'
import { secretKeyStore } from '@infra/shared/steps/kubernetes/secret-key-store'
import { type AwsTarget, environment } from '@infra/shared/targets/aws/aws'
import { userKubeconfig } from '@infra/shared/targets/kubernetes/kubeconfig'
import { awsAccess } from '../context.ts'
import type { ClusterEnv } from '../env/env.ts'
import { appSecret } from '../manifests/namespace.ts'

interface Place {
  readonly aws: AwsTarget
  /** Undefined where KUBE_CONTEXT names another cluster. */
  readonly doks: Doks | undefined
  readonly offline: boolean
  /** The project's own folder, for this environment. */
  readonly folder: string
}

/** The cluster of an environment, with the values of its manifests that only become known in the course of a run. */
export function openKubernetes(env: ClusterEnv, { aws, doks, offline, folder }: Place): Target {
  const kube: Target = openCluster(env, {
    ...{ doks, offline, folder },
    // For the pull secret, whose token goes from the aws CLI to kubectl.
    awsEnv: environment(awsAccess(env)),
    ...(aws.credentialEnv && { credentialEnv: aws.credentialEnv }),
    values: {
      ...Object.fromEntries(
        ['discord-bot', 'dev-sandbox'].map((name) => [
          latestOf(name),
          {
            find: () => imageInEcr(aws, name, env.IMAGE_REGISTRY),
            placeholder: `image.invalid/${name}:not-built-yet`,
            missing: `there is no image ${name}:latest in ECR yet: npm run deploy -w cluster -- --tags images builds it`,
          },
        ]),
      ),
      [botKey]: { find: () => keyInSecret(kube), placeholder: 'not-made-yet' },
    },
  })
  return kube
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
