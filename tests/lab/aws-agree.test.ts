import { aws, awsArn } from '@infra/shared/command/aws'
import { assertSound, makePlan } from '@infra/shared/engine/plan'
import type { Question } from '@infra/shared/engine/step'
import { accessKeys, attachedPolicies, groupsOf, iamUser, inlinePolicies } from '@infra/shared/facts/aws/iam'
import { queueState } from '@infra/shared/facts/aws/sqs'
import { callerIdentity } from '@infra/shared/facts/aws/sts'
import type { AwsTarget } from '@infra/shared/targets/aws/aws'
import { describe, expect, it } from 'vitest'
import { tables } from '../../cluster/scripts/10-dynamodb.ts'
import { desired, failureOf, secretKey, useAws } from './aws-lab.ts'
import { listen } from './http.ts'
import { requireLab, title } from './prerequisites.ts'

const skip = requireLab('moto')

describe.skipIf(skip)(title('the CLI and this process, asked the same', skip), () => {
  const lab = useAws({ keep: true })

  /** Every question of the scripts and checks, each once. */
  const questions = () => {
    const { work, context } = lab.cluster({ CLUSTER_PITR: true })
    const { place } = context.aws
    const users = ['discord-bot', 'bare'].flatMap((name) => [
      iamUser(place, name),
      accessKeys(place, name),
      inlinePolicies(place, name),
      attachedPolicies(place, name),
      groupsOf(place, name),
    ])
    const all = work.flatMap(({ steps }) => steps.flatMap(({ ask }) => Object.values(ask)))
    const asked = [...all, ...users, callerIdentity(place)]
    return [...new Map(asked.map((question) => [question.command.line, question])).values()]
  }

  /** What questions find, or in which words they fail. */
  async function facts(target: AwsTarget, asked: readonly Question<unknown>[]) {
    const outputs = await target.ask(asked.map(({ command }) => command))
    return asked.map(({ command, parse }, index) => {
      const output = outputs[index] as NonNullable<(typeof outputs)[0]>
      try {
        return { line: command.line, ok: output.code === 0, found: parse(output) }
      } catch (error) {
        return { line: command.line, ok: output.code === 0, error: String(error) }
      }
    })
  }

  async function bothWays(asked = questions()) {
    const began = lab.moto.requests().length
    const own = await facts(lab.open({ account: undefined }), asked)
    expect(lab.moto.requests().length - began).toBe(asked.length + 1) // first of all who we are
    const cli = await facts(lab.open({ account: undefined, cliOnly: true }), asked)
    expect(own).toEqual(cli)
    return own
  }

  it('agree on an account that has nothing', async () => {
    // One of each kind: a call of the CLI takes its time.
    const kindOf = ({ command }: Question<unknown>) => command.line.split(' ').slice(0, 3).join(' ')
    const kinds = [...new Map(questions().map((question) => [kindOf(question), question])).values()]
    const found = await bothWays(kinds)
    expect(found.length).toBe(16)
    expect(found.filter(({ ok }) => ok).map(({ line }) => line)).toEqual([
      expect.stringContaining('get-caller-identity'),
    ])
    expect(found.filter(({ error }) => error !== undefined)).toEqual([])
  })

  it('agree on an account that has it all', async () => {
    const { send } = lab
    const place = { region: 'ca-central-1', account: '123456789012' }
    for (const { name } of tables) {
      await send('dynamodb', 'create-table', {
        TableName: name,
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
        Tags: [{ Key: 'Übrigens', Value: '<&> "ja"' }],
      })
    }
    const Specification = { Enabled: true, AttributeName: 'ttl' }
    await send('dynamodb', 'update-time-to-live', { TableName: 'chat_history', TimeToLiveSpecification: Specification })
    for (const name of ['agentic-events-dlq', 'agentic-events', 'discord-messages-dlq', 'discord-messages']) {
      const RedrivePolicy = JSON.stringify({
        deadLetterTargetArn: awsArn(place, 'sqs', 'agentic-events-dlq'),
        maxReceiveCount: '3',
      })
      await send('sqs', 'create-queue', { QueueName: name, Attributes: name.endsWith('q') ? {} : { RedrivePolicy } })
    }
    await send('sqs', 'tag-queue', {
      QueueUrl: `${lab.moto.endpoint}/123456789012/agentic-events`,
      Tags: { Team: 'bots & more' },
    })
    for (const repositoryName of ['discord-bot', 'dev-sandbox'])
      await send('ecr', 'create-repository', { repositoryName })
    const lifecyclePolicyText = JSON.stringify({
      rules: [
        {
          rulePriority: 1,
          selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 3 },
          action: { type: 'expire' },
        },
      ],
    })
    // This one's answer breaks the JavaScript SDK and Terraform.
    await send('ecr', 'put-lifecycle-policy', { repositoryName: 'discord-bot', lifecyclePolicyText })
    for (const UserName of ['discord-bot', 'bare']) await send('iam', 'create-user', { UserName })
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 'sqs:*', Resource: '*', Condition: { StringLike: { 'aws:a+b': 'ü <%>' } } },
      ],
    })
    for (const PolicyName of ['discord-bot', 'other'])
      await send('iam', 'put-user-policy', { UserName: 'discord-bot', PolicyName, PolicyDocument })
    await send('iam', 'create-access-key', { UserName: 'discord-bot' })
    await send('iam', 'create-group', { GroupName: 'bots' })
    await send('iam', 'add-user-to-group', { GroupName: 'bots', UserName: 'discord-bot' })
    await send('iam', 'create-policy', { PolicyName: 'attached', PolicyDocument })
    await send('iam', 'attach-user-policy', {
      UserName: 'discord-bot',
      PolicyArn: 'arn:aws:iam::123456789012:policy/attached',
    })
    const found = await bothWays()
    const missing = found.filter(({ ok }) => !ok).map(({ line }) => line)
    expect(missing).toEqual([expect.stringContaining('get-lifecycle-policy --cli-input-json \'{"repositoryName":"dev')])
    const of = (word: string) => found.find(({ line }) => line.includes(word))?.found
    expect(of('list-groups-for-user')).toEqual(['bots'])
    expect(of('list-user-policies')).toEqual(['discord-bot', 'other'])
    expect(of('get-user-policy')).toEqual(JSON.parse(PolicyDocument))
    expect(of('list-access-keys')).toMatchObject([{ active: true }])
  })

  it('say the errors of AWS in the same words', async () => {
    const wrong = lab.open()
    const { place } = wrong
    const calls = [
      aws(place, 'dynamodb', 'describe-table', { TableName: 'none' }),
      aws(place, 'sqs', 'get-queue-attributes', { QueueUrl: `${place.endpoint}/123456789012/none` }),
      aws(place, 'ecr', 'describe-repositories', { repositoryNames: ['none'] }),
      aws(place, 'iam', 'get-user', { UserName: 'none' }),
    ]
    const [own, cli] = [await wrong.ask(calls), await lab.open({ cliOnly: true }).ask(calls)]
    const words = (outputs: typeof own) => outputs.map(({ stderr }) => stderr.trim().replace(/^aws: \[ERROR\]: /, ''))
    expect(words(own)).toEqual(words(cli))
    expect(words(own).every((said) => /^An error occurred \(\S+\) when calling the \w+ operation: \S/.test(said))).toBe(
      true,
    )
  })

  it('a fault on the way is told alike: expired, refused, another time', async () => {
    const denied = 'User: arn:aws:iam::1:user/x is not authorized to perform: dynamodb:DescribeTable'
    const replies: [type: string, message: string, told: string][] = [
      ['ExpiredTokenException', 'The security token included in the request is expired', 'have expired'],
      ['UnrecognizedClientException', 'The security token included in the request is invalid.', 'not accept these'],
      ['InvalidSignatureException', 'Signature expired: 20261122T000000Z is now earlier than', 'time of this machine'],
      ['AccessDeniedException', denied, denied],
    ]
    let now = replies[0] as (typeof replies)[0]
    const seen: string[] = []
    const gate = await listen(['127.0.0.1'], 0, (request, response) => {
      seen.push(String(request.headers.authorization))
      if (request.headers['x-amz-target'] === undefined) {
        const user = '<Arn>arn:aws:iam::123456789012:user/x</Arn><Account>123456789012</Account>'
        const answer = `<GetCallerIdentityResponse><GetCallerIdentityResult>${user}</GetCallerIdentityResult></GetCallerIdentityResponse>`
        response.writeHead(200, { 'content-type': 'text/xml' }).end(answer)
        return
      }
      const body = JSON.stringify({ __type: `com.amazon.coral.service#${now[0]}`, message: now[1] })
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(body)
    })
    const ask = async (cliOnly: boolean) => {
      const target = lab.open({ endpoint: `http://127.0.0.1:${gate.port}`, cliOnly })
      const call = aws(target.place, 'dynamodb', 'describe-table', { TableName: 'x' })
      return target.ask([call]).then(
        ([output]) => output?.stderr.trim().replace(/^aws: \[ERROR\]: /, ''),
        (error) => [error.kind, error.message, error.remedy],
      )
    }
    const plan = () =>
      makePlan(lab.tableWork(desired, { endpoint: `http://127.0.0.1:${gate.port}` }), () => {}).then(assertSound)
    try {
      for (const reply of replies) {
        now = reply
        const own = await ask(false)
        expect(own).toEqual(await ask(true))
        expect(String(own)).toContain(reply[2])
      }
      // Of the last: no change will mend it, so that a run ends there.
      expect(await failureOf(plan())).toMatchObject({
        message: 'arn:aws:iam::1:user/x may not dynamodb:DescribeTable',
      })
    } finally {
      await gate.stop()
    }
    expect(seen.every((header) => header.startsWith('AWS4-HMAC-SHA256 ') && !header.includes(secretKey))).toBe(true)
  })

  it('reads queues whose URL names the account by what stands for it', async () => {
    const target = lab.open({ account: undefined })
    const { command, parse } = queueState(target.place, 'agentic-events')
    expect(command.line).toContain('AWS_ACCOUNT_ID')
    const [output] = await target.ask([command])
    expect(parse(output as NonNullable<typeof output>)).toMatchObject({ redrive: { maxReceiveCount: 3 } })
  })
})
