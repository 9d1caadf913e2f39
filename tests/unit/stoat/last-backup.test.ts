import { describe, expect, it } from 'vitest'
import { hasBackupYoungerThan, lastBackup } from '../../../stoat/backup/last.ts'

const answer = (data: Readonly<Record<string, string>> | undefined) => ({
  code: 0,
  stdout: data === undefined ? '' : JSON.stringify({ data }),
  stderr: '',
})
const { parse } = lastBackup()
const data = { made: '2026-11-20T10:00:00.000Z', name: 'a.tar.age', place: 'ana@laptop:/b', bytes: '7', documents: '5' }

describe('the last backup', () => {
  it('is what the cluster remembers', () => {
    expect(parse(answer(data))).toEqual({
      ...{ at: Date.parse(data.made), name: 'a.tar.age', place: 'ana@laptop:/b' },
      ...{ bytes: 7, documents: 5, objects: 0, encryptionKey: '' },
    })
    expect(parse(answer(undefined))).toBeNull()
  })

  it('is unknown, not absent, where that cannot be read', () => {
    expect(() => parse({ code: 1, stdout: '', stderr: 'Error from server (Forbidden): no' })).toThrow(/Forbidden/)
    expect(() => parse(answer({ ...data, made: 'yesterday' }))).toThrow(/does not tell when/)
  })

  it('is young for as many days as are asked for', () => {
    const last = parse(answer(data))
    const after = (days: number) => Date.parse(data.made) + days * 86_400_000
    expect(hasBackupYoungerThan(last, 2, after(2))).toBe(true)
    expect(hasBackupYoungerThan(last, 2, after(2) + 1)).toBe(false)
    expect(hasBackupYoungerThan(null, 2)).toBe(false)
  })
})
