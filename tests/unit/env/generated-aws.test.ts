import { type AwsCall, type AwsCommand, aws } from '@infra/shared/command/aws'
import type { Output } from '@infra/shared/command/command'
import { factOf } from '@infra/shared/engine/ask'
import type { Question } from '@infra/shared/engine/step'
import { pointInTimeRecovery, tableState, tableTags, timeToLive } from '@infra/shared/facts/aws/dynamodb'
import { lifecyclePolicy, repositoryState, repositoryTags } from '@infra/shared/facts/aws/ecr'
import { ecrImages, latestImage } from '@infra/shared/facts/aws/ecr-images'
import {
  accessKeys,
  attachedPolicies,
  groupsOf,
  iamUser,
  inlinePolicies,
  userPolicy,
} from '@infra/shared/facts/aws/iam'
import { queueState, queueTags } from '@infra/shared/facts/aws/sqs'
import { callerIdentity } from '@infra/shared/facts/aws/sts'
import { awsFailure } from '@infra/shared/targets/aws/errors'
import { allPages } from '@infra/shared/targets/aws/pages'
import { outputOf } from '@infra/shared/targets/aws/protocols'
import { readXml } from '@infra/shared/targets/aws/xml'
import { describe, expect, test } from 'vitest'
import { chanceBy } from '../../support/chance.ts'
import { wrongErrors } from './wrong-errors.ts'

const { below, oneOf, many, damaged, reshaped } = chanceBy(20261201)
const place = { region: 'ca-central-1', account: '123456789012' }
const arn = (service: string, name: string) => `arn:aws:${service}:ca-central-1:123456789012:${name}`

/** A reply of IAM or STS. */
const xml = (action: string, inner: string) =>
  `<?xml version="1.0"?><${action}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><${action}Result>${inner}</${action}Result><ResponseMetadata><RequestId>1-2</RequestId></ResponseMetadata></${action}Response>`
const member = (...items: string[]) => items.map((item) => `<member>${item}</member>`).join('')
const key = `<UserName>bot</UserName><AccessKeyId>AKIA1</AccessKeyId><Status>Active</Status><CreateDate>2026-11-01T00:00:00Z</CreateDate>`
const document = encodeURIComponent(JSON.stringify({ Version: '2012-10-17', Statement: [] }))

