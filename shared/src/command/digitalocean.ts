import { type Command, type Output, plainText } from './command.ts'

/**
 * Commands for DigitalOcean are request lines: `GET /v2/droplets?name=valence-pod&per_page=200`, with the JSON body of
 * a write on stdin. Beside requests there are two looks from this machine, `SSH` and `DNS`, and two clauses, `unless`
 * and `until`. {@link parseRequest} says what a target has to do for each.
 */
export type DoRequest = {
  /** Not sent when the guard's answer has something at this path. */
  readonly unless?: { readonly look: string; readonly has: string }
  /** Repeated until the answer has this value at this path (or among the values there). */
  readonly until?: { readonly path: string; readonly wanted: string; readonly seconds: number }
} & (
  | { readonly kind: 'api'; readonly method: DoMethod; readonly path: string }
  /** Does ssh answer on the public address of the first droplet of a list? */
  | { readonly kind: 'ssh'; readonly port: number; readonly path: string }
  /** Which addresses has a name: for everybody, or at the name servers of DigitalOcean? */
  | { readonly kind: 'dns'; readonly name: string; readonly at: DnsPlace }
)

type DoMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export type DnsPlace = 'public' | 'digitalocean'

/** What `SSH` answers, as JSON. */
export interface SshLook {
  /** Null while the droplet is not there or has no address. */
  readonly address: string | null
  readonly open: boolean
  /** Why it is not open. */
  readonly reason: string
}

/** What `DNS` answers, as JSON. */
export interface DnsLook {
  readonly addresses: readonly string[]
  readonly addresses6: readonly string[]
  /** Why nobody could be asked; null when somebody was. */
  readonly unasked: string | null
}

/** A question of the API. A list is answered whole, however many pages it has. */
export function doGet(path: string, query: Readonly<Record<string, string>> = {}): Command {
  const text = new URLSearchParams(query).toString()
  return { line: `GET ${path}${text ? `?${text}` : ''}` }
}

/** A question for a list, by the largest pages there are. */
export function doList(path: string, query: Readonly<Record<string, string>> = {}): Command {
  return doGet(path, { ...query, per_page: '200' })
}

/** A write. The body must not hold a secret: nothing that is made here needs one. */
export function doSend(method: 'POST' | 'PUT' | 'PATCH', path: string, body: object): Command {
  return { line: `${method} ${path}`, stdin: plainText(JSON.stringify(body)) }
}

/** Deletes a Kubernetes cluster: the one thing that is ever deleted here, and only when that was asked for. */
export function doDeleteCluster(id: string): Command {
  return { line: `DELETE ${clusterPath}${id}` }
}

const clusterPath = '/v2/kubernetes/clusters/'

/** The write, unless the answer of a question has something at a path (`droplets`): looked at right before it is sent. */
export function doUnless(write: Command, look: Command, has: string): Command {
  return { ...write, line: `${write.line} unless ${look.line} has ${has}` }
}

/** Looks again until the answer has a value at a path (`droplets.0.status`); gives up after so many seconds. */
export function doUntil(look: Command, path: string, wanted: string, seconds: number): Command {
  return { line: `${look.line} until ${path} = ${wanted} within ${seconds} s` }
}

/** Does ssh answer on the public address of the first droplet of a list? A {@link SshLook}. */
export function doSsh(port: number, droplets: Command): Command {
  return { line: `SSH ${port} ${droplets.line}` }
}

/** Which addresses has a name? A {@link DnsLook}. */
export function doDns(name: string, at: DnsPlace): Command {
  return { line: `DNS ${name} ${at}` }
}

const methods: readonly DoMethod[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Whether a command is for a DigitalOcean account: every other is for a shell. */
export const isDoRequest = ({ line }: Command): boolean => /^(GET|POST|PUT|PATCH|DELETE|SSH|DNS) /.test(line)

/** Takes a line apart. Throws for one that none of the functions above made. */
export function parseRequest(line: string): DoRequest {
  const found = line.match(
    /^(?<request>.+?)(?: unless GET (?<look>\S+) has (?<has>\S+))?(?: until (?<path>\S+) = (?<wanted>\S+) within (?<seconds>\d+) s)?$/,
  )?.groups
  const words = found?.request?.split(' ') ?? []
  const [verb = '', first = '', second = '', third = ''] = words
  const clauses = {
    ...(found?.look && found.has && { unless: { look: found.look, has: found.has } }),
    ...(found?.path &&
      found.wanted && { until: { path: found.path, wanted: found.wanted, seconds: Number(found.seconds) } }),
  }
  if (verb === 'SSH' && second === 'GET') return { kind: 'ssh', port: Number(first), path: third, ...clauses }
  if (verb === 'DNS' && (second === 'public' || second === 'digitalocean'))
    return { kind: 'dns', name: first, at: second, ...clauses }
  const method = methods.find((method) => method === verb)
  const allowed =
    method !== 'DELETE' || (first.startsWith(clusterPath) && /^[0-9a-f-]+$/.test(first.slice(clusterPath.length)))
  if (method && allowed && words.length === 2) return { kind: 'api', method, path: first, ...clauses }
  throw new Error(`not a request for DigitalOcean: ${line}`)
}

/**
 * The value at a path such as `droplets.0.status`; undefined where there is none. In a list `name=pod` is the first
 * item of that name, for lists that the API does not search: `kubernetes_clusters.name=bot.status.state`.
 */
export function valueAt(answer: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => {
    const [field = '', wanted] = key.split('=')
    if (wanted !== undefined && Array.isArray(value)) return value.find((item) => String(item?.[field]) === wanted)
    return (value as Record<string, unknown> | null)?.[key]
  }, answer)
}

/** The public IPv4 address of a droplet as the API gives it; it has none for its first seconds. */
export function publicAddress(droplet: unknown): string | undefined {
  return addressIn(droplet, 'v4')
}

/** Its public IPv6 address; undefined where it has none. */
export function publicAddress6(droplet: unknown): string | undefined {
  return addressIn(droplet, 'v6')
}

function addressIn(droplet: unknown, version: 'v4' | 'v6'): string | undefined {
  const networks = valueAt(droplet, `networks.${version}`) as { type: string; ip_address: string }[] | undefined
  return networks?.find(({ type }) => type === 'public')?.ip_address
}

/**
 * What a question was answered, from JSON; null when what it asks about is not there (404, or a blank account). Throws
 * in DigitalOcean's words when the answer tells neither.
 */
export function doAnswer<T>({ code, stdout, stderr }: Output): T | null {
  if (code === 127 || code === 404) return null
  if (code !== 0) throw new Error(`${code}: ${stderr}`)
  return JSON.parse(stdout) as T
}

/** What DigitalOcean says of a failed change, if anything. */
export const explainDo = ({ stderr }: Output): string | undefined =>
  stderr === '' ? undefined : `DigitalOcean says: ${stderr}`
