import { reveal, secret } from '@infra/shared/command/secret'
import { sampleEnv } from '@infra/shared/env/sample'
import { describe, expect, it } from 'vitest'
import { hasBackupYoungerThan, lastBackup } from '../../../stoat/backup/last.ts'
import { fingerprint } from '../../../stoat/backup/manifest.ts'
import { backupSections } from '../../../stoat/backup/status.ts'
import { stoatSchema } from '../../../stoat/env/env.ts'

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
      ...{ bytes: 7, documents: 5, objects: 0, encryptionKey: '', vapidKey: '' },
    })
    expect(parse(answer(undefined))).toBeNull()
  })

  it('is unknown, not absent, where that cannot be read', () => {
    expect(() => parse({ code: 1, stdout: '', stderr: 'Error from server (Forbidden): no' })).toThrow(/Forbidden/)
    expect(() => parse(answer({ ...data, made: 'yesterday' }))).toThrow(/does not tell when/)
  })

  it('is shown by status, with the copies of the keys that data depends on', () => {
    const [encryption, vapid] = [secret(Buffer.alloc(32, 'k').toString('base64')), secret('v'.repeat(60))]
    const held = new Map([
      ['encryption_key', encryption],
      ['vapid_private_key', vapid],
    ])
    const last = parse(answer({ ...data, encryptionKey: fingerprint(encryption), vapidKey: 'of another' }))
    const env = { ...sampleEnv(stoatSchema), STOAT_ENCRYPTION_KEY: encryption, STOAT_VAPID_PRIVATE_KEY: undefined }
    const told = backupSections(env, { last, held }, Date.parse(data.made) + 3_600_000)
    expect(told.backup[1]).toEqual(['1 h 0 m ago', '7 B', '5', '0', 'ana@laptop:/b/a.tar.age'])
    expect(told.keys.slice(1)).toEqual([
      ['encryption_key', fingerprint(encryption), 'the environment, the newest backup'],
      ['vapid_private_key', fingerprint(vapid), expect.stringContaining('none: npm run show-keys')],
    ])
    expect(JSON.stringify(told)).not.toContain(reveal(encryption))
    expect(backupSections(env, { last: null, held: null }).backup[1]?.[0]).toBe('never')
  })

  it('is young for as many days as are asked for', () => {
    const last = parse(answer(data))
    const after = (days: number) => Date.parse(data.made) + days * 86_400_000
    expect(hasBackupYoungerThan(last, 2, after(2))).toBe(true)
    expect(hasBackupYoungerThan(last, 2, after(2) + 1)).toBe(false)
    expect(hasBackupYoungerThan(null, 2)).toBe(false)
  })
})
