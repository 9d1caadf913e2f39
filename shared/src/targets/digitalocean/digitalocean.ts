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
import type { Send } from './client.ts'
import { type Doing, faulty, limited, silent } from './errors.ts'
import { judge, nextPage, output, type Reply, readReply } from './reply.ts'

export interface DigitalOceanOptions {
  readonly token: Secret
  /** Another API than the real one, such as a rehearsal's. */
  readonly endpoint?: string | undefined
  /** Asked instead of any other name server: `127.0.0.1:8053`. */
  readonly nameServer?: string | undefined
  /** Scales all pauses, for tests. */
  readonly pace?: number
}

/** Seconds before another attempt after no answer or a fault at their end. Only where nothing could be done twice. */
const pauses = [1, 3, 8]

/** The longest wait that is granted to "too many requests", in seconds, and how often. */
const longest = 120
const waits = 5

/** Seconds between two looks. */
const every = 5

/**
 * A DigitalOcean account. Questions are requests that only read, a few at a time; a change is one request after the
 * other. The answer's `code` is 0 for a good one and the HTTP status otherwise, `stdout` its JSON, `stderr` its message;
 * 404 is an answer as any other. A fault of the way there, or of the token, throws.
 */
export function digitalOcean(options: DigitalOceanOptions): Target {
  const { token, nameServer, pace = 1 } = options
  const endpoint = (options.endpoint ?? realDigitalOcean).replace(/\/+$/, '')
  const wait = (seconds: number) => pause(seconds * 1000 * pace)
  const silentServers = new Map<DnsPlace, DnsLook>()
  let loaded: Promise<Send> | undefined
  const load = () => {
    loaded ??= import('./client.ts').then(({ dotsSender }) => dotsSender(token))
    return loaded
  }

  /** One request, sent again where that does no harm. */
  const send = async (method: string, path: string, body: string | undefined, hear: Listener): Promise<Reply> => {
    const doing: Doing = {
      endpoint,
      real: endpoint === realDigitalOcean,
      request: `${method} ${path}`,
      writes: method !== 'GET',
    }
    const transmit = await load()
    for (let attempt = 0, waited = 0; ; ) {
      const reply = await transmit(method, endpoint + path, body)
        .then(readReply)
        .catch((error: unknown) => ({ error }))
      if ('status' in reply && reply.status === 429) {
        if (waited++ >= waits) throw limited(doing)
        const seconds = Math.min(longest, reply.retryAfter)
        hear(`DigitalOcean asks for fewer requests: again in ${seconds} seconds`)
        await wait(seconds)
        continue
      }
      if ('status' in reply && reply.status < 500) return judge(doing, reply)
      const seconds = method === 'POST' ? undefined : pauses[attempt++]
      if (seconds === undefined)
        throw 'status' in reply ? faulty(doing, reply.status, reply.message) : silent(doing, reply.error)
      await wait(seconds)
    }
  }

  /** A question, all its pages in one answer. */
  const get = async (path: string, hear: Listener): Promise<Output> => {
    const first = await send('GET', path, undefined, hear)
    let next = nextPage(endpoint, first)
    while (next !== undefined) {
      const reply = await send('GET', next, undefined, hear)
      if (reply.status !== 200) return output(reply)
      for (const [key, value] of Object.entries(reply.body)) {
        const list = first.body[key]
        if (Array.isArray(value) && Array.isArray(list)) list.push(...value)
      }
      const after = nextPage(endpoint, reply)
      if (after === next) break
      next = after
    }
    return output(first)
  }

  /** Whoever could not be asked once is not asked again: each attempt costs seconds. */
  const resolve = async (name: string, at: DnsPlace): Promise<DnsLook> => {
    const known = silentServers.get(at)
    const found = known ?? (await lookUp(name, at, nameServer))
    if (found.unasked !== null) silentServers.set(at, found)
    return found
  }

  const look = async (request: DoRequest, hear: Listener): Promise<Output> => {
    if (request.kind === 'dns') return answer(await resolve(request.name, request.at))
    if (request.kind === 'ssh') {
      const list = await get(request.path, hear)
      const address = list.code === 0 ? publicAddress(valueAt(JSON.parse(list.stdout), 'droplets.0')) : undefined
      const found =
        address === undefined ? { open: false, reason: 'no address' } : await lookForSsh(address, request.port)
      return answer({ address: address ?? null, ...found } satisfies SshLook)
    }
    if (request.method !== 'GET') throw new Error(`a question must not write: ${request.method} ${request.path}`)
    return get(request.path, hear)
  }

  const until = async (request: DoRequest & Required<Pick<DoRequest, 'until'>>, hear: Listener): Promise<Output> => {
    const { path, wanted, seconds } = request.until
    const end = Date.now() + seconds * 1000 * pace
    for (;;) {
      const found = await look(request, hear)
      if (found.code !== 0) return found
      const answered = JSON.parse(found.stdout)
      const now = valueAt(answered, path)
      if ((Array.isArray(now) ? now : [now]).map(String).includes(wanted)) return found
      const said = describe(request, answered, now)
      hear(said)
      // Nobody can be asked: waiting tells nothing.
      if (request.kind === 'dns' && (answered as DnsLook).unasked !== null) return found
      if (Date.now() >= end) return { code: 124, stdout: found.stdout, stderr: `${said}, after ${seconds} seconds` }
      await wait(every)
    }
  }

  const act = async (command: Command, hear: Listener): Promise<Output> => {
    const request = doRequest(command)
    if (request.unless) {
      const guard = await get(request.unless.look, hear)
      const there = guard.code === 0 ? valueAt(JSON.parse(guard.stdout), request.unless.has) : undefined
      if (Array.isArray(there) ? there.length > 0 : there !== undefined) {
        hear(`not sent, since there are ${request.unless.has} by now`)
        return guard
      }
    }
    if (request.until) return until({ ...request, until: request.until }, hear)
    if (request.kind !== 'api' || request.method === 'GET') return look(request, hear)
    return output(await send(request.method, request.path, command.stdin && revealText(command.stdin), hear))
  }

  return {
    name: endpoint === realDigitalOcean ? 'digitalocean' : `digitalocean at ${endpoint}`,
    blank: false,
    typed: (command) => typedRequest(command, endpoint),
    async ask(questions) {
      const answers: Output[] = []
      const waiting = [...questions.entries()]
      const worker = async () => {
        for (let job = waiting.shift(); job; job = waiting.shift())
          answers[job[0]] = await look(doRequest(job[1]), () => {})
      }
      await Promise.all(Array.from({ length: 6 }, worker))
      return answers
    },
    run: (commands, hear) => inOrder(commands, (command) => act(command, hear)),
    close: async () => {},
  }
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
