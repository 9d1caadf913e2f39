import { setTimeout as pause } from 'node:timers/promises'
import { type Command, type Output, revealText } from '../../command/command.ts'
import {
  type DnsLook,
  type DnsPlace,
  type DoRequest,
  doRequest,
  publicAddress,
  realDigitalOcean,
  type SshLook,
  typedRequest,
  valueAt,
} from '../../command/digitalocean.ts'
import type { Secret } from '../../command/secret.ts'
import type { Listener, Target } from '../../engine/target.ts'
import { inOrder } from '../in-order.ts'
import { lookForSsh, lookUp } from '../probes.ts'
import { output } from './reply.ts'
import { openRequests, type Requests } from './requests.ts'

export interface DigitalOceanOptions {
  readonly token: Secret
  /** Another API than the real one, such as a rehearsal's. */
  readonly endpoint?: string | undefined
  /** Asked instead of any other name server: `127.0.0.1:8053`. */
  readonly nameServer?: string | undefined
  /** Scales all pauses, for tests. */
  readonly pace?: number
}

/** Seconds between two looks. */
const every = 5

/** How many questions are asked side by side. */
const workers = 6

/** What the looks and changes of an account work with. */
interface Account extends Requests {
  readonly pace: number
  wait(seconds: number): Promise<unknown>
  resolve(name: string, at: DnsPlace): Promise<DnsLook>
}

/**
 * A DigitalOcean account. Questions are requests that only read, a few at a time; a change is one request after the
 * other. The answer's `code` is 0 for a good one and the HTTP status otherwise, `stdout` its JSON, `stderr` its message;
 * 404 is an answer as any other. A fault of the way there, or of the token, throws.
 */
export function digitalOcean({ token, nameServer, pace = 1, ...options }: DigitalOceanOptions): Target {
  const endpoint = (options.endpoint ?? realDigitalOcean).replace(/\/+$/, '')
  const wait = (seconds: number) => pause(seconds * 1000 * pace)
  const account: Account = { ...openRequests(token, endpoint, wait), pace, wait, resolve: resolver(nameServer) }
  return {
    name: endpoint === realDigitalOcean ? 'digitalocean' : `digitalocean at ${endpoint}`,
    blank: false,
    typed: (command) => typedRequest(command, endpoint),
    async ask(questions) {
      const answers: Output[] = []
      const waiting = [...questions.entries()]
      const worker = async () => {
        for (let job = waiting.shift(); job; job = waiting.shift())
          answers[job[0]] = await look(account, doRequest(job[1]), () => {})
      }
      await Promise.all(Array.from({ length: workers }, worker))
      return answers
    },
    run: (commands, hear) => inOrder(commands, (command) => act(account, command, hear)),
    close: async () => {},
  }
}

/** Looks names up. Whoever could not be asked once is not asked again: each attempt costs seconds. */
function resolver(nameServer: string | undefined): Account['resolve'] {
  const silentServers = new Map<DnsPlace, DnsLook>()
  return async (name, at) => {
    const found = silentServers.get(at) ?? (await lookUp(name, at, nameServer))
    if (found.unasked !== null) silentServers.set(at, found)
    return found
  }
}

async function look(account: Account, request: DoRequest, hear: Listener): Promise<Output> {
  if (request.kind === 'dns') return answer(await account.resolve(request.name, request.at))
  if (request.kind === 'ssh') {
    const list = await account.get(request.path, hear)
    const address = list.code === 0 ? publicAddress(valueAt(JSON.parse(list.stdout), 'droplets.0')) : undefined
    const found =
      address === undefined ? { open: false, reason: 'no address' } : await lookForSsh(address, request.port)
    return answer({ address: address ?? null, ...found } satisfies SshLook)
  }
  if (request.method !== 'GET') throw new Error(`a question must not write: ${request.method} ${request.path}`)
  return account.get(request.path, hear)
}

type Until = NonNullable<DoRequest['until']>

async function lookUntil(account: Account, request: DoRequest, until: Until, hear: Listener): Promise<Output> {
  const { path, wanted, seconds } = until
  const end = Date.now() + seconds * 1000 * account.pace
  for (;;) {
    const found = await look(account, request, hear)
    if (found.code !== 0) return found
    const answered = JSON.parse(found.stdout)
    const now = valueAt(answered, path)
    if ((Array.isArray(now) ? now : [now]).map(String).includes(wanted)) return found
    const said = describe(request, answered, now)
    hear(said)
    // Nobody can be asked: waiting tells nothing.
    if (request.kind === 'dns' && (answered as DnsLook).unasked !== null) return found
    if (Date.now() >= end) return { code: 124, stdout: found.stdout, stderr: `${said}, after ${seconds} seconds` }
    await account.wait(every)
  }
}

async function act(account: Account, command: Command, hear: Listener): Promise<Output> {
  const request = doRequest(command)
  const done = request.unless && (await doneAlready(account, request.unless, hear))
  if (done) return done
  if (request.until) return lookUntil(account, request, request.until, hear)
  if (request.kind !== 'api' || request.method === 'GET') return look(account, request, hear)
  return output(await account.send(request.method, request.path, command.stdin && revealText(command.stdin), hear))
}

/** The answer that makes a write needless; undefined where it has to be sent. */
async function doneAlready(
  account: Account,
  { look, has }: NonNullable<DoRequest['unless']>,
  hear: Listener,
): Promise<Output | undefined> {
  const found = await account.get(look, hear)
  const there = found.code === 0 ? valueAt(JSON.parse(found.stdout), has) : undefined
  if (Array.isArray(there) ? there.length === 0 : there === undefined) return undefined
  hear(`not sent, since there are ${has} by now`)
  return found
}

const answer = (look: SshLook | DnsLook): Output => ({ code: 0, stdout: JSON.stringify(look), stderr: '' })

function describe(request: DoRequest, answered: unknown, now: unknown): string {
  if (request.kind === 'ssh') {
    const { address, reason } = answered as SshLook
    return `ssh on ${address ?? 'a droplet without address'}: ${reason}`
  }
  if (request.kind === 'dns') {
    const { addresses, unasked } = answered as DnsLook
    return `${request.name}: ${unasked ?? (addresses.join(', ') || 'no address yet')}`
  }
  return `${request.until?.path.split('.').at(-1)} is ${String(now ?? 'not known yet')}`
}
