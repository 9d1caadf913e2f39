import {
  type AwsPlace,
  aws,
  awsArn,
  awsError,
  awsUntil,
  awsWhere,
  explainAws,
  type Json,
  withAccount,
} from '../../command/aws.ts'
import { madeBy, staleTags, type Tags, tellTags } from '../../command/aws-tags.ts'
import type { Output } from '../../command/command.ts'
import { sh } from '../../command/sh.ts'
import {
  type Change,
  changes,
  create,
  type Decision,
  type Dependency,
  refuse,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type QueueState, queueState, queueTags, queueUrl } from '../../facts/aws/sqs.ts'

type OnAws = Target & { readonly place: AwsPlace }

export interface QueueOptions {
  readonly name: string
  /** Seconds until a sent message can be received. */
  readonly delay: number
  /** Bytes of the largest message. */
  readonly maxMessage: number
  /** Seconds that a message is kept. */
  readonly retention: number
  /** Seconds that a receive waits for a message. */
  readonly receiveWait: number
  /** Seconds for which a received message is hidden from others. */
  readonly visibility: number
  /** The queue that takes what was received too often. */
  readonly deadLetters?: { readonly queue: string; readonly after: number }
  /** The queues, and no others, whose dead letters this one takes. */
  readonly deadLettersOf?: readonly string[]
  /** Tags that it has; others are left alone. */
  readonly tags: Tags
  /** Steps that come first: the queue that takes the dead letters. */
  readonly dependsOn?: readonly Dependency[]
}

interface Now {
  readonly queue: QueueState | null
  readonly tags: Tags | null
}

/** A standard SQS queue. What is there is adopted; attributes that are not named here stay as they are. */
export function queue(on: OnAws, desired: QueueOptions): Step {
  const { place } = on
  return step({
    id: `queue ${desired.name}`,
    on,
    ask: { queue: queueState(place, desired.name), tags: queueTags(place, desired.name) },
    plan: (now) => decide(place, desired, now),
    dependsOn: desired.dependsOn ?? [],
  })
}

function decide(place: AwsPlace, desired: QueueOptions, { queue, tags }: Now): Decision {
  const { name } = desired
  if (!queue) return changes([creation(place, desired)], '')
  const account = queue.arn.split(':')[4] ?? ''
  if (queue.fifo) {
    const { line } = sh`aws sqs delete-queue --queue-url ${queueUrl({ ...place, account }, name)} ${awsWhere(place)}`
    return refuse(
      `queue ${name} is a FIFO queue instead of a standard one, and a queue's kind cannot be changed`,
      `No queue is replaced here. When nothing uses it any more, delete it yourself, wait a minute, and run again: ${line}`,
    )
  }
  const stale = Object.entries(attributesOf(place, desired)).filter(
    ([key, value]) => !isSame(key, withAccount(value, account), queue),
  )
  const list: Change[] = []
  if (stale.length > 0) {
    const said = stale.map(([key, value]) => {
      const lost = losing(key, value, queue)
      return `${tell(key, withAccount(value, account), queue)}${lost ? ` (${lost})` : ''}`
    })
    const lossy = stale.some(([key, value]) => losing(key, value, queue) !== undefined)
    const run = setting(
      place,
      name,
      Object.fromEntries(stale),
      stale.map(([key]) => key),
    )
    list.push(update(`queue ${name}: ${said.join(', ')}`, run, { risk: lossy ? 'data' : 'safe', explain }))
  }
  const missing = staleTags(desired.tags, tags)
  if (Object.keys(missing).length > 0) {
    const tag = aws(place, 'sqs', 'tag-queue', { QueueUrl: queueUrl(place, name), Tags: missing })
    list.push(update(`tags of ${name}: ${tellTags(missing, tags)}`, tag, { explain }))
  }
  const { deadLetters, deadLettersOf } = desired
  const route = deadLetters
    ? [`dead letters to ${deadLetters.queue} after ${deadLetters.after}`]
    : deadLettersOf
      ? [`takes the dead letters of ${deadLettersOf.join(', ')}`]
      : []
  return changes(
    list,
    [`hidden for ${desired.visibility} s`, `kept for ${days(desired.retention)}`, ...route].join(', '),
  )
}

function creation(place: AwsPlace, desired: QueueOptions): Change {
  const input = {
    QueueName: desired.name,
    Attributes: attributesOf(place, desired),
    tags: { ...desired.tags, ...madeBy },
  }
  // It answers by its name a moment later than it was made.
  const there = awsUntil(
    aws(
      place,
      'sqs',
      'get-queue-attributes',
      { QueueUrl: queueUrl(place, desired.name), AttributeNames: ['QueueArn'] },
      {
        query: "Attributes.QueueArn && 'there'",
      },
    ),
    'there',
    { say: `queue ${desired.name}`, seconds: 90 },
  )
  const route = desired.deadLetters
    ? `, dead letters to ${desired.deadLetters.queue} after ${desired.deadLetters.after}`
    : ''
  return create(
    `queue ${desired.name} (kept for ${days(desired.retention)}${route})`,
    [aws(place, 'sqs', 'create-queue', input, { query: 'QueueUrl' }), there],
    { explain },
  )
}

