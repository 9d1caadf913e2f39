import { createHash } from 'node:crypto'
import { damaged } from './head.ts'
import { type Bytes, readTar, type TarEntry, tarEnd, tarHeader, tarPadding } from './tar.ts'

// What is inside the encryption: one tar archive, whose members are pieces of the parts (`database.000000`), since nobody
// knows how long a part will be; then manifest.json, and last SHA256SUMS of all of them, without which it is not whole.

/** Bytes of a piece: one is held in memory at a time. */
const pieceBytes = 8 << 20

const pieceForm = /^([a-z][a-z0-9_-]{0,40})\.\d{6}$/
const sumsName = 'SHA256SUMS'
export const manifestName = 'manifest.json'

/** Writes what is inside an archive, a part after the other. */
export class PartWriter {
  readonly #write: (bytes: Buffer) => Promise<void>
  readonly #made = new Date()
  #sums = ''

  /** `write` resolves when it takes more. */
  constructor(write: (bytes: Buffer) => Promise<void>) {
    this.#write = write
  }

  /** A part of unknown length. */
  async part(name: string, source: Bytes): Promise<void> {
    let [piece, held, index] = [[] as Buffer[], 0, 0]
    const flush = async () => {
      await this.#member(`${name}.${String(index).padStart(6, '0')}`, Buffer.concat(piece))
      ;[piece, held, index] = [[], 0, index + 1]
    }
    for await (const chunk of source) {
      piece.push(chunk)
      held += chunk.length
      if (held >= pieceBytes) await flush()
    }
    if (held > 0 || index === 0) await flush()
  }

  /** What the archive says of itself, and its end. */
  async end(manifest: unknown): Promise<void> {
    await this.#member(manifestName, Buffer.from(`${JSON.stringify(manifest)}\n`))
    await this.#member(sumsName, Buffer.from(this.#sums))
    await this.#write(tarEnd())
  }

  async #member(name: string, content: Buffer): Promise<void> {
    this.#sums += `${createHash('sha256').update(content).digest('hex')}  ${name}\n`
    await this.#write(tarHeader(name, content.length, this.#made))
    await this.#write(content)
    await this.#write(tarPadding(content.length))
  }
}

/** A part of an archive that is read, its pieces joined. */
export interface Part {
  readonly name: string
  content(): Bytes
}

/**
 * Reads what is inside an archive: gives each part to `take`, in order, and answers the text of its manifest. Throws for
 * what no backup holds, and for an archive whose list of contents is missing or says otherwise; `what` it is, for messages.
 */
export async function readParts(source: Bytes, what: string, take: (part: Part) => Promise<void>): Promise<string> {
  const entries = readTar(source, what)
  const sums = new Map<string, string>()
  const parts = new Set<string>()
  let manifest: string | undefined
  let listed: string | undefined
  let entry = await next(entries)
  const summed = async function* (of: TarEntry): Bytes & AsyncGenerator<Buffer> {
    if (!of.isFile || sums.has(of.name))
      throw damaged(what, `it holds ${JSON.stringify(of.name)}, which no backup does`)
    const digest = createHash('sha256')
    for await (const chunk of of.content()) {
      digest.update(chunk)
      yield chunk
    }
    sums.set(of.name, digest.digest('hex'))
  }
  while (entry !== undefined) {
    const name = pieceForm.exec(entry.name)?.[1]
    if (name !== undefined) {
      if (parts.has(name)) throw damaged(what, `it holds ${name} twice`)
      parts.add(name)
      const part = pieces(name)
      await take({ name, content: () => part })
      for await (const _ of part);
    } else {
      const text = await textOf(entry)
      if (entry.name === manifestName) manifest = text
      else listed = text
      entry = await next(entries)
    }
  }
  const expected = [...sums].filter(([name]) => name !== sumsName).map(([name, sum]) => `${sum}  ${name}\n`)
  if (listed === undefined || manifest === undefined) throw damaged(what, 'it ends before its list of contents')
  if (listed !== expected.join('')) throw damaged(what, 'its contents are not what its list says')
  return manifest

  async function* pieces(name: string): AsyncGenerator<Buffer> {
    while (entry !== undefined && pieceForm.exec(entry.name)?.[1] === name) {
      yield* summed(entry)
      entry = await next(entries)
    }
  }

  async function textOf(of: TarEntry): Promise<string> {
    if (![manifestName, sumsName].includes(of.name) || of.bytes > 100_000_000)
      throw damaged(what, `it holds ${JSON.stringify(of.name).slice(0, 200)}, which no backup does`)
    const chunks: Buffer[] = []
    for await (const chunk of summed(of)) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }
}

async function next(entries: AsyncGenerator<TarEntry>): Promise<TarEntry | undefined> {
  const { value, done } = await entries.next()
  return done ? undefined : value
}
