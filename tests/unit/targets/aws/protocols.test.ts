import { type AwsCall, aws } from '@infra/shared/command/aws'
import { needsCli } from '@infra/shared/targets/aws/api'
import { isKnownRead, outputOf, requestOf } from '@infra/shared/targets/aws/protocols'
import { readXml } from '@infra/shared/targets/aws/xml'
import { describe, expect, it } from 'vitest'

const callOf = (service: string, operation: string, region = 'ca-central-1', endpoint?: string): AwsCall =>
  aws({ region, endpoint }, service, operation, { Name: 'arn:$AWS_ACCOUNT_ID:x' }).call as AwsCall

describe('a call that is sent by ourselves', () => {
  // Hosts and regions of signatures as the CLI's own endpoint rules have them.
  it.each([
    ['dynamodb', 'ca-central-1', 'https://dynamodb.ca-central-1.amazonaws.com/', 'ca-central-1'],
    ['ecr', 'ca-central-1', 'https://api.ecr.ca-central-1.amazonaws.com/', 'ca-central-1'],
    ['sts', 'eu-west-1', 'https://sts.eu-west-1.amazonaws.com/', 'eu-west-1'],
    ['iam', 'eu-west-1', 'https://iam.amazonaws.com/', 'us-east-1'],
    ['sqs', 'cn-north-1', 'https://sqs.cn-north-1.amazonaws.com.cn/', 'cn-north-1'],
    ['iam', 'cn-northwest-1', 'https://iam.cn-north-1.amazonaws.com.cn/', 'cn-north-1'],
    ['iam', 'us-gov-east-1', 'https://iam.us-gov.amazonaws.com/', 'us-gov-west-1'],
  ])('%s in %s goes to %s', (service, region, url, signed) => {
    expect(requestOf(callOf(service, 'get-x', region), '1')).toMatchObject({ url, region: signed, service })
    // Where another endpoint is set, no call ever goes to the real one.
    const there = requestOf(callOf(service, 'get-x', region, 'http://127.0.0.1:5000'), '1')
    expect(there.url).toBe('http://127.0.0.1:5000/')
  })

  it('speaks the protocol of its service', () => {
    expect(requestOf(callOf('dynamodb', 'describe-time-to-live'), '123456789012')).toMatchObject({
      headers: { 'x-amz-target': 'DynamoDB_20120810.DescribeTimeToLive', 'content-type': 'application/x-amz-json-1.0' },
      body: '{"Name":"arn:123456789012:x"}',
    })
    expect(requestOf(callOf('iam', 'get-user'), '1').body).toBe('Action=GetUser&Version=2010-05-08&Name=arn%3A1%3Ax')
  })

  it('is one that only reads, of a service whose protocol we speak', () => {
    const reads = ['describe-table', 'list-tags-of-resource', 'get-user', 'query', 'scan', 'batch-get-item']
    for (const operation of reads) expect(isKnownRead(callOf('dynamodb', operation))).toBe(true)
    for (const operation of ['put-item', 'receive-message', 'create-table', 'tag-resource', 'getaway'])
      expect(isKnownRead(callOf('dynamodb', operation))).toBe(false)
    expect(isKnownRead(callOf('s3api', 'list-buckets'))).toBe(false)
    expect(aws({ region: 'x' }, 'sts', 'get-caller-identity', {}, { query: 'Arn' }).call).toBeUndefined()
  })
})

describe('a reply', () => {
  const told = (service: string, status: number, text: string, headers: Record<string, string> = {}) =>
    outputOf(callOf(service, 'get-it'), { status, text, header: (name) => headers[name] ?? null })

  it.each([
    [
      'dynamodb',
      400,
      '{"__type":"com.amazonaws#NotHere","message":"no"}',
      {},
      '(NotHere) when calling the GetIt operation: no',
    ],
    ['ecr', 400, '{"__type":"NotHere","Message":"no"}', {}, '(NotHere) when calling the GetIt operation: no'],
    ['sqs', 400, '{"__type":"a#New"}', { 'x-amzn-query-error': 'AWS.Old;Sender' }, '(AWS.Old) when'],
    ['dynamodb', 400, '{}', { 'x-amzn-errortype': 'Denied:http://x' }, '(Denied) when'],
    [
      'iam',
      404,
      '<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>it&apos;s gone</Message></Error></ErrorResponse>',
      {},
      "(NoSuchEntity) when calling the GetIt operation: it's gone",
    ],
    ['dynamodb', 503, '<html>busy</html>', {}, '(503) when'],
    ['dynamodb', 302, '<html>sign in to the hotel</html>', {}, 'Unable to parse response'],
    ['iam', 200, '<html>sign in to the hotel</html>', {}, 'Unable to parse response'],
  ])('of %s with %d %s is told as the CLI tells it', (service, status, text, headers, words) => {
    const output = told(service, status, text, headers as Record<string, string>)
    expect(output).toMatchObject({ code: 254, stdout: '' })
    expect(output.stderr).toContain(words)
  })

  it('in XML becomes the JSON of the CLI', () => {
    const text = `<?xml version="1.0"?>
      <GetItResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetItResult>
        <Tags><member><Key>a</Key><Value>&lt;&#252;&#x21;&gt;</Value></member></Tags><Groups/>
        <Path></Path><IsTruncated>false</IsTruncated><PolicyDocument>%7B%22a%22%3A1%7D</PolicyDocument>
      </GetItResult><ResponseMetadata/></GetItResponse>`
    expect(JSON.parse(told('iam', 200, text).stdout)).toEqual({
      Tags: [{ Key: 'a', Value: '<ü!>' }],
      Groups: [],
      Path: '',
      IsTruncated: false,
      PolicyDocument: { a: 1 },
    })
  })

  it.each(['', 'text', '<a>', '<a></b>', '<a><b></a></b>'])('that is not a whole XML is refused: %j', (text) => {
    expect(() => readXml(text)).toThrow(/^XML: /)
  })
})

describe('the CLI answers in our place', () => {
  const aws = 'https://dynamodb.ca-central-1.amazonaws.com/'
  it.each([
    [aws, {}, false],
    [aws, { HTTPS_PROXY: 'http://proxy:3128' }, true],
    [aws, { all_proxy: 'socks5://proxy' }, true],
    [aws, { http_proxy: 'http://proxy:3128' }, false],
    [aws, { https_proxy: 'http://proxy', NO_PROXY: 'localhost, .amazonaws.com' }, false],
    [aws, { https_proxy: 'http://proxy', no_proxy: 'example.org' }, true],
    [aws, { AWS_CA_BUNDLE: '/etc/ca.pem' }, true],
    ['http://127.0.0.1:5000/', { HTTPS_PROXY: 'http://proxy:3128', AWS_CA_BUNDLE: '/x' }, false],
  ])('for %s with %j: %s', (url, env, cli) => expect(needsCli(url, env)).toBe(cli))
})
