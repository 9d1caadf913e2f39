import { until } from '../run.ts'
import type { StoreName } from './plain-stores.ts'
import { type Settings, storeUser } from './settings.ts'

export type ProgramName = 'api' | 'events' | 'autumn' | 'january' | 'gifbox' | 'crond' | 'pushd'

/** Programs in the order in which they must start. */
export const inOrder: readonly ProgramName[] = ['crond', 'pushd', 'api', 'events', 'autumn', 'january', 'gifbox']
export const storesInOrder: readonly StoreName[] = ['mongo', 'redis', 's3', 'rabbitmq']

type Broker = { readonly url: string; readonly password: string }

/** A running platform, and the ways to break its parts. */
export type Platform = {
  /** Where a program answers, without a slash at the end. */
  url(name: ProgramName): string
  /** RabbitMQ's management, and the password that it was first started with. */
  readonly broker: Broker
  settings(): Settings
  /** Words before those of a program that shall run in its network. */
  readonly inside: readonly string[]
  /** Writes other settings; a program reads them at its next start. */
  configure(changes: Partial<Settings>): Promise<void>
  startStore(name: StoreName): Promise<void>
  /** Ends it at once, its data stays. */
  stopStore(name: StoreName): Promise<void>
  wipeStore(name: StoreName): Promise<void>
  makeBucket(): Promise<void>
  /** Starts a program and waits until it listens. */
  start(name: ProgramName): Promise<void>
  stop(name: ProgramName): Promise<void>
  /** Starts a program that should end by itself: its exit code, or undefined where it still runs then. */
  ends(name: ProgramName, timeoutMs: number): Promise<number | undefined>
  log(name: ProgramName | StoreName): Promise<string>
  end(): Promise<void>
}

/** Asks the broker's management; a broker that does not answer is told as status 503. */
export function asBroker({ url, password }: Broker, path: string, init: RequestInit = {}): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`${storeUser}:${password}`).toString('base64')}`
  const headers = { Authorization: authorization, 'Content-Type': 'application/json' }
  return fetch(`${url}/api/${path}`, { ...init, headers }).catch(() => new Response(null, { status: 503 }))
}

/** Starts all of it: stores, bucket, then the programs in their order. */
export async function startAll(platform: Platform): Promise<void> {
  await Promise.all(storesInOrder.map((name) => platform.startStore(name)))
  await platform.makeBucket()
  await startPrograms(platform)
}

/** Starts the programs in their order; the api waits for what the workers declare. */
export async function startPrograms(platform: Platform): Promise<void> {
  for (const name of inOrder) {
    if (name === 'api') await declared(platform)
    await platform.start(name)
  }
}

/** Waits until the workers have declared their exchanges and the queue. */
export const declared = (platform: Pick<Platform, 'broker'>): Promise<boolean> =>
  until('the exchanges', 60_000, async () => {
    const wanted = ['exchanges/%2F/revolt.default', 'exchanges/%2F/revolt.notifications', 'queues/%2F/internal.ack']
    const answers = await Promise.all(wanted.map((path) => asBroker(platform.broker, path)))
    return answers.every(({ ok }) => ok) || undefined
  })
