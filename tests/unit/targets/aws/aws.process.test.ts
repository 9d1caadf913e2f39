import { join } from 'node:path'
import { aws, awsArn, awsUntil } from '@infra/shared/command/aws'
import type { Output } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { raw, sh } from '@infra/shared/command/sh'
import { awsFailure, deniedFailure, isThrottled } from '@infra/shared/targets/aws/errors'
import { runLocal } from '@infra/shared/targets/process'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

const place = { region: 'ca-central-1' }
const printed = async (line: string, env = {}) =>
  (await runLocal(`aws() { printf '%s|' "$@"; }\n${line}`, '', env)).stdout

describe('a call of the aws CLI', () => {
  it('says its region, and its endpoint where there is one', () => {
    const input = { TableName: "it's" }
    expect(aws(place, 'dynamodb', 'describe-table', input).line).toBe(
      `aws dynamodb describe-table --cli-input-json '{"TableName":"it'\\''s"}' --region ca-central-1 --output json`,
    )
    const rehearsal = { ...place, endpoint: 'http://127.0.0.1:5000' }
    expect(aws(rehearsal, 'sts', 'get-caller-identity', {}, { query: 'Account' }).line).toBe(
      'aws sts get-caller-identity --region ca-central-1 --endpoint-url http://127.0.0.1:5000 --query Account --output text',
    )
  })

  it('names the account by a variable until it is known', async () => {
    const call = aws(place, 'dynamodb', 'list-tags-of-resource', { ResourceArn: awsArn(place, 'dynamodb', 'table/x') })
    expect(await printed(call.line, { AWS_ACCOUNT_ID: '123456789012' })).toContain(
      '|{"ResourceArn":"arn:aws:dynamodb:ca-central-1:123456789012:table/x"}|',
    )
    expect(awsArn({ region: 'cn-north-1', account: '1' }, 'sqs', 'q')).toBe('arn:aws-cn:sqs:cn-north-1:1:q')
  })

  it('takes no secret', () => {
    const input = { SecretString: secret('hunter2hunter2') } as never
    expect(() => aws(place, 'secretsmanager', 'create-secret', input)).toThrow(/SecretString is a secret/)
  })
})

describe('waiting', () => {
  const wait = (call: string, seconds = 5) =>
    runLocal(awsUntil(raw(call), 'ACTIVE', { say: 'table x', seconds, every: 0.05 }).line, '')

  it('ends when the answer is there, showing those before', async () => {
    const looks = join(tempFolder(), 'looks')
    const call = sh`echo >>${looks}; if [ "$(wc -l <${looks})" -lt 3 ]; then echo CREATING; else echo ACTIVE; fi`
    expect(await wait(call.line)).toEqual({ code: 0, stdout: 'table x: CREATING\n'.repeat(2), stderr: '' })
  })

  it('gives up in time, and after five failures in a row', async () => {
    expect(await wait('echo CREATING', 0)).toMatchObject({
      code: 1,
      stderr: 'table x: still CREATING after 0 seconds\n',
    })
    expect(await wait('echo no >&2; false')).toMatchObject({ code: 1, stderr: 'no\n'.repeat(5) })
  })
})

