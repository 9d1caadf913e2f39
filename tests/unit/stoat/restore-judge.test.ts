import { secret } from '@infra/shared/command/secret'
import type { Failure } from '@infra/shared/engine/failure'
import { sampleEnv } from '@infra/shared/env/sample'
import { describe, expect, it } from 'vitest'
import { type Found, judgeRestore, keysToTake, sayReplaced } from '../../../stoat/backup/judge.ts'
import { fingerprint, type Manifest } from '../../../stoat/backup/manifest.ts'
import { type StoatEnv, stoatSchema } from '../../../stoat/env/env.ts'

const key = (text: string) => secret(Buffer.alloc(32, text).toString('base64'))
const keys = { encryption: key('e'), vapid: key('v') }
const env: StoatEnv = {
  ...{ ...sampleEnv(stoatSchema), STOAT_DOMAIN: 'stoat.example.com', STOAT_IMAGES: 'stoat' },
  ...{ STOAT_ENCRYPTION_KEY: undefined, STOAT_VAPID_PRIVATE_KEY: undefined },
}
const manifest: Manifest = {
  ...{ format: 1, domain: 'stoat.example.com', made: '2026-11-24T15:30:00Z', release: 'stoat', revision: 50 },
  ...{ mongodb: '7.0.14', database: {}, canary: null, keys: { encryption: '', vapid: '' } },
  files: { bucket: 'revolt-uploads', count: 0, bytes: 0, sha256: '' },
}
const found: Found = { database: { version: '7.0.1', revision: 50, documents: 0 }, objects: 0, held: new Map() }

const judged = (change: { manifest?: Partial<Manifest>; found?: Partial<Found>; env?: Partial<StoatEnv> }) => {
  try {
    judgeRestore({ ...manifest, ...change.manifest }, keys, { ...found, ...change.found }, { ...env, ...change.env })
    return 'it is restored'
  } catch (error) {
    const { message, remedy } = error as Failure
    return `${message}. ${remedy}`
  }
}

describe('what is restored', () => {
  it.each<[what: string, change: Parameters<typeof judged>[0], says: RegExp]>([
    ['its own backup', {}, /it is restored/],
    ['one of an older release', { manifest: { release: 'revolt', revision: 48 } }, /it is restored/],
    ['one of an older MongoDB', { manifest: { mongodb: '6.0.1' } }, /it is restored/],
    ['one with the keys that the environment names', { env: { STOAT_ENCRYPTION_KEY: key('e') } }, /it is restored/],
    [
      'one of a newer release',
      { manifest: { release: 'next', revision: 52 } },
      /revision 52.* 50 at most.*nothing was changed\. .*STOAT_IMAGES=next/,
    ],
    ['one of a newer MongoDB', { manifest: { mongodb: '8.0.1' } }, /of MongoDB 8\.0\.1, the cluster has 7\.0\.1/],
    ['one of another domain', { manifest: { domain: 'b.example.com' } }, /of b\.example\.com, this Stoat is stoat\.ex/],
    ['one of another bucket', { env: { STOAT_S3_BUCKET: 'other' } }, /bucket revolt-uploads.*STOAT_S3_BUCKET is other/],
    [
      'one with another key than the environment names',
      { env: { STOAT_ENCRYPTION_KEY: key('x') } },
      new RegExp(`${fingerprint(key('x'))}.*${fingerprint(key('e'))}.*Take STOAT_ENCRYPTION_KEY out`),
    ],
  ])('%s', (_, change, says) => {
    expect(judged(change)).toMatch(says)
  })

  it('brings its keys along, where the cluster has others', () => {
    const held = new Map([
      ['encryption_key', key('e')],
      ['vapid_private_key', key('x')],
    ])
    expect(keysToTake(keys, held)).toEqual([
      `vapid_private_key ${fingerprint(key('v'))} instead of ${fingerprint(key('x'))}`,
    ])
    expect(keysToTake(keys, null)).toHaveLength(2)
  })

  it('is asked for only where somebody would miss what is there', () => {
    expect(sayReplaced(found)).toBeUndefined()
    expect(sayReplaced({ ...found, objects: 3 })).toBe('0 documents and 3 files')
  })
})
