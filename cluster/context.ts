import { ownedBy } from '@infra/shared/command/aws-tags'
import { inputsOf } from '@infra/shared/command/inputs'
import type { Target } from '@infra/shared/engine/target'
import { type Doks, doctlEnvironment } from '@infra/shared/platform/doks'
import { type AwsTarget, awsAccount, blankAws } from '@infra/shared/targets/aws/aws'
import { compositeTarget } from '@infra/shared/targets/composite'
import { local } from '@infra/shared/targets/local'
import type { ClusterEnv } from './env/env.ts'

/** What the cluster's scripts and checks are given. */
export interface ClusterContext {
  readonly env: ClusterEnv
  readonly aws: AwsTarget
  readonly kube: Target
  /** Remove this workspace's objects that are not declared any more: `--prune`. */
  readonly prune: boolean
  /** The same AWS account, with this machine's files beside it: for images, which are made of both. */
  readonly builder: AwsTarget
  /** Undefined where KUBECONFIG or KUBE_CONTEXT names another cluster than the DOKS one. */
  readonly doks: Doks | undefined
  readonly workspace: 'cluster'
  /** Whether a DOKS cluster that is not there may be made: `--create`. */
  readonly create: boolean
  /** The project's own folder, for this environment. */
  readonly folder: string
}

/** The region, and by what credentials it is reached. */
export function awsAccess(env: ClusterEnv) {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = env
  return { region: env.AWS_REGION, profile: env.AWS_PROFILE, keys: id && secret && { id, secret, token } }
}

/** The AWS account of an environment; `offline`: one that has nothing and is not asked. */
export function openAws(env: ClusterEnv, offline: boolean, folder: string): AwsTarget {
  const place = { region: env.AWS_REGION, account: env.AWS_ACCOUNT_ID, endpoint: env.AWS_ENDPOINT_URL }
  if (offline) return blankAws(place)
  return awsAccount({
    ...place,
    ...awsAccess(env),
    // For doctl, which signs kubectl in where it keeps the bot's key.
    kubectlEnv: doctlEnvironment(env, folder),
  })
}

/** The AWS account as it is for images: what they are made of is read by this process. */
export function openBuilder(aws: AwsTarget): AwsTarget {
  return aws.blank ? aws : compositeTarget(aws, local(), (command) => inputsOf(command) !== undefined)
}

/** The tags of everything made here: by them it is known again. */
export const ownTags = (name: string) => ({ Name: name, Environment: 'production', ...ownedBy })