/** Every question about AWS, with a reply of its form. */
const questions: Readonly<Record<string, readonly [Question<unknown>, string]>> = {
  'a table': [
    tableState(place, 't'),
    JSON.stringify({
      Table: {
        ...{ TableArn: arn('dynamodb', 'table/t'), TableStatus: 'ACTIVE', DeletionProtectionEnabled: true },
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        GlobalSecondaryIndexes: [{ IndexName: 'i', KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }] }],
      },
    }),
  ],
  'its expiry': [
    timeToLive(place, 't'),
    JSON.stringify({ TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' } }),
  ],
  'its tags': [tableTags(place, 't'), JSON.stringify({ Tags: [{ Key: 'a', Value: 'b' }] })],
  'its recovery': [
    pointInTimeRecovery(place, 't'),
    JSON.stringify({ ContinuousBackupsDescription: { ContinuousBackupsStatus: 'ENABLED' } }),
  ],
  'a queue': [
    queueState(place, 'q'),
    JSON.stringify({ Attributes: { QueueArn: arn('sqs', 'q'), RedrivePolicy: '{"maxReceiveCount":3}' } }),
  ],
  'tags of a queue': [queueTags(place, 'q'), JSON.stringify({ Tags: { a: 'b' } })],
  'a repository': [
    repositoryState(place, 'r'),
    JSON.stringify({
      repositories: [
        {
          ...{ repositoryArn: arn('ecr', 'repository/r'), repositoryUri: 'x/r', imageTagMutability: 'MUTABLE' },
          imageScanningConfiguration: { scanOnPush: true },
          encryptionConfiguration: { encryptionType: 'AES256' },
        },
      ],
    }),
  ],
  'its lifecycle': [lifecyclePolicy(place, 'r'), JSON.stringify({ lifecyclePolicyText: '{"rules":[]}' })],
  'tags of a repository': [repositoryTags(place, 'r'), JSON.stringify({ tags: [{ Key: 'a', Value: 'b' }] })],
  images: [
    ecrImages(place, 'r'),
    JSON.stringify({ imageDetails: [{ imageDigest: 'sha256:1', imageTags: ['latest'], imagePushedAt: 1.5 }] }),
  ],
  'the latest image': [
    latestImage(place, 'r'),
    JSON.stringify({ imageDetails: [{ imageDigest: 'sha256:1', registryId: '123456789012' }] }),
  ],
  identity: [callerIdentity(place), xml('GetCallerIdentity', '<Account>123456789012</Account><Arn>a</Arn>')],
  'a user': [
    iamUser(place, 'bot'),
    xml('GetUser', `<User><Arn>a</Arn><Tags>${member('<Key>a</Key><Value>b</Value>')}</Tags></User>`),
  ],
  'a policy': [userPolicy(place, 'bot', 'p'), xml('GetUserPolicy', `<PolicyDocument>${document}</PolicyDocument>`)],
  'access keys': [
    accessKeys(place, 'bot'),
    xml('ListAccessKeys', `<AccessKeyMetadata>${member(key, key)}</AccessKeyMetadata><IsTruncated>false</IsTruncated>`),
  ],
  'inline policies': [
    inlinePolicies(place, 'bot'),
    xml('ListUserPolicies', `<PolicyNames>${member('p')}</PolicyNames>`),
  ],
  'attached policies': [
    attachedPolicies(place, 'bot'),
    xml('ListAttachedUserPolicies', '<AttachedPolicies/><IsTruncated>false</IsTruncated>'),
  ],
  groups: [groupsOf(place, 'bot'), xml('ListGroupsForUser', `<Groups>${member('<GroupName>g</GroupName>')}</Groups>`)],
}

const pieces = [
  '<',
  '>',
  '</',
  '/>',
  '<a>',
  '</a>',
  '<!--',
  '&',
  '&lt;',
  '&#x110000;',
  '&#0;',
  '&nbsp;',
  '{',
  '}',
  '"',
  ',',
  '[',
  ']',
  ' ',
  '\n',
  'é',
  '\u0000',
  '__proto__',
  '%',
  '%ZZ',
]
const portal = '<html><head><title>Sign in</title></head><body>Welcome<br></body></html>'
const jsonError = JSON.stringify({ __type: 'com.amazon.coral.service#AccessDeniedException', message: 'no' })
const xmlError =
  '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>'
const header = () => null
const callOf = ({ command }: Question<unknown>): AwsCall => (command as AwsCommand).call as AwsCall

/** What is wrong with a message for a reader: it shall be a sentence of ours or of AWS's, and nothing of JavaScript's. */
function unclear(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : 'no error'
  const isOurs = !/undefined|is not (a function|iterable)|JSON at|Unexpected|Cannot read|\[object|no error/.test(
    message,
  )
  return isOurs && message.trim() !== '' ? undefined : `unclear: ${message}`
}
const wrongOf = (works: readonly (() => unknown)[]): string[] => wrongErrors(works, unclear)

describe.each(Object.entries(questions))('the reply about %s', (_, [question, right]) => {
  const call = callOf(question)
  const texts = [
    ...many(150, () => damaged(right, pieces)),
    ...(right.startsWith('{') ? many(150, () => JSON.stringify(reshaped(JSON.parse(right)))) : []),
    ...['', portal, jsonError, xmlError, 'null', '[]', '<a/>'],
  ]
  const outputs: Output[] = texts.flatMap((text) =>
    [200, oneOf([301, 400, 403, 404, 500, 503])].map((status) => outputOf(call, { status, text, header })),
  )

  test('becomes an answer or an error as the CLI tells it, and is read or said not to be', () => {
    for (const { code, stderr } of outputs)
      if (code !== 0 && stderr.trim() === '') throw new Error('an error that says nothing')
    expect(wrongOf(outputs.map((output) => () => factOf(question, output)))).toEqual([])
    expect(wrongOf(outputs.map((output) => () => awsFailure(place, output)))).toEqual([])
  })

  test('that is right is read', () => {
    const output = outputOf(call, { status: 200, text: right, header })
    expect(output.code).toBe(0)
    expect(factOf(question, output)).not.toBeUndefined()
  })

  test('with an error, a portal’s page or of another question is nothing that is not there', () => {
    const others = Object.values(questions).flatMap(([, text]) =>
      text[0] === right[0] && text !== right ? [text] : [],
    )
    for (const [status, text] of [
      [403, jsonError],
      [403, xmlError],
      [200, portal],
      [500, ''],
      [200, ''],
    ] as const) {
      const output = outputOf(call, { status, text, header })
      if (status === 200 && text === '' && right.startsWith('{')) continue // as the CLI, which prints nothing for {}
      expect(() => factOf(question, output), `${status} ${text}`).toThrow()
    }
    // Of another action, in its own protocol.
    if (right.startsWith('<'))
      for (const text of others) expect(outputOf(call, { status: 200, text, header }).code).not.toBe(0)
  })
})

describe('XML', () => {
  const name = () => oneOf(['a', 'B', 'member', 'ns:x', '__proto__', 'constructor'])
  const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const plain = () => many(1 + below(4), () => oneOf(['x', '<', '&', '>', '"', 'é', '\u{1F600}', '1'])).join('')

  test('gives every text that is in it, and none that is not', () => {
    for (let times = 0; times < 500; times += 1) {
      const said: string[] = []
      const element = (depth: number): string => {
        const tag = name()
        if (depth === 0 || below(3) === 0) {
          const text = plain()
          said.push(text)
          return `<${tag}${oneOf(['', ' xmlns="u"'])}>${escaped(text)}</${tag}>`
        }
        // Of one name each, since a later one would take the place of an earlier one.
        return `<${tag}><member>${element(depth - 1)}</member><member>${element(depth - 1)}</member></${tag}>`
      }
      const found: string[] = []
      const collect = (value: unknown): void => {
        if (typeof value === 'string') found.push(value)
        else for (const inner of Object.values(value as object)) collect(inner)
      }
      collect(readXml(`<?xml version="1.0"?>\n${element(4)}`))
      expect(found.sort()).toEqual(said.sort())
    }
  })

  test.each([
    ['many that open', '<a'.repeat(100_000)],
    ['many that say nothing', '<!'.repeat(100_000)],
    ['one with endless attributes', `<a ${'x="1" '.repeat(100_000)}`],
    ['a deep one', '<a>'.repeat(100_000)],
    ['blanks', `<a${' '.repeat(200_000)}`],
  ])('of %s ends at once', (_, text) => {
    expect(() => readXml(text)).toThrow()
  })
})

describe('an answer in pages', () => {
  const call = aws(place, 'iam', 'list-user-policies', { UserName: 'bot' }).call as AwsCall

  test('is read to the last, whatever tells that there is more', async () => {
    for (let times = 0; times < 300; times += 1) {
      const pages = many(1 + below(5), () => many(below(4), () => `p${below(1000)}`))
      const token = oneOf(['NextToken', 'nextToken', 'Marker'])
      const send = async ({ input }: AwsCall) => {
        const at = Number(input[token] ?? 0)
        const isLast = at === pages.length - 1
        const more = token === 'Marker' ? { IsTruncated: !isLast } : {}
        // Some repeat a marker on the last page.
        const next = isLast && token !== 'Marker' ? {} : { [token]: String(at + 1) }
        return JSON.stringify({ PolicyNames: pages[at], ...more, ...next })
      }
      expect(JSON.parse((await allPages(call, send)) ?? '')).toMatchObject({ PolicyNames: pages.flat() })
    }
  })

  test('that fails on the way, or never ends, is no answer', async () => {
    const page = JSON.stringify({ PolicyNames: ['p'], NextToken: 'again' })
    let asked = 0
    expect(await allPages(call, async () => (++asked === 1 ? page : undefined))).toBeUndefined()
    await expect(allPages(call, async () => page)).rejects.toThrow('more than 1000 pages')
  })
})
