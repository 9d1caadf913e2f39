import { damaged } from './head.ts'

/** A source of bytes, a piece at a time. */
export type Bytes = AsyncIterable<Buffer>

const block = 512

/** An entry of a tar archive that is read. Its content must be read to its end before the next one is asked for. */
export interface TarEntry {
  readonly name: string
  readonly bytes: number
  /** Neither a folder nor a link. */
  readonly isFile: boolean
  content(): Bytes
}

/**
 * The header of a file in a tar archive (POSIX.1-2001, ustar with pax records where a name or size needs them). What follows
 * is its content, and {@link tarPadding}.
 */
export function tarHeader(name: string, bytes: number, madeAt: Date): Buffer {
  const isPlain = /^[\x20-\x7e]{1,99}$/.test(name) && bytes < 8 ** 11
  if (isPlain) return header(name, bytes, madeAt, '0')
  const records = Buffer.from(record('path', name) + (bytes < 8 ** 11 ? '' : record('size', String(bytes))))
  const extended = [header('pax', records.length, madeAt, 'x'), records, tarPadding(records.length)]
  return Buffer.concat([...extended, header('file', bytes < 8 ** 11 ? bytes : 0, madeAt, '0')])
}

/** What fills the last block of a content. */
export const tarPadding = (bytes: number): Buffer => Buffer.alloc((block - (bytes % block)) % block)

/** What ends an archive. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * block)

// `LENGTH KEY=VALUE\n`, where the length counts itself.
function record(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + String(rest).length
  if (String(length).length + rest !== length) length = rest + String(length).length
  return `${length} ${key}=${value}\n`
}

function header(name: string, bytes: number, madeAt: Date, type: '0' | 'x'): Buffer {
  const head = Buffer.alloc(block)
  const octal = (at: number, width: number, value: number) =>
    head.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1')
  head.write(name, 0, 'latin1')
  octal(100, 8, 0o600)
  octal(108, 8, 0)
  octal(116, 8, 0)
  octal(124, 12, bytes)
  octal(136, 12, Math.floor(madeAt.getTime() / 1000))
  head.write(`        ${type}`, 148, 'latin1')
  head.write('ustar\x0000', 257, 'latin1')
  const sum = head.reduce((total, byte) => total + byte, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return head
}

/** Reads a stream by as many bytes as are wanted. */
class Reader {
  readonly #source: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(source: Bytes) {
    this.#source = source[Symbol.asyncIterator]()
  }

  async #more(): Promise<boolean> {
    if (this.#rest.length > 0) return true
    const { value, done } = await this.#source.next()
    if (done) return false
    this.#rest = value
    return this.#rest.length > 0 || this.#more()
  }

  /** The next bytes, as they come: so many in all. Throws where the stream ends before. */
  async *take(bytes: number, what: string): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0; ) {
      if (!(await this.#more())) throw damaged(what, 'it ends in the middle')
      const piece = this.#rest.subarray(0, left)
      this.#rest = this.#rest.subarray(piece.length)
      left -= piece.length
      yield piece
    }
  }

  async whole(bytes: number, what: string): Promise<Buffer> {
    const pieces: Buffer[] = []
    for await (const piece of this.take(bytes, what)) pieces.push(piece)
    return Buffer.concat(pieces)
  }

  async drain(): Promise<void> {
    while (await this.#more()) this.#rest = Buffer.alloc(0)
  }
}

/** The entries of a tar archive in order, up to its end. `what` it is, for messages; throws for one that is cut off. */
export async function* readTar(source: Bytes, what: string): AsyncGenerator<TarEntry> {
  const reader = new Reader(source)
  let records: ReadonlyMap<string, string> = new Map()
  for (;;) {
    const head = await reader.whole(block, what)
    if (head.every((byte) => byte === 0)) break
    assertSum(head, what)
    const size = Number.parseInt(head.toString('latin1', 124, 136), 8)
    const type = head.toString('latin1', 156, 157)
    if (type === 'x') {
      if (size > 1 << 20) throw damaged(what, 'one of its names is too long')
      records = recordsOf(await reader.whole(size, what))
      await reader.whole(tarPadding(size).length, what)
      continue
    }
    const bytes = Number(records.get('size') ?? size)
    const name = records.get('path') ?? head.toString('latin1', 0, 100).replace(/\0.*$/s, '')
    records = new Map()
    let rest: Bytes | undefined = reader.take(bytes, what)
    yield {
      name,
      bytes,
      isFile: type === '0',
      content: () => {
        if (rest === undefined) throw new Error(`tar: ${name} is read twice`)
        const content = rest
        rest = undefined
        return content
      },
    }
    // Nobody wanted it.
    if (rest !== undefined) for await (const _ of rest);
    await reader.whole(tarPadding(bytes).length, what)
  }
  await reader.drain()
}

function assertSum(head: Buffer, what: string): void {
  const told = Number.parseInt(head.toString('latin1', 148, 156), 8)
  const sum = head.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
  if (told !== sum) throw damaged(what, 'it is no tar archive')
}

function recordsOf(text: Buffer): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (let at = 0; at < text.length; ) {
    const length = Number.parseInt(text.toString('latin1', at, at + 20), 10)
    if (!(length > 0)) break
    const [, key = '', value = ''] = text.toString('utf8', at, at + length - 1).match(/^\d+ ([^=]*)=(.*)$/s) ?? []
    found.set(key, value)
    at += length
  }
  return found
}
