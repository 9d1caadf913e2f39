const word = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** A BSON document of texts, whole numbers and truth values (bsonspec.org). */
export function bson(fields: Readonly<Record<string, string | number | boolean>>): Buffer {
  const elements = Object.entries(fields).map(([name, value]) => {
    const head = (type: number) => Buffer.concat([Buffer.from([type]), Buffer.from(`${name}\0`)])
    if (typeof value === 'string')
      return Buffer.concat([head(2), word(Buffer.byteLength(value) + 1), Buffer.from(`${value}\0`)])
    if (typeof value === 'boolean') return Buffer.concat([head(8), Buffer.from([value ? 1 : 0])])
    return Buffer.concat([head(16), word(value)])
  })
  const body = Buffer.concat(elements)
  return Buffer.concat([word(body.length + 5), body, Buffer.from([0])])
}

const end = word(0xffffffff)

const header = (collection: string, EOF: boolean) => bson({ db: 'revolt', collection, EOF, CRC: 0 })

/** A dump as mongodump writes it: the collections by turns, each with its documents in two blocks. */
export function dumpOf(collections: Readonly<Record<string, readonly Buffer[]>>): Buffer {
  const about = bson({ concurrent_collections: 4, version: '0.1', server_version: '7.0.0', tool_version: '100.12.2' })
  const names = Object.keys(collections)
  const told = names.map((collection) => {
    const metadata = JSON.stringify({
      indexes: [{ v: 2, key: { _id: 1 }, name: '_id_' }],
      uuid: '0',
      type: 'collection',
    })
    return bson({ db: 'revolt', collection, metadata, size: 0, type: 'collection' })
  })
  const view = bson({ db: 'revolt', collection: 'a view', metadata: '{}', size: 0, type: 'view' })
  const half = (list: readonly Buffer[], second: boolean) => {
    const middle = Math.ceil(list.length / 2)
    return second ? list.slice(middle) : list.slice(0, middle)
  }
  const blocks = [false, true].flatMap((second) =>
    names.flatMap((name) => [header(name, false), ...half(collections[name] ?? [], second), end]),
  )
  const ends = names.flatMap((name) => [header(name, true), end])
  return Buffer.concat([word(0x8199e26d), about, ...told, view, end, ...blocks, ...ends])
}
