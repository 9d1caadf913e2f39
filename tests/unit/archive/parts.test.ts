import { PartWriter, readParts } from '@infra/shared/archive/parts'
import { readTar, tarEnd, tarHeader, tarPadding } from '@infra/shared/archive/tar'
import { describe, expect, it } from 'vitest'

const now = new Date('2026-11-24T15:30:00Z')

/** Bytes as a stream gives them: in pieces that end anywhere. */
async function* stream(bytes: Buffer, step = 777): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
}

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const file = (name: string, content: Buffer) =>
  Buffer.concat([tarHeader(name, content.length, now), content, tarPadding(content.length)])

describe('a tar archive', () => {
  it('holds names of any length and alphabet', async () => {
    const names = ['a', 'ü/ß', 'x'.repeat(99), 'y'.repeat(100), 'z'.repeat(3000), 'a b\n"c']
    const made = Buffer.concat([...names.map((name) => file(name, Buffer.from(name))), tarEnd()])
    const found: string[] = []
    for await (const { name, content } of readTar(stream(made), 'it')) {
      expect((await collect(content())).toString()).toBe(name)
      found.push(name)
    }
    expect(found).toEqual(names)
  })

  it('passes over what nobody reads, and holds nothing to read twice', async () => {
    const made = Buffer.concat([file('a', Buffer.alloc(5000)), file('b', Buffer.from('b')), tarEnd()])
    const found: string[] = []
    for await (const { name } of readTar(stream(made), 'it')) found.push(name)
    expect(found).toEqual(['a', 'b'])
  })

  it.each([
    ['that is cut off', (made: Buffer) => made.subarray(0, 700), /ends in the middle/],
    ['without an end', (made: Buffer) => made.subarray(0, made.length - 1024), /ends in the middle/],
    ['that is none', (made: Buffer) => Buffer.concat([Buffer.from('x'), made.subarray(1)]), /no tar archive/],
  ])('%s is refused', async (_, damage, says) => {
    const made = damage(Buffer.concat([file('a', Buffer.from('a'.repeat(900))), tarEnd()]))
    await expect(
      (async () => {
        for await (const { content } of readTar(stream(made), 'it')) await collect(content())
      })(),
    ).rejects.toThrow(says)
  })
})

describe('the parts of an archive', () => {
  const parts = { database: Buffer.alloc(20_000_000, 'abc'), files: Buffer.alloc(0), keys: Buffer.from('k') }
  const write = async (): Promise<Buffer> => {
    const written: Buffer[] = []
    const writer = new PartWriter(async (bytes) => void written.push(bytes))
    for (const [name, content] of Object.entries(parts)) await writer.part(name, stream(content, 1 << 20))
    await writer.end({ format: 1 })
    return Buffer.concat(written)
  }
  const read = async (bytes: Buffer) => {
    const found: Record<string, Buffer> = {}
    const manifest = await readParts(stream(bytes, 1 << 16), 'it', async ({ name, content }) => {
      found[name] = await collect(content())
    })
    return { found, manifest: JSON.parse(manifest) }
  }

  it('come back whole, in order, though they were cut into pieces', async () => {
    const { found, manifest } = await read(await write())
    expect(Object.keys(found)).toEqual(['database', 'files', 'keys'])
    expect([found.database?.equals(parts.database), found.files?.length, String(found.keys)]).toEqual([true, 0, 'k'])
    expect(manifest).toEqual({ format: 1 })
  })

  it('are passed over where nobody takes them', async () => {
    expect(JSON.parse(await readParts(stream(await write()), 'it', async () => {}))).toEqual({ format: 1 })
  })

  const sums = async (made: Buffer) => made.lastIndexOf('SHA256SUMS')
  it.each<[what: string, damage: (made: Buffer) => Promise<Buffer>, says: RegExp]>([
    [
      'another byte',
      async (made) => {
        const copy = Buffer.from(made)
        copy[5000] = 0
        return copy
      },
      /contents are not what its list says/,
    ],
    [
      'no list of contents',
      async (made) => Buffer.concat([made.subarray(0, await sums(made)), tarEnd()]),
      /ends before its list of contents/,
    ],
    ['one piece less', async (made) => made.subarray(512 + (8 << 20)), /contents are not what its list says/],
    [
      'what no backup holds',
      async (made) => Buffer.concat([file('../out', Buffer.from('x')), made]),
      /holds "\.\.\/out", which no backup does/,
    ],
    [
      'a part twice',
      async (made) => {
        const again = file('database.000009', Buffer.from('x'))
        return Buffer.concat([made.subarray(0, await sums(made)), again, made.subarray(await sums(made))])
      },
      /holds database twice/,
    ],
  ])('with %s are refused', async (_, damage, says) => {
    await expect(read(await damage(await write()))).rejects.toThrow(says)
  })
})
