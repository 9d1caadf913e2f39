import { describe, expect, it } from 'vitest'
import { differing } from '../../../stoat/backup/archive.ts'
import { DumpReader } from '../../../stoat/backup/dump.ts'
import { bson, dumpOf } from './dumps.ts'

const notes = Array.from({ length: 5 }, (_, index) => bson({ _id: index, text: `grüße ${index}` }))
const collections = { notes, users: [bson({ _id: 'u' })], empty: [] }

const read = (dump: Buffer, step = dump.length) => {
  const reader = new DumpReader()
  for (let at = 0; at < dump.length; at += step) reader.push(dump.subarray(at, at + step))
  return reader.end()
}

describe('the dump of a database', () => {
  it('tells how many documents each collection has, however it is cut into pieces', () => {
    const whole = read(dumpOf(collections))
    for (const step of [1, 3, 7, 64]) expect(read(dumpOf(collections), step)).toEqual(whole)
    expect(Object.entries(whole).map(([name, { count, indexes }]) => [name, count, indexes])).toEqual([
      ['notes', 5, ['_id_']],
      ['users', 1, ['_id_']],
      ['empty', 0, ['_id_']],
      ['a view', 0, []],
    ])
  })

  it('has the same digest in any order of its documents, and another for any other document', () => {
    const whole = read(dumpOf(collections))
    expect(read(dumpOf({ ...collections, notes: [...notes].reverse() }))).toEqual(whole)
    const other = read(dumpOf({ ...collections, notes: [...notes.slice(1), bson({ _id: 0, text: 'grüße 1' })] }))
    expect(differing(whole, other)).toEqual(['notes: other documents'])
    expect(differing(whole, read(dumpOf({ notes, empty: [] })))).toEqual(['users: 0 documents instead of 1'])
    expect(differing(whole, whole)).toEqual([])
  })

  it('is refused where it is cut off, wherever that is', () => {
    const dump = dumpOf(collections)
    for (let length = 0; length < dump.length; length += 1)
      expect(() => read(dump.subarray(0, length), 64), String(length)).toThrow(/not a whole dump/)
  })

  it.each([
    ['something else', Buffer.from('hello, world'), /does not begin as one/],
    ['a document of no size', Buffer.concat([dumpOf({}), Buffer.from([1, 0, 0, 0])]), /damaged/],
  ])('is refused where it is %s', (_, bytes, says) => {
    expect(() => read(bytes)).toThrow(says)
  })
})
