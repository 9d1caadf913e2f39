import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { clusterRoutes } from './digitalocean-cluster-routes.ts'
import type { Backing, Cluster } from './digitalocean-clusters.ts'
import type { DomainRecord, Droplet, Firewall, Key } from './digitalocean-data.ts'
import { type Answer, ApiError, absent, type Body, routesOf, type State } from './digitalocean-routes.ts'
import { bodyOf, listen } from './http.ts'

interface DoCall {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly body: string
}

/** An answer that is given in place of the real one. */
interface Fault {
  /** `drop`: the connection ends without an answer. */
  readonly status: number | 'drop'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object | string
  /** The request is carried out all the same, and only its answer is lost. */
  readonly done?: boolean
}

/** A DigitalOcean account on loopback: what was made stays. */
export interface DigitalOceanFake {
  readonly endpoint: string
  readonly token: string
  readonly droplets: Droplet[]
  readonly keys: Key[]
  readonly tags: Set<string>
  readonly firewalls: Firewall[]
  /** Of DigitalOcean's Kubernetes. */
  readonly clusters: Cluster[]
  /** Records by zone. */
  readonly domains: Map<string, DomainRecord[]>
  /** Milliseconds that a new droplet takes to become active. */
  bootMs: number
  /** Milliseconds that a new cluster takes to run. */
  clusterMs: number
  /** Called at every request, before it is answered. */
  whenAsked: (() => void) | undefined
  /** The real API server that new clusters are given; without one their addresses lead nowhere. */
  backing: Backing | undefined
  /** Which address the next droplet gets. */
  nextAddress: string
  /** How many droplets the account may have. */
  limit: number
  calls(): readonly DoCall[]
  writes(): readonly DoCall[]
  /** The next requests that match (`POST /v2/droplets`) are answered so, one after the other. */
  fail(match: RegExp, ...faults: readonly Fault[]): void
  /** Adds a droplet behind everybody's back. */
  add(droplet: Partial<Droplet>): Droplet
  /** Adds a cluster behind everybody's back, or as a request has asked for it: not running yet. */
  addCluster(cluster: Partial<Cluster>, isNew?: boolean): Cluster
  addresses(name: string): readonly string[]
  stop(): Promise<void>
}

/** Starts an empty account on a free port. */
export async function startDigitalOcean(): Promise<DigitalOceanFake> {
  const seen: DoCall[] = []
  const faults: { match: RegExp; fault: Fault }[] = []
  let ids = 3164444
  const fake: State = {
    token: `dop_v1_${randomUUID().replaceAll('-', '')}`,
    droplets: [],
    keys: [],
    tags: new Set<string>(),
    firewalls: [],
    clusters: [],
    domains: new Map(),
    bootMs: 0,
    clusterMs: 0,
    whenAsked: undefined,
    backing: undefined,
    nextAddress: '127.0.0.1',
    limit: 1000,
    calls: () => [...seen],
    writes: () => seen.filter(({ method }) => method !== 'GET'),
    fail: (match, ...list) => void faults.push(...list.map((fault) => ({ match, fault }))),
    add(droplet) {
      const made: Droplet = {
        ...{ id: ++ids, name: 'valence-pod', size: 's-2vcpu-4gb', region: 'nyc1', image: 'ubuntu-24-04-x64', keys: [] },
        ...{ tags: [], address: fake.nextAddress, status: 'active', active: 0, ...droplet },
      }
      fake.droplets.push(made)
      for (const tag of made.tags) fake.tags.add(tag)
      return made
    },
    addCluster(cluster, isNew = false) {
      const pool = { id: randomUUID(), name: 'pool', size: 's-2vcpu-4gb', count: 2, tags: [], labels: null }
      const made: Cluster = {
        ...{ id: randomUUID(), name: 'discord-bot-cluster', region: 'tor1', version: '1.36.3-do.0', tags: [] },
        ...{ pools: [{ ...pool, auto_scale: false, min_nodes: 0, max_nodes: 0 }], ha: false },
        ...{ auto_upgrade: false, surge_upgrade: true, backing: fake.backing },
        ...{ status: isNew ? 'provisioning' : 'running', running: Date.now() + fake.clusterMs },
        ...{ left: { load_balancers: [], volumes: [], volume_snapshots: [] }, ...cluster },
      }
      fake.clusters.push(made)
      for (const tag of made.tags) fake.tags.add(tag)
      return made
    },
    addresses: (name) =>
      [...fake.domains].flatMap(([zone, records]) =>
        records
          .filter((record) => record.type === 'A' && (record.name === '@' ? zone : `${record.name}.${zone}`) === name)
          .map(({ data }) => data),
      ),
  }
  const routes = [...routesOf(fake, () => ++ids), ...clusterRoutes(fake)]

  const carryOut = (method: string, url: URL, body: string): Answer => {
    for (const droplet of fake.droplets)
      if (droplet.status === 'new' && Date.now() >= droplet.active) droplet.status = 'active'
    for (const cluster of fake.clusters)
      if (cluster.status === 'provisioning' && Date.now() >= cluster.running) cluster.status = 'running'
    for (const [verb, pattern, act] of routes) {
      const found = verb === method && decodeURIComponent(url.pathname).match(pattern)
      if (found) return act(found.slice(1), body === '' ? {} : (JSON.parse(body) as Body), url.searchParams)
    }
    throw absent()
  }

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = (await bodyOf(request)).toString()
    const { method = 'GET', url: path = '/' } = request
    seen.push({ method, path, body })
    fake.whenAsked?.()
    const at = faults.findIndex(({ match }) => match.test(`${method} ${path}`))
    const fault = at < 0 ? undefined : faults.splice(at, 1)[0]?.fault
    let [status, answer]: [number, object | string | undefined] = [200, undefined]
    try {
      if (request.headers.authorization !== `Bearer ${fake.token}`)
        throw new ApiError(401, 'unauthorized', 'Unable to authenticate you')
      if (!fault || fault.done) [status, answer] = carryOut(method, new URL(path, 'http://api'), body)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      ;[status, answer] = [error.status, { id: error.id, message: error.message, request_id: randomUUID() }]
    }
    if (fault?.status === 'drop') return void request.socket.destroy()
    if (fault) [status, answer] = [fault.status, fault.body ?? { id: 'fault', message: 'as the test wants it' }]
    const limits = { 'ratelimit-limit': '5000', 'ratelimit-remaining': '4816', 'x-request-id': randomUUID() }
    const type = typeof answer === 'string' && !fault ? 'application/yaml' : 'application/json; charset=utf-8'
    response.writeHead(status, { 'content-type': type, ...limits, ...fault?.headers })
    response.end(answer === undefined ? '' : typeof answer === 'string' ? answer : JSON.stringify(answer))
  }

  const server = await listen(['127.0.0.1'], 0, (request, response) => {
    serve(request, response).catch((error) => response.writeHead(500).end(JSON.stringify({ message: String(error) })))
  })
  return Object.assign(fake, { endpoint: `http://127.0.0.1:${server.port}`, stop: () => server.stop() })
}
