import type { PodState } from '@infra/shared/facts/kubernetes/pods'
import { records } from '@infra/shared/report/table'
import { describe, expect, it } from 'vitest'
import { databaseRows, versionRows, volumeRows } from '../../../stoat/commands/versions.ts'
import { stoatEnv } from './env.ts'

const env = stoatEnv({ STOAT_IMAGES: 'next' })
const pod = (app: string, image: string, digest: string): PodState => ({
  ...{ name: `${app}-1`, app, state: 'Running', ready: true, restarts: 0, started: 1 },
  ...{ lostReadiness: false, images: [`${image.split(':')[0]}@sha256:${digest}`], askedImages: [image] },
})

describe('status', () => {
  it('tells of each program what is wanted and what runs', () => {
    const pods = [
      pod('stoat-api', 'ghcr.io/stoatchat/api:v0.13.8', 'aa'),
      pod('stoat-events', 'ghcr.io/stoatchat/events:v0.15.1', 'bb'),
      pod('stoat-minio-create-buckets', 'mc:1', 'cc'),
    ]
    const rows = records(versionRows(env, pods))
    expect(rows.find(({ name }) => name === 'stoat-api')).toEqual({
      ...{ name: 'stoat-api', wanted: 'ghcr.io/stoatchat/api:v0.15.1' },
      ...{ running: 'ghcr.io/stoatchat/api:v0.13.8', digest: 'sha256:aa' },
    })
    expect(rows.find(({ name }) => name === 'stoat-events')?.running).toBe('the same')
    expect(rows.find(({ name }) => name === 'stoat-web')).toMatchObject({ running: '', digest: '' })
    expect(rows.at(-1)).toMatchObject({ name: 'stoat-minio-create-buckets', wanted: '', running: 'mc:1' })
    expect(rows).toHaveLength(13)
  })

  it('tells what the database is, and why that is not known', () => {
    const state = { revision: 50, server: '7.0.14', compatibility: '7.0', auditLogs: false }
    const sizes = { database: 3 * 1024 ** 2, files: { count: 12, bytes: 5 * 1024 ** 3 } }
    const row = (...of: [Parameters<typeof databaseRows>[1], Parameters<typeof databaseRows>[2]]) =>
      databaseRows(env, ...of)[1]
    expect(row(state, sizes)).toEqual(['50', '52', '7.0.14', '7.0', '3.0 MB', '12', '5.0 GB'])
    expect(row(state, { unread: 'late' })).toEqual(['50', '52', '7.0.14', '7.0', '', '', ''])
    expect(row({ unread: 'refused' }, 'absent')?.[0]).toBe('not read: refused')
    expect(row('absent', 'absent')?.[0]).toBe('no MongoDB')
  })

  it('tells what of the volumes is used', () => {
    const claims = [
      { name: 'data-a', app: 'a', size: '10Gi' },
      { name: 'data-b', app: 'b', size: '5Gi' },
    ]
    const room = new Map([['data-a', { capacity: 10 * 1024 ** 3, available: 8 * 1024 ** 3, outOfInodes: false }]])
    expect(volumeRows(claims, room).slice(1)).toEqual([
      ['data-a', '10Gi', '2.0 GB', '8.0 GB'],
      ['data-b', '5Gi', '', ''],
    ])
    expect(volumeRows(claims, { untried: 'forbidden' })[1]).toEqual(['data-a', '10Gi', '', ''])
  })
})
