import type { QueueState } from '@infra/shared/facts/aws/sqs'
import { queueState, queueTags, queueUrl } from '@infra/shared/facts/aws/sqs'
import { type QueueOptions, queue } from '@infra/shared/steps/aws/sqs'
import { blankAws } from '@infra/shared/targets/aws/aws'
import { describe, expect, it } from 'vitest'
import { say } from './aws-say.ts'

const place = { region: 'ca-central-1' }
const desired: QueueOptions = {
  name: 'events',
  delay: 0,
  maxMessage: 262_144,
  retention: 1_209_600,
  receiveWait: 0,
  visibility: 30,
  deadLetters: { queue: 'events-dlq', after: 3 },
  tags: { Name: 'events' },
}
const arn = (name: string) => `arn:aws:sqs:ca-central-1:123456789012:${name}`
const there: QueueState = {
  arn: arn('events'),
  attributes: {
    DelaySeconds: '0',
    MaximumMessageSize: '262144',
    MessageRetentionPeriod: '1209600',
    ReceiveMessageWaitTimeSeconds: '0',
    VisibilityTimeout: '30',
    KmsMasterKeyId: 'theirs',
  },
  fifo: false,
  redrive: { deadLetterTargetArn: arn('events-dlq'), maxReceiveCount: 3 },
  redriveAllow: undefined,
}
const withAttributes = (attributes: Record<string, string>) => ({
  queue: { ...there, attributes: { ...there.attributes, ...attributes } },
  tags: desired.tags,
})
const takesAll = { redrivePermission: 'allowAll', sourceQueueArns: [] }
const ofDead: Partial<QueueOptions> = { deadLetters: undefined as never, deadLettersOf: ['events', 'a'] }

interface Row {
  now: { queue: QueueState | null; tags: Record<string, string> | null }
  desired?: Partial<QueueOptions>
  changes: string[]
}

describe('an SQS queue', () => {
  it.each<[string, Row]>([
    [
      'is made where there is none',
      {
        now: { queue: null, tags: null },
        changes: ['create queue events (kept for 14 days, dead letters to events-dlq after 3)'],
      },
    ],
    ['is left alone when all is there', { now: { queue: there, tags: { ...desired.tags, Team: 'x' } }, changes: [] }],
    [
      'is told to hide and keep messages as long as desired',
      {
        now: withAttributes({ VisibilityTimeout: '20', DelaySeconds: '5' }),
        changes: ['update queue events: delay 5 → 0, visibility 20 → 30'],
      },
    ],
    [
      'hiding messages shorter may have them done twice, or end among the dead letters',
      {
        now: withAttributes({ VisibilityTimeout: '300' }),
        changes: [expect.stringMatching(/^update queue events: visibility 300 → 30 \(who takes longer .*\) \[data\]$/)],
      },
    ],
    [
      'keeping messages shorter may lose some',
      {
        now: withAttributes({}),
        desired: { retention: 60 },
        changes: ['update queue events: retention 1209600 → 60 (what is older goes at once) [data]'],
      },
    ],
    [
      'is given a queue for its dead letters',
      {
        now: { queue: { ...there, redrive: undefined }, tags: desired.tags },
        changes: ['update queue events: dead letters nowhere → events-dlq after 3'],
      },
    ],
    [
      'gives up as often as wanted',
      {
        now: {
          queue: { ...there, redrive: { deadLetterTargetArn: arn('other'), maxReceiveCount: 9 } },
          tags: desired.tags,
        },
        changes: ['update queue events: dead letters other after 9 → events-dlq after 3'],
      },
    ],
    [
      'takes the dead letters of those named only',
      {
        now: { queue: { ...there, redriveAllow: takesAll }, tags: desired.tags },
        desired: ofDead,
        changes: ['update queue events: takes the dead letters of a, events only'],
      },
    ],
    [
      'knows them in any order',
      {
        now: {
          queue: {
            ...there,
            redriveAllow: { redrivePermission: 'byQueue', sourceQueueArns: [arn('events'), arn('a')] },
          },
          tags: desired.tags,
        },
        desired: ofDead,
        changes: [],
      },
    ],
    [
      'has its tags, beside those of others',
      {
        now: { queue: there, tags: { Name: 'x', Team: 'bots' } },
        desired: { tags: { Name: 'events', Environment: 'production' } },
        changes: ['update tags of events: Name x → events, Environment=production'],
      },
    ],
    [
      'of another kind is refused',
      {
        now: { queue: { ...there, fifo: true }, tags: null },
        changes: [
          "refused: queue events is a FIFO queue instead of a standard one, and a queue's kind cannot be changed",
        ],
      },
    ],
  ])('%s', (_, { now, desired: other, changes }) => {
    const on = blankAws(place)
    expect(say(queue(on, { ...desired, ...other }).plan(now, { pending: [] }))).toEqual(changes)
  })

  it('is reached where AWS has it', () => {
    expect(queueUrl(place, 'x')).toBe('https://sqs.ca-central-1.amazonaws.com/$AWS_ACCOUNT_ID/x')
    expect(queueUrl({ region: 'cn-north-1', account: '1' }, 'x')).toBe('https://sqs.cn-north-1.amazonaws.com.cn/1/x')
    expect(queueUrl({ ...place, endpoint: 'http://localhost:5000/', account: '1' }, 'x')).toBe(
      'http://localhost:5000/1/x',
    )
  })

  it('answers in the words of each of its protocols', () => {
    const words = (code: string) =>
      `An error occurred (${code}) when calling the GetQueueAttributes operation: The specified queue does not exist.`
    for (const code of ['AWS.SimpleQueueService.NonExistentQueue', 'QueueDoesNotExist'])
      expect(queueState(place, 'x').parse({ code: 254, stdout: '', stderr: words(code) })).toBeNull()
    expect(queueTags(place, 'x').parse({ code: 0, stdout: '', stderr: '' })).toEqual({})
    const Attributes = {
      QueueArn: arn('x'),
      RedrivePolicy: '{"deadLetterTargetArn":"d","maxReceiveCount":"3"}',
      RedriveAllowPolicy: '{"redrivePermission":"denyAll"}',
    }
    expect(queueState(place, 'x').parse({ code: 0, stdout: JSON.stringify({ Attributes }), stderr: '' })).toEqual({
      arn: arn('x'),
      attributes: Attributes,
      fifo: false,
      redrive: { deadLetterTargetArn: 'd', maxReceiveCount: 3 },
      redriveAllow: { redrivePermission: 'denyAll', sourceQueueArns: [] },
    })
  })
})
