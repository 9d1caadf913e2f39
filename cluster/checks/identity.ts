import { type Check, check, fail, ok } from '@infra/shared/engine/check'
import { callerIdentity } from '@infra/shared/facts/aws/sts'
import type { ClusterContext } from '../context.ts'

/** Who we are in AWS. */
export function identityChecks({ env, aws }: ClusterContext): readonly Check[] {
  return [
    check(aws, {
      id: 'aws.identity',
      about: 'AWS knows the credentials',
      remedy: 'aws sts get-caller-identity with the same AWS_PROFILE shows what it knows.',
      ask: { identity: callerIdentity(aws.place) },
      judge: ({ identity }) =>
        identity ? ok(`account ${identity.account} as ${identity.arn}, in ${env.AWS_REGION}`) : fail('it does not'),
    }),
  ]
}
