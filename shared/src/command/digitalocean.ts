import { type Command, type Output, plainText } from './command.ts'
import { quote } from './sh.ts'

/**
 * What a target does for a DigitalOcean account: requests of the API, two looks from this machine, `ssh` and `dns`, and
 * two clauses, `unless` and `until`. The line of the command says the same: `GET /v2/droplets?name=valence-pod`.
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

/** A command for a DigitalOcean account. */
export interface DoCommand extends Command {
  readonly request: DoRequest
}

/** A question of the API. A list is answered whole, however many pages it has. */
export function doGet(path: string, query: Readonly<Record<string, string>> = {}): DoCommand {
  const text = new URLSearchParams(query).toString()
  return api('GET', `${path}${text ? `?${text}` : ''}`)
}

/** A question for a list, by the largest pages there are. */
export function doList(path: string, query: Readonly<Record<string, string>> = {}): DoCommand {
  return doGet(path, { ...query, per_page: '200' })
}

/** A write. The body must not hold a secret: nothing that is made here needs one. */
export function doSend(method: 'POST' | 'PUT' | 'PATCH', path: string, body: object): DoCommand {
  return { ...api(method, path), stdin: plainText(JSON.stringify(body)) }
}

/** Deletes a Kubernetes cluster: the one thing that is ever deleted here, and only when that was asked for. */
export function doDeleteCluster(id: string): DoCommand {
  if (!/^[0-9a-f-]+$/.test(id)) throw new TypeError(`doDeleteCluster: ${id} is not the id of a cluster`)
  return api('DELETE', `/v2/kubernetes/clusters/${id}`)
}

const api = (method: DoMethod, path: string): DoCommand => ({
  line: `${method} ${path}`,
  request: { kind: 'api', method, path },
})

/** The write, unless the answer of a question has something at a path (`droplets`): looked at right before it is sent. */
export function doUnless(write: DoCommand, look: DoCommand, has: string): DoCommand {
  if (look.request.kind !== 'api') throw new TypeError('doUnless: the look is not a request of the API')
  const request = { ...write.request, unless: { look: look.request.path, has } }
  return { ...write, line: `${write.line} unless ${look.line} has ${has}`, request }
}

/** Looks again until the answer has a value at a path (`droplets.0.status`); gives up after so many seconds. */
export function doUntil(look: DoCommand, path: string, wanted: string, seconds: number): DoCommand {
  const line = `${look.line} until ${path} = ${wanted} within ${seconds} s`
  return { line, request: { ...look.request, until: { path, wanted, seconds } } }
}

/** Does ssh answer on the public address of the first droplet of a list? A {@link SshLook}. */
export function doSsh(port: number, droplets: DoCommand): DoCommand {
  if (droplets.request.kind !== 'api') throw new TypeError('doSsh: the list is not a request of the API')
  return { line: `SSH ${port} ${droplets.line}`, request: { kind: 'ssh', port, path: droplets.request.path } }
}

/** Which addresses has a name? A {@link DnsLook}. */
export function doDns(name: string, at: DnsPlace): DoCommand {
  return { line: `DNS ${name} ${at}`, request: { kind: 'dns', name, at } }
}

const kinds: readonly string[] = ['api', 'ssh', 'dns'] satisfies DoRequest['kind'][]

/** Whether a command is for a DigitalOcean account: every other is for a shell. */
export const isDoCommand = (command: Command): command is DoCommand => kinds.includes(command.request?.kind ?? '')

const deletable = /^\/v2\/kubernetes\/clusters\/[0-9a-f-]+$/

/** What a command asks of a DigitalOcean account. Throws for one that is for another target. */
export function doRequest(command: Command): DoRequest {
  const request = isDoCommand(command) ? command.request : undefined
  // Whoever made the command: nothing else is ever deleted.
  const isForbidden = request?.kind === 'api' && request.method === 'DELETE' && !deletable.test(request.path)
  if (!request || isForbidden) throw new Error(`not a request for DigitalOcean: ${command.line}`)
  return request
}

/** The API of the real DigitalOcean. */
export const realDigitalOcean = 'https://api.digitalocean.com'

/** A request as curl sends it; the looks and clauses that no program has are said in a comment. */
export function typedRequest(command: Command, endpoint = realDigitalOcean): string {
  const request = isDoCommand(command) ? command.request : undefined
  if (request?.kind !== 'api') return `# ${command.line}`
  const method = request.method === 'GET' ? [] : ['-X', request.method]
  const json = command.stdin ? ['-H', 'Content-Type: application/json', '-d', '@-'] : []
  const words = ['curl', '-s', ...method, ...json].map(quote).join(' ')
  const clause = command.line.match(/ (unless|until) .*/)?.[0] ?? ''
  return `${words} -H "Authorization: Bearer $DIGITALOCEAN_TOKEN" ${quote(endpoint + request.path)}${clause && `  #${clause}`}`
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
