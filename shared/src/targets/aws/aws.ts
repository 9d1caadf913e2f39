import { availableParallelism } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { type AwsCall, type AwsCommand, type AwsPlace, accountVariable, aws } from '../../command/aws.ts'
import { type Command, nothing, type Output, revealText } from '../../command/command.ts'
import { Failure } from '../../engine/failure.ts'
import type { Listener, Target } from '../../engine/target.ts'
import { blank } from '../blank.ts'
import { groupEnv } from '../child-env.ts'
import { inOrder } from '../in-order.ts'
import { runLocal } from '../process.ts'
import { needsCli, sendAws } from './api.ts'
import { type AwsKeys, awsFunction, credentialsOf, toEnv } from './credentials.ts'
import { awsFailure, deniedFailure, isThrottled, wrongAccount } from './errors.ts'
import { isKnown, isKnownRead, requestOf } from './protocols.ts'

/** An AWS account in one region. */
export interface AwsTarget extends Target {
  readonly place: AwsPlace
  /** Makes one call from this process, also one that writes: for checks. Throws where the way to AWS is at fault. */
  send(command: AwsCommand): Promise<Output>
  /** For lines of others that call the aws CLI (`awsFunction`): the environment that makes it act as we do. */
  credentialEnv(): Promise<Readonly<Record<string, string | undefined>>>
}

export interface AwsOptions {
  readonly region: string
  /** The only account to work with: credentials of another are refused before anything is asked or changed. */
  readonly account?: string | undefined
  readonly endpoint?: string | undefined
  readonly profile?: string | undefined
  /** Instead of a profile; without either the CLI's own chain decides. */
  readonly keys?: AwsKeys | undefined
  /** More variables for lines that call kubectl, which may sign in by them. */
  readonly kubectlEnv?: Readonly<Record<string, string | undefined>>
  /** Seconds to wait before a throttled call is made again, each time the first attempts are used up. */
  readonly pauses?: readonly number[]
  /** Seconds to wait, each time, for a change that an answer does not show yet. */
  readonly lags?: readonly number[]
  /** Milliseconds to wait for one reply of a call that is sent from this process. */
  readonly replyMs?: number
  /** Ask all questions by the CLI as well: what both answer must be the same. */
  readonly cliOnly?: boolean
}

/** How long keys shall last that the CLI is given, in milliseconds: it cannot find others while it waits for something. */
const minLifetimeMs = 15 * 60_000

/**
 * An account reached from this machine. Changes are made by the aws CLI, in order, as they could be pasted. Questions
 * are the same lines, but one costs the CLI half a second of a processor: what they ask is sent from this process
 * instead, signed, all at once; by the CLI where we do not speak a service's protocol or cannot get through (a proxy).
 * Credentials go by the environment of the child.
 */
