import type { Output } from '../../command/command.ts'
import { redact } from '../../command/secret.ts'
import { Failure } from '../../engine/failure.ts'

/** How a call was made, for the remedies. */
export interface AwsAccess {
  readonly region: string
  readonly endpoint?: string | undefined
  readonly profile?: string | undefined
}

const install =
  'Install it: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html (brew install awscli; version 1, pip install awscli, does as well).'

const signIn = ({ profile }: AwsAccess) =>
  `Sign in again (aws sso login${profile ? ` --profile ${profile}` : ''}), or set new AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.`

/** Faults of the way to AWS, not of what was asked: in the words of the CLI and of AWS, ours, what to do. First wins. */
const cases: readonly [pattern: RegExp, say: (access: AwsAccess) => string, remedy: (access: AwsAccess) => string][] = [
  [
    /Unable to locate credentials|NoCredentialProviders|Partial credentials found/,
    () => 'there are no AWS credentials',
    () => 'Set AWS_PROFILE (aws configure makes one), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  ],
  [
    /config profile \(.*\) could not be found/,
    ({ profile }) => `there is no AWS profile ${profile ?? 'of that name'}`,
    () => 'Correct AWS_PROFILE; aws configure list-profiles tells which there are.',
  ],
  [
    /\((ExpiredToken|ExpiredTokenException|RequestExpired)\)|[Tt]oken (for .* )?has expired|Error loading SSO Token|SSO session .* (expired|invalid)/,
    () => 'the AWS credentials have expired',
    signIn,
  ],
  [
    /Signature (not yet current|expired)|RequestTimeTooSkewed|InvalidSignatureException\).*(expired|current)/,
    () => 'AWS refuses the time of this machine',
    () => 'Set its clock (timedatectl set-ntp true), then run again.',
  ],
  [
    /\((UnrecognizedClientException|InvalidClientTokenId|InvalidSignatureException|SignatureDoesNotMatch|AuthFailure|InvalidAccessKeyId|MissingAuthenticationToken\w*|IncompleteSignature\w*)\)/,
    () => 'AWS does not accept these credentials',
    ({ region }) =>
      `Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE): are they active, belong together, and is the region ${region} enabled in the account?`,
  ],
  [
    /Could not connect to the endpoint|[Cc]onnect(ion)? timeout|Read timeout|Connection was closed|Failed to connect to proxy|Could not resolve|Name or service not known|SSL validation failed|HTTP Client raised an unhandled|Unable to parse response|Connection aborted/,
    ({ region, endpoint }) =>
      endpoint ? `${endpoint} does not answer as AWS does` : `AWS in ${region} does not answer`,
    ({ region, endpoint }) =>
      endpoint
        ? 'Is what AWS_ENDPOINT_URL names running? Unset it for the real AWS.'
        : `Is this machine online (proxy, DNS), and is AWS_REGION right: is there a region ${region}?`,
  ],
  [
    /region_name .* doesn't match|Invalid endpoint/,
    ({ region, endpoint }) => `region ${region}${endpoint ? ` or endpoint ${endpoint}` : ''} is malformed`,
    () => 'Correct AWS_REGION and AWS_ENDPOINT_URL.',
  ],
  [
    /\((InternalServerError|InternalFailure|ServiceUnavailable\w*|50[0234])\)/,
    ({ region }) => `AWS in ${region} has a fault of its own`,
    () => 'See https://health.aws.amazon.com/health/status; run again later: it checks the current state first.',
  ],
]

const throttling =
  /\((Throttling(Exception)?|ThrottledException|RequestThrottled(Exception)?|RequestLimitExceeded|TooManyRequests(Exception)?|ProvisionedThroughputExceededException|SlowDown|429)\)|Rate exceeded/

/** Whether AWS asks to come again later. Such a call was not carried out. */
export function isThrottled({ code, stderr }: Output): boolean {
  return code !== 0 && throttling.test(stderr)
}

/** The failure that an answer tells of, when the way to AWS is at fault; `during` says what was being changed. */
export function awsFailure(access: AwsAccess, output: Output, during?: string): Failure | undefined {
  if (output.code === 0) return undefined
  // Another program of a line may be missing as well: that is for the question to judge.
  if (output.code === 127 && /\baws\b/.test(output.stderr))
    return new Failure('error', 'the aws CLI is not installed', { remedy: install })
  const found = isThrottled(output) ? throttled : cases.find(([pattern]) => pattern.test(output.stderr))
  if (!found) return undefined
  const [, say, remedy] = found
  const doubt = during
    ? ` What was under way (${during}) may or may not have been done; run the same command again: it checks the current state first.`
    : ''
  return new Failure('unreachable', say(access), {
    remedy: remedy(access) + doubt,
    detail: output.stderr
      .trim()
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-3)
      .map((line) => redact(line)),
  })
}

const throttled: (typeof cases)[number] = [
  throttling,
  () => 'AWS asks for fewer calls (throttling), again and again',
  () => 'Something else uses the same account heavily. Wait a little and run again.',
]

const denial =
  /An error occurred \((?:AccessDenied|UnauthorizedOperation|UnauthorizedAccess|AuthorizationError|NotAuthorized)\w*\) when calling the (\S+) operation[^:]*:(?: ?User: (\S+) is not authorized to perform: ([\w-]+:\w+))?.*/

/** The failure that an answer tells of when these credentials may not ask that: no change made here will mend it. */
export function deniedFailure({ code, stderr }: Output): Failure | undefined {
  const found = code === 0 ? null : denial.exec(stderr)
  if (!found) return undefined
  const [line, operation, who = 'whoever these credentials belong to', action = operation] = found
  return new Failure('error', redact(`${who} may not ${action}`), {
    remedy: `Have an administrator of the account allow it ${action}, or choose credentials that may (AWS_PROFILE, or the keys). What the organization or a permissions boundary denies no policy allows.`,
    detail: [redact(line)],
  })
}

/** The refusal of credentials that belong to another account. */
export function wrongAccount(actual: string, arn: string, expected: string): Failure {
  return new Failure('error', `these credentials belong to AWS account ${actual}, not to ${expected}`, {
    remedy: 'Choose the credentials of the right account (AWS_PROFILE or the keys), or correct AWS_ACCOUNT_ID.',
    detail: [`signed in as ${arn}`],
  })
}
