import { type AwsPlace, accountHole, aws, awsAnswer } from '../../command/aws.ts'
import type { Question } from '../../engine/step.ts'

export interface QueueState {
  readonly arn: string
  /** What can be set, as AWS writes it: `VisibilityTimeout` → `30`. Numbers are in seconds and bytes. */
  readonly attributes: Readonly<Record<string, string>>
  readonly fifo: boolean
  /** Where messages go that were received too often. */
  readonly redrive: { readonly deadLetterTargetArn: string; readonly maxReceiveCount: number } | undefined
  /** Which queues may send their dead letters here. */
  readonly redriveAllow: { readonly redrivePermission: string; readonly sourceQueueArns: readonly string[] } | undefined
}

/** Where a queue is reached: the URL that AWS gives it, known beforehand but for the account. */
export function queueUrl({ region, endpoint, account }: AwsPlace, name: string): string {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  return `${(endpoint ?? `https://sqs.${region}.${domain}`).replace(/\/$/, '')}/${account ?? accountHole}/${name}`
}

// QueueDoesNotExist by its name of today and by the one the CLI says.
const absent = /^(AWS\.SimpleQueueService\.NonExistentQueue|QueueDoesNotExist)$/

/** A queue's attributes and where its dead letters go. Null when there is none. GetQueueAttributes. */
export function queueState(place: AwsPlace, name: string): Question<QueueState | null> {
  return {
    command: aws(place, 'sqs', 'get-queue-attributes', { QueueUrl: queueUrl(place, name), AttributeNames: ['All'] }),
    parse: (output) => {
      const answer = awsAnswer<{ Attributes: Readonly<Record<string, string>> }>(output, absent)
      return answer && readQueue(answer.Attributes)
    },
  }
}

/** The URL that a queue is reached by, as AWS says it. Null when there is none. GetQueueUrl. */
export function queueAddress(place: AwsPlace, name: string): Question<string | null> {
  return {
    command: aws(place, 'sqs', 'get-queue-url', { QueueName: name }),
    parse: (output) => awsAnswer<{ QueueUrl: string }>(output, absent)?.QueueUrl ?? null,
  }
}

/** The tags of a queue. Null when there is no such queue. ListQueueTags. */
export function queueTags(place: AwsPlace, name: string): Question<Readonly<Record<string, string>> | null> {
  return {
    command: aws(place, 'sqs', 'list-queue-tags', { QueueUrl: queueUrl(place, name) }),
    parse: (output) => {
      const answer = awsAnswer<{ Tags?: Readonly<Record<string, string>> }>(output, absent)
      return answer && (answer.Tags ?? {})
    },
  }
}

function readQueue(attributes: Readonly<Record<string, string>>): QueueState {
  const { QueueArn: arn = '', RedrivePolicy, RedriveAllowPolicy } = attributes
  const redrive =
    RedrivePolicy && (JSON.parse(RedrivePolicy) as { deadLetterTargetArn: string; maxReceiveCount: number })
  const allow = RedriveAllowPolicy && (JSON.parse(RedriveAllowPolicy) as Partial<QueueState['redriveAllow'] & object>)
  return {
    arn,
    attributes,
    fifo: attributes.FifoQueue === 'true',
    // The count may come as a text.
    redrive: redrive ? { ...redrive, maxReceiveCount: Number(redrive.maxReceiveCount) } : undefined,
    redriveAllow: allow
      ? { redrivePermission: allow.redrivePermission ?? 'allowAll', sourceQueueArns: allow.sourceQueueArns ?? [] }
      : undefined,
  }
}
