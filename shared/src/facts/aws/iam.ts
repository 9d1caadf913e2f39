import { type AwsPlace, aws, awsAnswer, listIn } from '../../command/aws.ts'
import type { Tags } from '../../command/aws-tags.ts'
import type { Question } from '../../engine/step.ts'

export interface UserState {
  readonly arn: string
  readonly tags: Tags
}

/** A policy document as IAM keeps it. A single statement, action or resource may stand without its list. */
export interface PolicyDocument {
  readonly Version?: string
  readonly Statement: PolicyStatement | readonly PolicyStatement[]
}
export interface PolicyStatement {
  readonly Sid?: string
  readonly Effect: string
  readonly Action?: string | readonly string[]
  readonly Resource?: string | readonly string[]
  /** `Condition`, `NotAction` and what else there may be. */
  readonly [other: string]: unknown
}

export interface AccessKey {
  readonly id: string
  readonly active: boolean
  /** When it was made: ISO 8601, as text, so that later ones sort behind. */
  readonly created: string
}

/** Rights that a user has beside a policy: names of inline policies, ARNs of attached ones, groups. */
export type Rights = readonly string[]

const absent = /^NoSuchEntity$/

/** A user and its tags. Null when there is none. GetUser. */
export function iamUser(place: AwsPlace, name: string): Question<UserState | null> {
  return {
    command: aws(place, 'iam', 'get-user', { UserName: name }),
    parse: (output) => {
      const answer = awsAnswer<{ User: { Arn: string; Tags?: { Key: string; Value: string }[] } }>(output, absent)
      if (!answer) return null
      const { Arn: arn, Tags = [] } = answer.User
      return { arn, tags: Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value])) }
    },
  }
}

/** An inline policy of a user. Null when it has none of that name, or is not there. GetUserPolicy. */
export function userPolicy(place: AwsPlace, user: string, policy: string): Question<PolicyDocument | null> {
  return {
    command: aws(place, 'iam', 'get-user-policy', { UserName: user, PolicyName: policy }),
    parse: (output) => awsAnswer<{ PolicyDocument: PolicyDocument }>(output, absent)?.PolicyDocument ?? null,
  }
}

/** The access keys of a user, the oldest first; none of a user that is not there. ListAccessKeys; never the secret half. */
export function accessKeys(place: AwsPlace, user: string): Question<readonly AccessKey[]> {
  return {
    command: aws(place, 'iam', 'list-access-keys', { UserName: user }),
    parse: (output) => {
      const answer = awsAnswer<{ AccessKeyMetadata: { AccessKeyId: string; Status: string; CreateDate: string }[] }>(
        output,
        absent,
      )
      const keys = listIn(answer, 'AccessKeyMetadata').map(({ AccessKeyId, Status, CreateDate }) => {
        return { id: AccessKeyId, active: Status === 'Active', created: new Date(CreateDate).toISOString() }
      })
      return keys.sort((a, b) => a.created.localeCompare(b.created) || a.id.localeCompare(b.id))
    },
  }
}

/** The names of a user's inline policies. ListUserPolicies. */
export function inlinePolicies(place: AwsPlace, user: string): Question<Rights> {
  return {
    command: aws(place, 'iam', 'list-user-policies', { UserName: user }),
    parse: (output) => listIn(awsAnswer<{ PolicyNames: string[] }>(output, absent), 'PolicyNames'),
  }
}

/** The ARNs of the policies that are attached to a user. ListAttachedUserPolicies. */
export function attachedPolicies(place: AwsPlace, user: string): Question<Rights> {
  return {
    command: aws(place, 'iam', 'list-attached-user-policies', { UserName: user }),
    parse: (output) => {
      const answer = awsAnswer<{ AttachedPolicies: { PolicyArn: string }[] }>(output, absent)
      return listIn(answer, 'AttachedPolicies').map(({ PolicyArn }) => PolicyArn)
    },
  }
}

/** The groups that a user is in. ListGroupsForUser. */
export function groupsOf(place: AwsPlace, user: string): Question<Rights> {
  return {
    command: aws(place, 'iam', 'list-groups-for-user', { UserName: user }),
    parse: (output) => {
      const answer = awsAnswer<{ Groups: { GroupName: string }[] }>(output, absent)
      return listIn(answer, 'Groups').map(({ GroupName }) => GroupName)
    },
  }
}