export function awsAccount(options: AwsOptions): AwsTarget {
  const { region, endpoint, account, profile, pauses = [2, 5, 10], lags = [1, 2, 4, 8, 15, 30, 60] } = options
  const place: AwsPlace = { region, endpoint, account }
  const findKeys = credentialsOf(options.keys, profile)

  /** Whether calls are sent from here: the CLI might find other credentials than we did, so it is given the very same. */
  let sends = false
  const credentialEnv = async () => toEnv(sends ? await findKeys(minLifetimeMs) : undefined)

  const byCli = async (command: Command, hear: Listener) => {
    const input = command.stdin ? revealText(command.stdin) : ''
    const whole = {
      ...groupEnv(process.env, 'aws', 'images'),
      ...(/\bkubectl\b/.test(command.line) && options.kubectlEnv),
      ...environment(options),
      ...(await credentialEnv()),
      [accountVariable]: who.known(),
    }
    return runLocal(awsFunction + command.line, input, whole, hear)
  }

  const attempt = (make: () => Promise<Output>, hear: Listener, during?: string) =>
    retried(options, pauses, make, hear, during)

  /** Whether a call can be sent by ourselves, and with which credentials. */
  const keysFor = async (call: AwsCall): Promise<AwsKeys | undefined> => {
    if (options.cliOnly || needsCli(requestOf(call, undefined).url, process.env)) return undefined
    const keys = await findKeys()
    sends ||= keys !== undefined
    return keys
  }

  const answer = async (command: Asked, lanes: Lanes, mayWrite: boolean): Promise<Output> => {
    const { call } = command
    const keys = call && (mayWrite ? isKnown(call.service) : isKnownRead(call)) && (await keysFor(call))
    return keys
      ? lanes.requests(() => attempt(() => sendAws(call, keys, who.known(), options.replyMs), silent))
      : lanes.processes(() => attempt(() => byCli(command, silent), silent))
  }

  const who = identification(account, () => answer(aws(place, 'sts', 'get-caller-identity'), newLanes(), false))

  return {
    get name() {
      return `aws ${who.known() ? `${who.known()} ` : ''}${region}${endpoint ? ` at ${endpoint}` : ''}`
    },
    blank: false,
    place,
    // IAM and tags show after seconds, attributes of queues after up to a minute, their retention after up to 15.
    lag: { waits: lags, remedy: 'AWS may be late: the retention of a queue shows after up to 15 minutes.' },
    identify: who.once,
    denied: deniedFailure,
    async ask(questions) {
      await who.once()
      const lanes = newLanes()
      return Promise.all(questions.map((question) => answer(question, lanes, false)))
    },
    async send(command) {
      await who.once()
      return answer(command, newLanes(), true)
    },
    credentialEnv,
    run: (commands, hear) =>
      inOrder(commands, (command) => attempt(() => byCli(command, hear), hear, command.line.slice(0, 80))),
    close: async () => {},
  }
}

/** Which account answers: asked once, and again where nobody could tell. Throws when it is not the one that was meant. */
function identification(account: string | undefined, ask: () => Promise<Output>) {
  let known = account
  let identity: Promise<void> | undefined
  const identify = async (): Promise<void> => {
    const output = await ask()
    if (output.code !== 0)
      throw new Failure('error', 'AWS does not tell who we are', { detail: [output.stderr.trim()] })
    const { Account, Arn } = JSON.parse(output.stdout) as { Account: string; Arn: string }
    if (account !== undefined && Account !== account) throw wrongAccount(Account, Arn, account)
    known = Account
  }
  return {
    /** The account, as far as it is known by now. */
    known: () => known,
    once: async (): Promise<void> => {
      identity ??= identify()
      await identity.catch((error) => {
        identity = undefined
        throw error
      })
    },
  }
}

/** Makes a call, again after each of the pauses (in seconds) while AWS asks for fewer. Throws what its answer tells of. */
async function retried(
  options: AwsOptions,
  pauses: readonly number[],
  make: () => Promise<Output>,
  hear: Listener,
  during?: string,
): Promise<Output> {
  for (let attempt = 0; ; attempt += 1) {
    const output = await make()
    const seconds = pauses[attempt]
    if (seconds === undefined || !isThrottled(output)) {
      const failure = awsFailure(options, output, during)
      if (failure) throw failure
      return output
    }
    hear(`AWS asks for fewer calls: again in ${seconds} seconds`)
    await pause(seconds * 1000)
  }
}

/** An account that shall not be asked: planned as one that has nothing. */
export function blankAws(place: AwsPlace): AwsTarget {
  return {
    ...blank(`an AWS account in ${place.region}`),
    place,
    send: async () => nothing,
    credentialEnv: async () => ({}),
  }
}

/** What the aws CLI finds in its environment, so that it uses these credentials and asks nothing. */
export function environment({ region, profile, keys }: AwsOptions): Record<string, string | undefined> {
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
    // Only the aws CLI gets keys, by `awsFunction`: what is built or signed in to in the same line does not.
    ...(keys && { AWS_PROFILE: undefined, ...noKeys, ...toEnv(keys) }),
  }
}

const noKeys = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_SESSION_TOKEN: undefined }

/** A command that may tell what it asks for. */
type Asked = Command & Pick<AwsCommand, 'call'>

/** What goes on at a time: a process costs more than half a second of a processor, a request next to nothing. */
interface Lanes {
  readonly processes: Take
  readonly requests: Take
}

const newLanes = (): Lanes => ({ processes: queue(concurrency()), requests: queue(24) })

const silent: Listener = () => {}

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
