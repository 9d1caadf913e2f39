import { availableParallelism } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { type AwsPlace, accountVariable, aws } from '../command/aws.ts'
import { type Command, type Output, revealText } from '../command/command.ts'
import { reveal, type Secret } from '../command/secret.ts'
import { Failure } from '../engine/failure.ts'
import type { Listener, Target } from '../engine/target.ts'
import { awsFailure, isThrottled, wrongAccount } from './aws-errors.ts'
import { blank } from './blank.ts'
import { runLocal } from './process.ts'

/** An AWS account in one region. */
export interface AwsTarget extends Target {
  readonly place: AwsPlace
}

export interface AwsOptions {
  readonly region: string
  /** The only account to work with: credentials of another are refused before anything is asked or changed. */
  readonly account?: string | undefined
  readonly endpoint?: string | undefined
  readonly profile?: string | undefined
  /** Instead of a profile; without either the CLI's own chain decides. */
  readonly keys?: { readonly id: Secret; readonly secret: Secret; readonly token?: Secret | undefined } | undefined
  /** Seconds to wait before a throttled call is made again, each time the CLI's own attempts are used up. */
  readonly pauses?: readonly number[]
}

// What no caller needs to see: a dead endpoint is told within seconds, not minutes.
const prelude = 'aws() { command aws --cli-connect-timeout 5 --cli-read-timeout 60 "$@"; }\n'

/**
 * An account reached by the aws CLI on this machine. Questions run side by side, as many as there are processors (a
 * call costs more than half a second of one); commands run in order. Credentials go by the environment of the child.
 */
export function awsAccount(options: AwsOptions): AwsTarget {
  const { region, endpoint, account, pauses = [2, 5, 10] } = options
  const place: AwsPlace = { region, endpoint, account }
  const env = environment(options)
  let known = account
  let identity: Promise<void> | undefined

  const call = async (command: Command, hear: Listener, during?: string): Promise<Output> => {
    for (let attempt = 0; ; attempt += 1) {
      const childEnv = { ...env, [accountVariable]: known }
      const input = command.stdin ? revealText(command.stdin) : ''
      const output = await runLocal(prelude + command.line, input, childEnv, hear)
      const seconds = pauses[attempt]
      if (seconds !== undefined && isThrottled(output)) {
        hear(`AWS asks for fewer calls: again in ${seconds} seconds`)
        await pause(seconds * 1000)
        continue
      }
      const failure = awsFailure(options, output, during)
      if (failure) throw failure
      return output
    }
  }

  const identify = async (take: Take): Promise<void> => {
    const output = await take(() => call(aws(place, 'sts', 'get-caller-identity'), () => {}))
    if (output.code !== 0)
      throw new Failure('error', 'AWS does not tell who we are', { detail: [output.stderr.trim()] })
    const { Account, Arn } = JSON.parse(output.stdout) as { Account: string; Arn: string }
    if (account !== undefined && Account !== account) throw wrongAccount(Account, Arn, account)
    known = Account
  }

  return {
    get name() {
      return `aws ${known ? `${known} ` : ''}${region}${endpoint ? ` at ${endpoint}` : ''}`
    },
    blank: false,
    place,
    async ask(questions) {
      const take = queue(concurrency())
      identity ??= identify(take)
      const who = identity
      try {
        const answers = questions.map(async (question) => {
          if (known === undefined && question.line.includes(accountVariable)) await who
          return take(() => call(question, () => {}))
        })
        return (await Promise.all([who, ...answers])).slice(1) as Output[]
      } catch (error) {
        identity = undefined
        throw error
      }
    },
    async run(commands, hear) {
      const outputs: Output[] = []
      for (const command of commands) {
        const output = await call(command, hear, command.line.slice(0, 80))
        outputs.push(output)
        if (output.code !== 0) break
      }
      return outputs
    },
    close: async () => {},
  }
}

/** An account that shall not be asked: planned as one that has nothing. */
export function blankAws(place: AwsPlace): AwsTarget {
  return { ...blank(`an AWS account in ${place.region}`), place }
}

function environment({ region, profile, keys }: AwsOptions): Record<string, string | undefined> {
  return {
    // Version 1 knows only the second name.
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_PAGER: '',
    AWS_CLI_AUTO_PROMPT: 'off',
    AWS_RETRY_MODE: 'standard',
    AWS_MAX_ATTEMPTS: '3',
    // Endpoints are those of the calls, and no others.
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
    ...(profile !== undefined && { AWS_PROFILE: profile }),
    ...(keys && {
      AWS_PROFILE: undefined,
      AWS_ACCESS_KEY_ID: reveal(keys.id),
      AWS_SECRET_ACCESS_KEY: reveal(keys.secret),
      AWS_SESSION_TOKEN: keys.token && reveal(keys.token),
    }),
  }
}

type Take = <T>(work: () => Promise<T>) => Promise<T>

const concurrency = () => Math.min(8, Math.max(2, availableParallelism()))

/** Lets at most `width` pieces of work run at a time. After one has failed, what still waits is not begun. */
function queue(width: number): Take {
  const waiting: (() => void)[] = []
  let running = 0
  let failed: unknown
  return async (work) => {
    if (running >= width) await new Promise<void>((resolve) => waiting.push(resolve))
    running += 1
    try {
      if (failed !== undefined) throw failed
      return await work()
    } catch (error) {
      failed ??= error
      throw error
    } finally {
      running -= 1
      waiting.shift()?.()
    }
  }
}
