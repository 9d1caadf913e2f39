import { Failure } from '@infra/shared/engine/failure'
import { Tally, type Total } from './tally.ts'

/** What is in a collection. */
export interface Collection extends Total {
  /** The names of its indexes, sorted. */
  readonly indexes: readonly string[]
}

export type Collections = Readonly<Record<string, Collection>>

// The archive format of mongodump (mongodb/mongo-tools, common/archive): a magic number; documents that tell what comes,
// the first about the dump, each other about a collection, and a terminator; then blocks of a header, which names the
// collection, its documents, and a terminator. After the last block of a collection comes a header that says EOF.
const magic = 0x8199e26d
const terminator = 0xffffffff
const largest = 17 << 20

/** Hears the stream of a dump, and knows at its end what was in it. */
export class DumpReader {
  #rest = Buffer.alloc(0)
  #state: 'magic' | 'about' | 'collections' | 'header' | 'documents' = 'magic'
  readonly #tallies = new Map<string, Tally>()
  readonly #indexes = new Map<string, readonly string[]>()
  readonly #open = new Set<string>()
  #current: { readonly name: string; readonly ended: boolean } | undefined

  /** Takes what comes next. Throws for what is no dump. */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (;;) {
      if (bytes.length - at < 4) break
      const word = bytes.readUInt32LE(at)
      if (this.#state === 'magic') {
        if (word !== magic) throw noDump('it does not begin as one')
        this.#state = 'about'
        at += 4
      } else if (word === terminator) {
        this.#terminate()
        at += 4
      } else {
        if (word < 5 || word > largest) throw noDump('a document in it is damaged')
        if (bytes.length - at < word) break
        this.#document(bytes.subarray(at, at + word))
        at += word
      }
    }
    this.#rest = Buffer.from(bytes.subarray(at))
  }

  /** What was in it. Throws when it is not whole. */
  end(): Collections {
    if (this.#rest.length > 0 || this.#state !== 'header' || this.#open.size > 0) throw noDump('it is cut off')
    const found = [...this.#tallies].map(([name, tally]) => [
      name,
      { ...tally.total(), indexes: this.#indexes.get(name) ?? [] },
    ])
    return Object.fromEntries(found)
  }

  #terminate(): void {
    if (this.#state === 'about') throw noDump('it does not say what it is')
    if (this.#state === 'header') throw noDump('a block without a name')
    if (this.#current?.ended) this.#open.delete(this.#current.name)
    this.#current = undefined
    this.#state = 'header'
  }

  #document(document: Buffer): void {
    if (this.#state === 'about') {
      this.#state = 'collections'
    } else if (this.#state === 'collections') {
      const { collection = '', metadata, type } = fieldsOf(document)
      // A dump of one database: its users and roles are no collections of it.
      this.#tallies.set(String(collection), new Tally())
      this.#indexes.set(String(collection), indexesOf(String(metadata ?? '')))
      // A view has no documents, and so no block.
      if (type !== 'view') this.#open.add(String(collection))
    } else if (this.#state === 'header') {
      const { collection, EOF } = fieldsOf(document)
      if (!this.#tallies.has(String(collection))) throw noDump(`it did not tell of ${String(collection)}`)
      this.#current = { name: String(collection), ended: EOF === true }
      this.#state = 'documents'
    } else {
      this.#tallies.get(this.#current?.name ?? '')?.add(document, document.length)
    }
  }
}

const noDump = (why: string): Failure => new Failure('error', `what came of MongoDB is not a whole dump: ${why}`)

/** Passes a dump on as it comes, while a reader hears it. */
export async function* heard(source: AsyncIterable<Buffer>, reader: DumpReader): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    reader.push(chunk)
    yield chunk
  }
}

function indexesOf(metadata: string): readonly string[] {
  try {
    const { indexes = [] } = JSON.parse(metadata) as { readonly indexes?: readonly { readonly name: string }[] }
    return indexes.map(({ name }) => name).sort()
  } catch {
    return []
  }
}

/** The texts and truth values of a BSON document (bsonspec.org), not of those in it. */
function fieldsOf(document: Buffer): Readonly<Record<string, string | boolean>> {
  const fields: Record<string, string | boolean> = {}
  for (let at = 4; at < document.length - 1; ) {
    const type = document.readUInt8(at)
    const end = document.indexOf(0, at + 1)
    if (end < 0) throw noDump('a document in it is damaged')
    const name = document.toString('utf8', at + 1, end)
    const value = end + 1
    if (type === 0x02) fields[name] = document.toString('utf8', value + 4, value + 3 + document.readInt32LE(value))
    if (type === 0x08) fields[name] = document.readUInt8(value) === 1
    at = value + sizeOf(type, document, value)
  }
  return fields
}

function sizeOf(type: number, document: Buffer, at: number): number {
  if (type === 0x02) return 4 + document.readInt32LE(at)
  if (type === 0x03 || type === 0x04) return document.readInt32LE(at)
  if (type === 0x08) return 1
  if (type === 0x0a) return 0
  if (type === 0x10) return 4
  if (type === 0x01 || type === 0x12) return 8
  throw noDump('a header in it is not understood')
}
