import { readdirSync, readFileSync } from 'node:fs'
import { type AwsInput, aws, awsAnswer } from '@infra/shared/command/aws'
import { secret } from '@infra/shared/command/secret'
import { collect } from '@infra/shared/engine/declaration'
import type { Event } from '@infra/shared/engine/events'
import { Failure } from '@infra/shared/engine/failure'
import { changesOf, type Plan, type Work } from '@infra/shared/engine/plan'
import { type TableOptions, table } from '@infra/shared/steps/aws/dynamodb'
import { type AwsOptions, awsAccount } from '@infra/shared/targets/aws/aws'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { dynamodbChecks } from '../../cluster/checks/dynamodb.ts'
import { ecrChecks } from '../../cluster/checks/ecr.ts'
import { iamChecks } from '../../cluster/checks/iam.ts'
import { identityChecks } from '../../cluster/checks/identity.ts'
import { sqsChecks } from '../../cluster/checks/sqs.ts'
import cluster from '../../cluster/cluster.ts'
import type { ClusterContext } from '../../cluster/context.ts'
import type { ClusterEnv } from '../../cluster/env/env.ts'
import { type Moto, startMoto } from './moto.ts'

export const region = 'ca-central-1'
/** moto's. */
export const account = '123456789012'
export const secretKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const keys = { id: secret('AKIAIOSFODNN7EXAMPLE'), secret: secret(secretKey) }

/** A table with everything that a table can have. */
export const desired: TableOptions = {
  name: 'messages',
  hash: 'pk S',
  range: 'sk S',
  indexes: [{ name: 'by-time', hash: 'pk S', range: 'timestamp N', projection: 'ALL' }],
  ttl: 'ttl',
  tags: { Name: 'messages', 'managed-by': 'infra' },
  deletionProtection: true,
  pointInTimeRecovery: true,
}

/**
 * For a suite: a fake AWS that is empty before each test (or once, with `keep`), and the real CLI that knows of no
 * other account.
 */
const checks = [identityChecks, dynamodbChecks, sqsChecks, ecrChecks, iamChecks]

export function useAws({ keep = false } = {}) {
  let moto: Moto
  const before = { ...process.env }

  beforeAll(async () => {
    moto = await startMoto()
    const { PATH, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, AWS_EC2_METADATA_DISABLED } = moto.env
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
    Object.assign(process.env, { PATH, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, AWS_EC2_METADATA_DISABLED })
  })
  beforeEach(() => (keep ? undefined : moto.reset()))
  afterAll(async () => {
    process.env = before
    await moto?.stop()
  })

  const open = (options: Partial<AwsOptions> = {}) =>
    awsAccount({ region, account, endpoint: moto.endpoint, keys, ...options })
  return {
    get moto() {
      return moto
    },
    open,
    writes: () => moto.requests().filter((request) => request.writes),
    tableWork: (want = desired, options: Partial<AwsOptions> = {}): Work[] => [
      { script: 'dynamodb', steps: [table(open(options), want)] },
    ],
    /** The AWS half of the cluster, as its scripts make it. */
    cluster(env: Partial<ClusterEnv> = {}, options: Partial<AwsOptions> = {}) {
      const whole = { AWS_REGION: region, CLUSTER_PITR: false, BOT_IAM_USER: 'discord-bot', ...env }
      const context = { env: whole, aws: open(options) } as ClusterContext
      const scripts = cluster.scripts.filter(({ tags }) => tags.includes('aws'))
      return { context, work: collect(scripts, context), checks: checks.flatMap((checksOf) => checksOf(context)) }
    },
    /** One call, whatever it does, without the half second of a CLI. */
    async send<T>(service: string, operation: string, input: AwsInput): Promise<T> {
      const target = open()
      const answer = awsAnswer<T>(await target.send(aws(target.place, service, operation, input)), /^$/)
      return answer as T
    },
    /** Asks moto itself, without the half second of a CLI. */
    dynamo: <T>(operation: string, input: object) =>
      askMoto<T>(moto, 'dynamodb', `DynamoDB_20120810.${operation}`, input),
    ssm: <T>(operation: string, input: object) => askMoto<T>(moto, 'ssm', `AmazonSSM.${operation}`, input),
  }
}

async function askMoto<T>(moto: Moto, service: string, target: string, input: object): Promise<T> {
  const response = await fetch(moto.endpoint, {
    method: 'POST',
    headers: {
      'x-amz-target': target,
      'content-type': 'application/x-amz-json-1.0',
      authorization: `AWS4-HMAC-SHA256 Credential=x/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=x`,
    },
    body: JSON.stringify(input),
  })
  const answer = await response.text()
  if (!response.ok) throw new Error(`${target}: ${answer}`)
  return JSON.parse(answer || '{}') as T
}

export const quiet = { emit: (_: Event) => {}, stopping: () => false, holder: 'the test', lockTimeout: 0 }

/** The changes of a plan, in a line each. */
export const told = (plan: Plan) =>
  plan.steps.flatMap((planned) =>
    changesOf(planned).map(({ verb, say, risk }) => `${verb} ${say}${risk === 'safe' ? '' : ` [${risk}]`}`),
  )

/** The failure that some work ends with. */
export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (error) => error,
  )
  if (error instanceof Failure) return error
  throw error
}

/** The command lines of all processes of this machine, looked at again and again. */
export function sampleArguments() {
  const seen = new Set<string>()
  const sample = () => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))
      } catch {} // ended meanwhile
    }
  }
  const timer = setInterval(sample, 100)
  return {
    /** Looks now: while a server is asked, the program that asks is there. */
    sample,
    stop: async () => {
      clearInterval(timer)
      return [...seen]
    },
  }
}
