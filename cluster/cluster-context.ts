import { type AwsTarget, awsAccount, blankAws } from '@infra/shared/targets/aws'
import type { ClusterEnv } from './env.ts'

/** What the cluster's scripts and checks are given. */
export interface ClusterContext {
  readonly env: ClusterEnv
  readonly aws: AwsTarget
}

/** The AWS account of an environment; `offline`: one that has nothing and is not asked. */
export function openAws(env: ClusterEnv, offline: boolean): AwsTarget {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = env
  const place = { region: env.AWS_REGION, account: env.AWS_ACCOUNT_ID, endpoint: env.AWS_ENDPOINT_URL }
  if (offline) return blankAws(place)
  return awsAccount({ ...place, profile: env.AWS_PROFILE, keys: id && secret && { id, secret, token } })
}

/** The tags of everything made here: by them it is known again. */
export const ownTags = (name: string) => ({ Name: name, Environment: 'production', 'managed-by': 'infra' })
