import { type AwsPlace, aws, awsAnswer, awsArn } from '../../command/aws.ts'
import type { Question } from '../../engine/step.ts'

export interface RepositoryState {
  readonly arn: string
  /** Where images are pushed to and pulled from, without a tag. */
  readonly uri: string
  /** `MUTABLE`, `IMMUTABLE`, either `…_WITH_EXCLUSION`. */
  readonly tagMutability: string
  readonly scanOnPush: boolean
  /** `AES256`, `KMS`, `KMS_DSSE`. */
  readonly encryption: string
}

/** A lifecycle policy as it was written: its rules, in the words of ECR. */
export interface LifecyclePolicy {
  readonly rules: readonly LifecycleRule[]
}
export interface LifecycleRule {
  readonly selection: Readonly<Record<string, unknown>>
  readonly action: Readonly<Record<string, unknown>>
}

const absent = /^RepositoryNotFoundException$/

/** A repository of images. Null when there is none. DescribeRepositories. */
export function repositoryState(place: AwsPlace, name: string): Question<RepositoryState | null> {
  return {
    command: aws(place, 'ecr', 'describe-repositories', { repositoryNames: [name] }),
    parse: (output) => {
      const [repository] = awsAnswer<{ repositories: Repository[] }>(output, absent)?.repositories ?? []
      if (!repository) return null
      return {
        arn: repository.repositoryArn,
        uri: repository.repositoryUri,
        tagMutability: repository.imageTagMutability ?? 'MUTABLE',
        scanOnPush: repository.imageScanningConfiguration?.scanOnPush === true,
        encryption: repository.encryptionConfiguration?.encryptionType ?? 'AES256',
      }
    },
  }
}

/** Which images expire. Null when nothing says so, or when there is no such repository. GetLifecyclePolicy. */
export function lifecyclePolicy(place: AwsPlace, name: string): Question<LifecyclePolicy | null> {
  return {
    command: aws(place, 'ecr', 'get-lifecycle-policy', { repositoryName: name }),
    parse: (output) => {
      const absentPolicy = /^(LifecyclePolicy|Repository)NotFoundException$/
      const answer = awsAnswer<{ lifecyclePolicyText: string }>(output, absentPolicy)
      return answer && (JSON.parse(answer.lifecyclePolicyText) as LifecyclePolicy)
    },
  }
}

/** The tags of a repository. Null when there is no such repository. ListTagsForResource. */
export function repositoryTags(place: AwsPlace, name: string): Question<Readonly<Record<string, string>> | null> {
  return {
    command: aws(place, 'ecr', 'list-tags-for-resource', { resourceArn: awsArn(place, 'ecr', `repository/${name}`) }),
    parse: (output) => {
      const answer = awsAnswer<{ tags?: { Key: string; Value: string }[] }>(output, absent)
      return answer && Object.fromEntries((answer.tags ?? []).map(({ Key, Value }) => [Key, Value]))
    },
  }
}

interface Repository {
  repositoryArn: string
  repositoryUri: string
  imageTagMutability?: string
  imageScanningConfiguration?: { scanOnPush?: boolean }
  encryptionConfiguration?: { encryptionType?: string }
}
