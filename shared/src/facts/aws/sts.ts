import { type AwsPlace, aws, awsAnswer } from '../../command/aws.ts'
import type { Question } from '../../engine/step.ts'

/** Who the credentials belong to; null for a blank account. GetCallerIdentity, which everybody may ask. */
export function callerIdentity(place: AwsPlace): Question<{ account: string; arn: string } | null> {
  return {
    command: aws(place, 'sts', 'get-caller-identity'),
    parse: (output) => {
      const answer = awsAnswer<{ Account: string; Arn: string }>(output, /^$/)
      return answer && { account: answer.Account, arn: answer.Arn }
    },
  }
}
