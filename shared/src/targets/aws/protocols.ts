import { type AwsCall, awsPartition, withAccount } from '../../command/aws.ts'
import type { Output } from '../../command/command.ts'
import { readXml } from './xml.ts'

/** How a service is spoken to. `header`: JSON, the operation in a header; `form`: a form in, XML out. */
interface Service {
  readonly protocol: 'header' | 'form'
  /** The prefix of the target header, or the version of the form's API. */
  readonly api: string
  readonly version?: '1.0' | '1.1'
  /** The host's first part, where it is not the service's name. */
  readonly host?: string
  /** One for all regions of a partition. */
  readonly global?: boolean
}

// From the service models: targetPrefix, jsonVersion, apiVersion, endpointPrefix.
const services: Readonly<Record<string, Service>> = {
  dynamodb: { protocol: 'header', api: 'DynamoDB_20120810', version: '1.0' },
  sqs: { protocol: 'header', api: 'AmazonSQS', version: '1.0' },
  ecr: { protocol: 'header', api: 'AmazonEC2ContainerRegistry_V20150921', version: '1.1', host: 'api.ecr' },
  sts: { protocol: 'form', api: '2011-06-15' },
  iam: { protocol: 'form', api: '2010-05-08', global: true },
}

/** A request that only lacks its signature. */
export interface AwsRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** What the signature names. */
  readonly service: string
  readonly region: string
}

/** Whether we can send this call ourselves, and it only reads. */
export function isKnownRead({ service, operation }: AwsCall): boolean {
  return isKnown(service) && /^(describe|list|get|head|query|scan|batch-get)(-|$)/.test(operation)
}

/** Whether we speak the protocol of a service. */
export const isKnown = (service: string): boolean => Object.hasOwn(services, service)

/** `describe-time-to-live` → `DescribeTimeToLive`: the CLI's name of an operation, as the service calls it. */
export const actionOf = ({ operation }: AwsCall): string =>
  operation.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase())

/** The request of a call. It goes to the call's own endpoint wherever there is one. */
export function requestOf(call: AwsCall, account: string | undefined): AwsRequest {
  const { place, service: name } = call
  const service = services[name] as Service
  const partition = awsPartition(place.region)
  const first = { aws: 'us-east-1', 'aws-cn': 'cn-north-1', 'aws-us-gov': 'us-gov-west-1' }[partition]
  const host = service.global
    ? { aws: name, 'aws-cn': `${name}.cn-north-1`, 'aws-us-gov': `${name}.us-gov` }[partition]
    : `${service.host ?? name}.${place.region}`
  const domain = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com'
  const json = JSON.stringify(call.input)
  const input = account === undefined ? json : withAccount(json, account)
  const at = {
    url: `${(place.endpoint ?? `https://${host}.${domain}`).replace(/\/$/, '')}/`,
    service: name,
    region: service.global ? first : place.region,
  }
  if (service.protocol === 'header') {
    const target = `${service.api}.${actionOf(call)}`
    const headers = { 'content-type': `application/x-amz-json-${service.version}`, 'x-amz-target': target }
    return { ...at, headers, body: input }
  }
  const form = new URLSearchParams({ Action: actionOf(call), Version: service.api, ...JSON.parse(input) })
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
  return { ...at, headers, body: form.toString() }
}

/** What a service replied. */
export interface AwsReply {
  readonly status: number
  readonly text: string
  header(name: string): string | null
}

/** The reply as the CLI tells it: JSON on stdout, or its sentence of an error with code and message on stderr. */
export function outputOf(call: AwsCall, reply: AwsReply): Output {
  const form = services[call.service]?.protocol === 'form'
  try {
    if (reply.status < 300) return { code: 0, stdout: form ? formAnswer(call, reply.text) : reply.text, stderr: '' }
    const { code, message } = form ? formError(reply.text) : jsonError(reply)
    const stderr = `An error occurred (${code}) when calling the ${actionOf(call)} operation: ${message}\n`
    return { code: 254, stdout: '', stderr }
  } catch {
    // Not from the service, but from a proxy or a portal in between; the status tells of a fault.
    const stderr =
      reply.status >= 500
        ? `An error occurred (${reply.status}) when calling the ${actionOf(call)} operation: no reason given\n`
        : 'Unable to parse response\n'
    return { code: 254, stdout: '', stderr }
  }
}

function jsonError(reply: AwsReply): { code: string; message: string } {
  const body = JSON.parse(reply.text) as Record<string, unknown>
  // SQS spoke another protocol once; the CLI still says the code of those days.
  const former = reply.header('x-amzn-query-error')?.split(';')[0]
  const type = String(body.__type ?? reply.header('x-amzn-errortype') ?? reply.status)
  const code = former ?? type.replace(/^.*#/, '').replace(/:.*$/, '')
  return { code, message: String(body.message ?? body.Message ?? '') }
}

// XML does not tell an empty list from an empty text.
const lists = new Set(['AccessKeyMetadata', 'AttachedPolicies', 'Groups', 'PolicyNames', 'Tags'])

type Fields = Readonly<Record<string, unknown>>

function formError(text: string): { code: string; message: string } {
  const { ErrorResponse } = readXml(text) as { ErrorResponse: { Error: { Code: string; Message?: string } } }
  return { code: ErrorResponse.Error.Code, message: ErrorResponse.Error.Message ?? '' }
}

function formAnswer(call: AwsCall, text: string): string {
  const action = actionOf(call)
  const response = readXml(text)[`${action}Response`] as Fields
  // Some have nothing to answer.
  const result = (response[`${action}Result`] ?? {}) as Fields
  return JSON.stringify(result, (key, value) => {
    if (value === '' && lists.has(key)) return []
    if (key === 'IsTruncated') return value === 'true'
    // A document comes URL-encoded (RFC 3986), and the CLI takes it apart.
    if (key.endsWith('PolicyDocument') && typeof value === 'string') return JSON.parse(decodeURIComponent(value))
    return value
  })
}