describe('a fault on the way to AWS', () => {
  const output = (stderr: string, code = 255): Output => ({ code, stdout: '', stderr })
  const access = { region: 'ca-central-1', profile: 'bot' }

  // As the CLI said it: version 1.45, version 2.9 and 2.23.
  it.each([
    ['Unable to locate credentials. You can configure credentials by running "aws configure".', /no AWS credentials/],
    ['The config profile (bot) could not be found', /no AWS profile bot/],
    [
      'An error occurred (ExpiredTokenException) when calling the DescribeTable operation: The security token included in the request is expired',
      /have expired/,
    ],
    ['Error when retrieving token from sso: Token has expired and refresh failed', /have expired/],
    [
      'An error occurred (UnrecognizedClientException) when calling the DescribeTable operation: The security token included in the request is invalid.',
      /does not accept these credentials/,
    ],
    [
      'An error occurred (InvalidSignatureException) when calling the DescribeTable operation: Signature expired: 20261122T000000Z is now earlier than 20261122T001000Z',
      /time of this machine/,
    ],
    [
      'Could not connect to the endpoint URL: "https://dynamodb.ca-central-1.amazonaws.com/"',
      /AWS in ca-central-1 does not answer/,
    ],
    ['Connect timeout on endpoint URL: "https://sts.ca-central-1.amazonaws.com/"', /does not answer/],
    ["Provided region_name 'x y' doesn't match a supported format.", /malformed/],
    [
      'An error occurred (ThrottlingException) when calling the DescribeTable operation (reached max retries: 2): Rate exceeded',
      /fewer calls/,
    ],
  ])('%s', (said, message) => {
    const failure = awsFailure(access, output(said, 254))
    expect(failure?.message).toMatch(message)
    expect(failure?.kind).toBe('unreachable')
    expect(failure?.remedy).toBeTruthy()
    expect(failure?.detail).toEqual([said])
  })

  it('is a missing CLI, never an account with nothing in it', () => {
    expect(awsFailure(access, output('sh: 2: aws: not found', 127))?.message).toBe('the aws CLI is not installed')
  })

  it('says what was under way', () => {
    const failure = awsFailure(access, output('Connection was closed before we received a valid response'), 'aws x y')
    expect(failure?.remedy).toMatch(/\(aws x y\) may or may not have been done/)
  })

  it.each([
    'An error occurred (ResourceNotFoundException) when calling the DescribeTable operation: Requested resource not found',
    'An error occurred (AccessDeniedException) when calling the DescribeTable operation: User is not authorized',
    'An error occurred (ValidationException) when calling the UpdateTable operation: One or more parameter values were invalid',
  ])('is not: %s', (said) => {
    expect(awsFailure(access, output(said))).toBeUndefined()
    expect(isThrottled(output(said))).toBe(false)
  })
})

describe('what AWS does not let us ask', () => {
  const said = (stderr: string, code = 254): Output => ({ code, stdout: '', stderr })

  // As services word it: with and without user and action, by code and by query protocol.
  it.each<[string, string]>([
    [
      'An error occurred (AccessDenied) when calling the GetUser operation: User: arn:aws:sts::123456789012:assumed-role/ops/ana is not authorized to perform: iam:GetUser on resource: user discord-bot because no identity-based policy allows the iam:GetUser action',
      'arn:aws:sts::123456789012:assumed-role/ops/ana may not iam:GetUser',
    ],
    [
      'An error occurred (AccessDeniedException) when calling the DescribeTable operation: User: arn:aws:iam::123456789012:user/ana is not authorized to perform: dynamodb:DescribeTable on resource: arn:aws:dynamodb:ca-central-1:123456789012:table/x with an explicit deny in a service control policy',
      'arn:aws:iam::123456789012:user/ana may not dynamodb:DescribeTable',
    ],
    [
      'An error occurred (AccessDenied) when calling the GetQueueAttributes operation: Access to the resource https://sqs.ca-central-1.amazonaws.com/1/q is denied.',
      'whoever these credentials belong to may not GetQueueAttributes',
    ],
    [
      'An error occurred (UnauthorizedOperation) when calling the DescribeVpcs operation (reached max retries: 2): You are not authorized to perform this operation.',
      'whoever these credentials belong to may not DescribeVpcs',
    ],
  ])('%s', (line, message) => {
    const failure = deniedFailure(said(`\n${line}\n`))
    expect(failure).toMatchObject({ kind: 'error', message, detail: [line] })
    expect(failure?.remedy).toMatch(/^Have an administrator of the account allow it /)
  })

  it.each([
    'An error occurred (ResourceNotFoundException) when calling the DescribeTable operation: AccessDenied',
    'An error occurred (NoSuchEntity) when calling the GetUser operation: The user with name x cannot be found.',
  ])('is not: %s', (line) => {
    expect(deniedFailure(said(line))).toBeUndefined()
    expect(deniedFailure(said(line, 0))).toBeUndefined()
  })
})
