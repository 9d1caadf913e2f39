import { redact } from '../../command/secret.ts'
import { Failure } from '../../engine/failure.ts'

/** What was being done, for the messages. */
export interface Doing {
  /** `https://api.digitalocean.com`, or the lab's. */
  readonly endpoint: string
  readonly real: boolean
  /** `POST /v2/droplets`. */
  readonly request: string
  /** It may have been carried out although no good answer came. */
  readonly writes: boolean
}

const again = ' Run the same command again: it checks the current state first.'
const doubt = ({ writes, request }: Doing) =>
  writes ? ` What was under way (${request}) may or may not have been done.${again}` : ''

/** The token is wrong: 401. */
export function refusedToken(doing: Doing, message: string): Failure {
  return new Failure('unreachable', 'DigitalOcean does not accept DIGITALOCEAN_TOKEN', {
    remedy:
      'Is it whole, and not expired or revoked? A new one: https://cloud.digitalocean.com/account/api/tokens (it begins with dop_v1_).',
    detail: [`${doing.request}: ${redact(message)}`],
  })
}

/** The token may not do this: 403. */
export function lackingScope(doing: Doing, message: string): Failure {
  return new Failure('error', `DIGITALOCEAN_TOKEN may not do ${doing.request}`, {
    remedy:
      'Give it full access, or these scopes: droplet and ssh_key and firewall (create, read, update), kubernetes (create, read, access_cluster, and delete for destroy --cluster), domain (create, read, update), tag (create, read), image, region, sizes and actions (read).',
    detail: [redact(message)],
  })
}

/** Too many requests, still after waiting: 429. */
export function limited(doing: Doing): Failure {
  return new Failure('unreachable', 'DigitalOcean asks for fewer requests, again and again', {
    remedy: 'Something else uses the same token heavily (5000 requests an hour, 250 a minute). Run again later.',
    detail: [doing.request],
  })
}

/** A fault at their end: 5xx. */
export function faulty(doing: Doing, status: number, message: string): Failure {
  return new Failure('unreachable', `DigitalOcean has a fault of its own (${status})`, {
    remedy: `See https://status.digitalocean.com; run again later.${doubt(doing)}`,
    detail: [`${doing.request}: ${redact(message)}`],
  })
}

/** No answer, or not one of the API. */
export function silent(doing: Doing, error: unknown): Failure {
  const place = doing.real ? 'DigitalOcean' : doing.endpoint
  const remedy = doing.real
    ? 'Is this machine online (DNS, firewall, a proxy that it would have to go through)?'
    : 'Is what DIGITALOCEAN_API_URL names running? Unset it for the real DigitalOcean.'
  const { code, message, isLost } = causeOf(error)
  const said = isLost
    ? `${place} does not answer: ${networkErrors[code ?? ''] ?? 'no connection'}`
    : `what answers at ${place} is not DigitalOcean's API`
  return new Failure('unreachable', said, {
    remedy: remedy + doubt(doing),
    detail: [`${doing.request}: ${redact(code ?? message)}`],
    cause: error,
  })
}

/** What the codes of the system mean, for who does not know them. */
const networkErrors: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'this machine cannot resolve the name just now',
  ENOTFOUND: 'its name cannot be resolved',
  ECONNREFUSED: 'it refuses the connection',
  ECONNRESET: 'the connection was closed',
  ENETUNREACH: 'this machine has no network that leads there',
  EHOSTUNREACH: 'no way leads there',
  ETIMEDOUT: 'no answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  TimeoutError: 'no answer in time',
}

interface Cause {
  /** The system's, or of a wait that was ended its name. */
  readonly code: string | undefined
  readonly message: string
  /** Whether nothing answered at all. */
  readonly isLost: boolean
}

// fetch says "fetch failed" and keeps the reason to itself, which has no code where fetch itself refuses the port.
function causeOf(error: unknown): Cause {
  const { name, message, cause } = error instanceof Error ? error : new Error(String(error))
  const inner = cause as { code?: string; message?: string } | undefined
  const isLate = name === 'TimeoutError'
  const code = isLate ? name : inner?.code
  // Somebody answered who is not the API: the page of a network to log in at.
  const isLed = inner?.message === 'unexpected redirect'
  return { code, message: inner?.message ?? message, isLost: isLate || (inner !== undefined && !isLed) }
}
