import type { Output } from './command.ts'
import { isSecret } from './secret.ts'
import { quote, raw, type Shell, sh } from './sh.ts'

/** Where calls of AWS go. */
export interface AwsPlace {
  readonly region: string
  /** Another API than the real one, such as a rehearsal's. */
  readonly endpoint?: string | undefined
  /** The account's id of 12 digits, where it is known beforehand. */
  readonly account?: string | undefined
}

export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json }

/** Stands for the account's id in a call; the target sets it in the environment of the calls that name it. */
export const accountVariable = 'AWS_ACCOUNT_ID'

/** What stands for the account's id in ARNs and URLs while it is not known. */
export const accountHole = `$${accountVariable}`

/** What a call asks for, as data: a target may send it itself instead of starting the CLI. */
export interface AwsCall {
  readonly place: AwsPlace
  /** As the CLI names them: `dynamodb`, `describe-table`. */
  readonly service: string
  readonly operation: string
  readonly input: AwsInput
}

export type AwsInput = Readonly<Record<string, Json>>

/** A call of the aws CLI whose whole answer is wanted, so that it can be sent by other means as well. */
export interface AwsCommand extends Shell {
  readonly call?: AwsCall
}

interface AwsCallOptions {
  /** A JMESPath expression: only this of the answer, as plain text. The whole answer as JSON otherwise. */
  query?: string
}

/**
 * One call of the aws CLI, version 1 or 2: `aws(place, 'dynamodb', 'describe-table', { TableName: 'sessions' })`.
 * The input is an argument and not stdin, because both versions read a file of `--cli-input-json` twice, which a pipe
 * does not survive; so it must not hold a secret, and one throws. Region and endpoint are said in every call: version 1
 * reads neither AWS_REGION nor, for some services, AWS_ENDPOINT_URL, and would call the real service.
 */
export function aws(
  place: AwsPlace,
  service: string,
  operation: string,
  input: AwsInput = {},
  { query }: AwsCallOptions = {},
): AwsCommand {
  const json = Object.keys(input).length === 0 ? raw('') : raw(` --cli-input-json ${quoteInput(input)}`)
  const answer = query === undefined ? raw('--output json') : sh`--query ${query} --output text`
  const command = sh`aws ${service} ${operation}${json} ${awsWhere(place)} ${answer}`
  return query === undefined ? { ...command, call: { place, service, operation, input } } : command
}

/** Where a call goes, as options of the CLI. */
export function awsWhere({ region, endpoint }: AwsPlace): Shell {
  return endpoint === undefined ? sh`--region ${region}` : sh`--region ${region} --endpoint-url ${endpoint}`
}

/** The ARN of something in the account and region: `awsArn(place, 'dynamodb', 'table/sessions')`. */
export function awsArn({ region, account }: AwsPlace, service: string, resource: string): string {
  return `arn:${awsPartition(region)}:${service}:${region}:${account ?? accountHole}:${resource}`
}

/** The part of AWS that a region belongs to: China and the US government have their own. */
export function awsPartition(region: string): 'aws' | 'aws-cn' | 'aws-us-gov' {
  return region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}

/** A text with the account's id in the place of what stands for it. */
export function withAccount(text: string, account: string): string {
  return text.replaceAll(accountHole, account)
}

function quoteInput(input: AwsInput): string {
  const json = JSON.stringify(input, function (this: Record<string, unknown>, key, value) {
    if (isSecret(this[key])) throw new TypeError(`aws: ${key} is a secret; the input of a call is an argument`)
    return value
  })
  // An object's JSON is always put in single quotes; the account's variable is let out of them.
  return quote(json).replaceAll(accountHole, `'"${accountHole}"'`)
}

interface AwsUntilOptions {
  /** What is waited for, in the words of the progress lines. */
  say: string
  /** Gives up after so many seconds. */
  seconds: number
  /** Seconds between two looks. */
  every?: number
}

/**
 * Looks again until a call with a `query` answers `wanted`, printing each other answer. A look that fails is not the
 * end, since what was just made may not be visible yet; five in a row are.
 */
export function awsUntil(call: Shell, wanted: string, { say, seconds, every = 2 }: AwsUntilOptions): Shell {
  return sh`end=$(($(date +%s) + ${seconds})); bad=0
while :; do
  if now=$(${call}); then bad=0; else bad=$((bad + 1)); [ "$bad" -lt 5 ] || exit 1; fi
  [ "$now" != ${wanted} ] || break
  printf '%s: %s\\n' ${say} "\${now:-no answer yet}"
  [ "$(date +%s)" -lt "$end" ] || { printf '%s: still %s after %s seconds\\n' ${say} "$now" ${seconds} >&2; exit 1; }
  sleep ${every}
done`
}

/** AWS's code and words of the error that a call ended with; undefined when the service said none. */
export function awsError({ code, stderr }: Output): { code: string; message: string } | undefined {
  const found = stderr.match(/An error occurred \(([^)\s]+)\) when calling the \S+ operation(?: \([^)]*\))?: ?(.*)/)
  return code === 0 || !found ? undefined : { code: found[1] ?? '', message: found[2] ?? '' }
}

/**
 * What a call answered, from JSON; null when what it asks about is not there: an error whose code `absent` matches, or
 * a blank account. Throws in AWS's words when the answer tells neither.
 */
export function awsAnswer<T>(output: Output, absent: RegExp): T | null {
  if (output.code === 127) return null
  // For an empty answer the CLI prints nothing at all.
  if (output.code === 0) return JSON.parse(output.stdout.trim() || '{}') as T
  const error = awsError(output)
  if (error && absent.test(error.code)) return null
  throw new Error(error ? `${error.code}: ${error.message}` : output.stderr.trim() || `exit code ${output.code}`)
}

/** A list that AWS always gives where there is what it is of: without it the answer is another one, and not an empty list. */
export function listIn<K extends string, T>(
  answer: { readonly [key in K]: readonly T[] } | null,
  name: K,
): readonly T[] {
  if (answer === null) return []
  if (!Array.isArray(answer[name])) throw new TypeError(`there is no list ${name}`)
  return answer[name]
}

/** The cause of a failed change, in AWS's words. */
export function explainAws(output: Output): string | undefined {
  const error = awsError(output)
  return error && `${error.code}: ${error.message}`
}
