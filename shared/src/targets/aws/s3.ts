import { createHash } from 'node:crypto'
import { type IncomingMessage, Agent as PlainAgent, request as plain } from 'node:http'
import { Agent as SecureAgent, request as secure } from 'node:https'
import { Readable } from 'node:stream'
import { reveal, type Secret } from '../../command/secret.ts'
import { Failure } from '../../engine/failure.ts'

/** A bucket of S3, or of what speaks its protocol. */
export interface BucketPlace {
  readonly endpoint: string
  /** Whether the bucket is a part of the path and not of the host name. */
  readonly pathStyle: boolean
  readonly region: string
  readonly bucket: string
  readonly keyId: Secret
  readonly key: Secret
}

export interface BucketObject {
  readonly key: string
  readonly bytes: number
}

interface Request {
  readonly method: 'GET' | 'PUT' | 'DELETE' | 'HEAD'
  readonly key?: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: { readonly source: AsyncIterable<Buffer>; readonly bytes: number; readonly sha256: string }
}

/** Milliseconds without a byte after which a request is given up. */
const idleMs = 60_000
/** How often the reading of one object is taken up again where the connection was lost. */
const attempts = 4

/** The objects of a bucket, read and written by requests that this process signs (Signature Version 4). */
export class Bucket {
  readonly #place: BucketPlace
  readonly #agent: PlainAgent | SecureAgent
  readonly #isSecure: boolean

  constructor(place: BucketPlace) {
    this.#place = place
    this.#isSecure = place.endpoint.startsWith('https:')
    this.#agent = this.#isSecure ? new SecureAgent({ keepAlive: true }) : new PlainAgent({ keepAlive: true })
  }

  /** Whether it is there. */
  async exists(): Promise<boolean> {
    const reply = await this.#send({ method: 'HEAD' })
    reply.resume()
    if (reply.statusCode === 404) return false
    if (reply.statusCode !== 200) throw await this.#refused('HEAD', reply)
    return true
  }

  async create(): Promise<void> {
    const { region } = this.#place
    const place = `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`
    // The one region that must not be named.
    const text = Buffer.from(region === 'us-east-1' ? '' : place)
    const sha256 = createHash('sha256').update(text).digest('hex')
    await this.#done({ method: 'PUT', body: { source: whole(text), bytes: text.length, sha256 } })
  }

  /** Takes it away, with all that is in it. */
  async remove(): Promise<void> {
    for await (const { key } of this.list()) await this.delete(key)
    await this.#done({ method: 'DELETE' })
  }

  /** All objects, by name. ListObjectsV2, a thousand at a time. */
  async *list(): AsyncGenerator<BucketObject> {
    for (let token = ''; ; ) {
      const query = { 'list-type': '2', ...(token !== '' && { 'continuation-token': token }) }
      const text = await this.#text({ method: 'GET', query })
      for (const [, row = ''] of text.matchAll(/<Contents>(.*?)<\/Contents>/gs))
        yield { key: element(row, 'Key'), bytes: Number(element(row, 'Size')) }
      token = element(text, 'NextContinuationToken')
      if (element(text, 'IsTruncated') !== 'true' || token === '') return
    }
  }

  /** What an object holds, and how long it is; undefined for one that is gone. */
  async read(key: string): Promise<{ readonly bytes: number; content(): AsyncGenerator<Buffer> } | undefined> {
    const reply = await this.#send({ method: 'GET', key })
    if (reply.statusCode === 404) {
      reply.resume()
      return undefined
    }
    if (reply.statusCode !== 200) throw await this.#refused(`GET ${key}`, reply)
    const bytes = Number(reply.headers['content-length'])
    return { bytes, content: () => this.#content(key, bytes, reply) }
  }

  /** Puts an object; the store compares what arrives with its SHA-256. */
  async put(key: string, bytes: number, sha256: string, source: AsyncIterable<Buffer>): Promise<void> {
    await this.#done({ method: 'PUT', key, body: { source, bytes, sha256 } })
  }

  async delete(key: string): Promise<void> {
    await this.#done({ method: 'DELETE', key })
  }

  close(): void {
    this.#agent.destroy()
  }

  // Taken up again where it was lost, as long as it is the same object.
  async *#content(key: string, bytes: number, first: IncomingMessage): AsyncGenerator<Buffer> {
    const tag = first.headers.etag
    let reply = first
    for (let [at, tried] = [0, 1]; ; tried += 1) {
      try {
        for await (const chunk of reply) {
          at += chunk.length
          yield chunk
        }
        if (at === bytes) return
      } catch (error) {
        if (tried === attempts || tag === undefined) throw this.#lost(error as Error)
      }
      if (tried === attempts || tag === undefined)
        throw this.#lost(new Error(`${key} ended after ${at} of ${bytes} bytes`))
      reply = await this.#send({ method: 'GET', key, headers: { range: `bytes=${at}-`, 'if-match': tag } })
      if (reply.statusCode !== 206) throw await this.#refused(`GET ${key}`, reply)
    }
  }

