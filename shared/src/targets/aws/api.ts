import { setTimeout as pause } from 'node:timers/promises'
import { type AwsCall, accountHole } from '../../command/aws.ts'
import type { Output } from '../../command/command.ts'
import { reveal } from '../../command/secret.ts'
import type { AwsKeys } from './credentials.ts'
import { isThrottled } from './errors.ts'
import { allPages } from './pages.ts'
import { outputOf, requestOf } from './protocols.ts'

/** Milliseconds for one reply, and how often a call is sent: as the CLI does in its mode "standard". */
const replyMs = 30_000
const attempts = 3

/**
 * Sends a call to AWS from this process, signed (Signature Version 4). Answers as the CLI does, errors in its words;
 * what fails on the way or is throttled is sent up to three times. Pages are read to the last.
 */
export async function sendAws(
  call: AwsCall,
  keys: AwsKeys,
  account: string | undefined,
  timeoutMs = replyMs,
): Promise<Output> {
  if (account === undefined && JSON.stringify(call.input).includes(accountHole))
    throw new Error(`aws: ${call.service} ${call.operation} needs the account, which is not known yet`)
  let last: Output | undefined
  const stdout = await allPages(call, async (page) => {
    last = await sendPatiently(page, keys, account, timeoutMs)
    return last.code === 0 ? last.stdout : undefined
  })
  return last && last.code !== 0 ? last : { code: 0, stdout: stdout ?? '', stderr: '' }
}

async function sendPatiently(
  call: AwsCall,
  keys: AwsKeys,
  account: string | undefined,
  timeoutMs: number,
): Promise<Output> {
  for (let attempt = 1; ; attempt += 1) {
    const output = await sendOnce(call, keys, account, timeoutMs)
    if (output.code === 0 || attempt === attempts || !isPassing(output)) return output
    await pause(100 * 2 ** attempt * (0.5 + Math.random()))
  }
}

/** A fault that may be gone a moment later. */
const isPassing = (output: Output): boolean =>
  isThrottled(output) || /\((5\d\d|InternalServerError|InternalFailure|ServiceUnavailable)|^Connect/.test(output.stderr)

async function sendOnce(call: AwsCall, keys: AwsKeys, account: string | undefined, timeoutMs: number): Promise<Output> {
  const { url, headers, body, service, region } = requestOf(call, account)
  // Only where there is something to ask: a pod's run, a help text need neither.
  const { AwsV4Signer } = await import('aws4fetch')
  const signer = new AwsV4Signer({
    url,
    method: 'POST',
    headers,
    body,
    service,
    region,
    accessKeyId: reveal(keys.id),
    secretAccessKey: reveal(keys.secret),
    ...(keys.token && { sessionToken: reveal(keys.token) }),
  })
  const signed = await signer.sign()
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: signed.headers,
      body,
      redirect: 'manual', // a signature is for the host it was made for
      signal: AbortSignal.timeout(timeoutMs),
    })
    const header = (name: string) => response.headers.get(name)
    return outputOf(call, { status: response.status, text: await response.text(), header })
  } catch (error) {
    return { code: 255, stdout: '', stderr: `${lost(error, url)}\n` }
  }
}

/** A request that got no reply, in the CLI's words. */
function lost(error: unknown, url: string): string {
  const { name, cause } = error as Error & { cause?: NodeJS.ErrnoException }
  if (name === 'TimeoutError') return `Connect timeout on endpoint URL: "${url}"`
  const why = cause?.code ?? cause?.message ?? String(error)
  if (/CERT|SSL|TLS|SIGNATURE|ISSUER/.test(why)) return `SSL validation failed for ${url} (${why})`
  return `Could not connect to the endpoint URL: "${url}" (${why})`
}

/**
 * Whether this machine reaches a URL only by a proxy or by authorities of its own, which the CLI knows to use and we do
 * not.
 */
export function needsCli(url: string, env: Readonly<Record<string, string | undefined>>): boolean {
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:' && (env.AWS_CA_BUNDLE || env.REQUESTS_CA_BUNDLE)) return true
  const scheme = protocol.slice(0, -1)
  const proxy = env[`${scheme}_proxy`] || env[`${scheme.toUpperCase()}_PROXY`] || env.all_proxy || env.ALL_PROXY
  if (!proxy) return false
  const spared = (env.no_proxy || env.NO_PROXY || '').split(',').map((entry) => entry.trim().replace(/^\*?\./, ''))
  return !spared.some((entry) => entry === '*' || (entry && (hostname === entry || hostname.endsWith(`.${entry}`))))
}