/** Sets attributes, and waits until they are read back: AWS takes up to a minute. */
function setting(place: AwsPlace, name: string, Attributes: Readonly<Record<string, string>>, keys: readonly string[]) {
  const QueueUrl = queueUrl(place, name)
  const set = aws(place, 'sqs', 'set-queue-attributes', { QueueUrl, Attributes })
  const plain = keys.filter((key) => !policies.has(key))
  if (plain.length === 0) return [set]
  const matches = plain.map((key) => `Attributes.${key}=='${Attributes[key]}'`).join(' && ')
  const look = aws(
    place,
    'sqs',
    'get-queue-attributes',
    { QueueUrl, AttributeNames: ['All'] },
    {
      query: `(${matches}) && 'set' || 'not yet'`,
    },
  )
  return [set, awsUntil(look, 'set', { say: `attributes of ${name}`, seconds: 120 })]
}

const policies = new Set(['RedrivePolicy', 'RedriveAllowPolicy'])

function attributesOf(place: AwsPlace, desired: QueueOptions): Readonly<Record<string, string>> {
  const arn = (name: string) => awsArn(place, 'sqs', name)
  const { deadLetters, deadLettersOf } = desired
  const json = (value: Json) => JSON.stringify(value)
  return {
    DelaySeconds: String(desired.delay),
    MaximumMessageSize: String(desired.maxMessage),
    MessageRetentionPeriod: String(desired.retention),
    ReceiveMessageWaitTimeSeconds: String(desired.receiveWait),
    VisibilityTimeout: String(desired.visibility),
    ...(deadLetters && {
      RedrivePolicy: json({ deadLetterTargetArn: arn(deadLetters.queue), maxReceiveCount: deadLetters.after }),
    }),
    ...(deadLettersOf && {
      RedriveAllowPolicy: json({ redrivePermission: 'byQueue', sourceQueueArns: deadLettersOf.map(arn).sort() }),
    }),
  }
}

function isSame(key: string, desired: string, queue: QueueState): boolean {
  if (!policies.has(key)) return queue.attributes[key] === desired
  return desired === policyOf(key, queue)
}

/** A policy that is in force, written as ours are. */
function policyOf(key: string, { redrive, redriveAllow }: QueueState): string | undefined {
  if (key === 'RedrivePolicy') {
    if (!redrive) return undefined
    const { deadLetterTargetArn, maxReceiveCount } = redrive
    return JSON.stringify({ deadLetterTargetArn, maxReceiveCount })
  }
  if (!redriveAllow) return undefined
  const { redrivePermission, sourceQueueArns } = redriveAllow
  return JSON.stringify({ redrivePermission, sourceQueueArns: [...sourceQueueArns].sort() })
}

const words: Readonly<Record<string, string>> = {
  DelaySeconds: 'delay',
  MaximumMessageSize: 'largest message',
  MessageRetentionPeriod: 'retention',
  ReceiveMessageWaitTimeSeconds: 'receive wait',
  VisibilityTimeout: 'visibility',
}

function tell(key: string, desired: string, queue: QueueState): string {
  if (key === 'RedrivePolicy') {
    const { deadLetterTargetArn = '', maxReceiveCount } = JSON.parse(desired) as NonNullable<QueueState['redrive']>
    const now = queue.redrive
      ? `${nameOf(queue.redrive.deadLetterTargetArn)} after ${queue.redrive.maxReceiveCount}`
      : 'nowhere'
    return `dead letters ${now} → ${nameOf(deadLetterTargetArn)} after ${maxReceiveCount}`
  }
  if (key === 'RedriveAllowPolicy') {
    const { sourceQueueArns } = JSON.parse(desired) as NonNullable<QueueState['redriveAllow']>
    return `takes the dead letters of ${sourceQueueArns.map(nameOf).join(', ')} only`
  }
  return `${words[key]} ${queue.attributes[key] ?? 'not set'} → ${desired}`
}

const nameOf = (arn: string): string => arn.split(':').at(-1) ?? arn

/** What becomes of messages when an attribute gets a smaller value. */
const smaller: Readonly<Record<string, string>> = {
  MessageRetentionPeriod: 'what is older goes at once',
  VisibilityTimeout: 'who takes longer gets a message again, and it ends among the dead letters',
  MaximumMessageSize: 'larger ones are refused',
}

const losing = (key: string, desired: string, { attributes }: QueueState): string | undefined =>
  Number(desired) < Number(attributes[key] ?? 0) ? smaller[key] : undefined

const days = (seconds: number): string => (seconds % 86_400 === 0 ? `${seconds / 86_400} days` : `${seconds} s`)

function explain(output: Output): string | undefined {
  if (/QueueDeletedRecently/.test(awsError(output)?.code ?? ''))
    return 'a queue of this name was deleted less than a minute ago: AWS wants a minute between the two'
  return explainAws(output)
}