  async #done(request: Request): Promise<void> {
    await this.#text(request)
  }

  async #text(request: Request): Promise<string> {
    const reply = await this.#send(request)
    if ((reply.statusCode ?? 0) >= 300)
      throw await this.#refused(`${request.method} ${request.key ?? ''}`.trim(), reply)
    return textOf(reply)
  }

  // What the content that is sent failed by is told as it is.
  #lost(error: Error): Error {
    if (error instanceof Failure) return error
    const { endpoint, bucket } = this.#place
    return new Failure('error', `bucket ${bucket} at ${endpoint} does not answer: ${error.message}`, {
      remedy: 'Does the store run, and is it reached from here?',
    })
  }

  async #refused(what: string, reply: IncomingMessage): Promise<Failure> {
    const text = await textOf(reply).catch(() => '')
    const why = [element(text, 'Code'), element(text, 'Message')].filter(Boolean).join(': ')
    const { endpoint, bucket } = this.#place
    return new Failure('error', `bucket ${bucket} at ${endpoint} answers ${reply.statusCode} to ${what}`, {
      detail: why === '' ? [] : [why],
      remedy: 'Are its keys, its region and the name of the bucket the right ones, and may they do that?',
    })
  }

  async #send({ method, key, query = {}, headers = {}, body }: Request): Promise<IncomingMessage> {
    const url = this.#urlOf(key, query)
    const { region, keyId, key: secret } = this.#place
    // Only where there is something to ask: a pod's run, a help text need it not.
    const { AwsV4Signer } = await import('aws4fetch')
    const signer = new AwsV4Signer({
      ...{ url: url.href, method, region, service: 's3' },
      headers: { ...headers, 'x-amz-content-sha256': body?.sha256 ?? emptyDigest },
      ...{ accessKeyId: reveal(keyId), secretAccessKey: reveal(secret) },
    })
    const signed = Object.fromEntries((await signer.sign()).headers)
    const length = { 'content-length': String(body?.bytes ?? 0) }
    return new Promise((resolve, reject) => {
      const options = { method, agent: this.#agent, headers: { ...signed, ...length }, timeout: idleMs }
      const sent = (this.#isSecure ? secure : plain)(url, options, resolve)
      sent.on('timeout', () => sent.destroy(new Error(`nothing came in ${idleMs / 1000} seconds`)))
      sent.on('error', (error) => reject(this.#lost(error)))
      if (body === undefined) sent.end()
      else
        Readable.from(body.source)
          .on('error', (error) => sent.destroy(error))
          .pipe(sent)
    })
  }

  #urlOf(key: string | undefined, query: Readonly<Record<string, string>>): URL {
    const { endpoint, pathStyle, bucket } = this.#place
    const url = new URL(endpoint)
    if (!pathStyle) url.hostname = `${bucket}.${url.hostname}`
    const parts = key === undefined ? [] : key.split('/')
    // URLs leave their folder by such names, however they are written.
    if (parts.some((part) => part === '.' || part === '..'))
      throw new Failure('error', `bucket ${bucket}: ${JSON.stringify(key)} cannot be the name of an object`)
    const path = parts.map(encodePart).join('/')
    const before = url.pathname.replace(/\/$/, '')
    url.pathname = pathStyle ? `${before}/${bucket}${path === '' ? '' : `/${path}`}` : `${before}/${path}`
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    return url
  }
}

async function* whole(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

// SHA-256 of nothing.
const emptyDigest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

const encodePart = (part: string): string =>
  encodeURIComponent(part).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** The text of the first element of this name; empty where there is none. */
function element(xml: string, name: string): string {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? ''
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, named) => {
    if (named !== undefined) return entities[named] ?? whole
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))
  })
}

async function textOf(reply: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of reply) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
