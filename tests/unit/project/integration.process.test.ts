import { spawnSync } from 'node:child_process'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { folder, podFile } from '../env/place.ts'

const hasPsql = !spawnSync('psql', ['--version']).error

describe('the integration tests of the database are skipped', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })
  test.each([
    ['where nothing names one', {}, /^neither VKB_DB_HOST nor VALENCE_DB_PASSWORD is set$/],
    [
      'where only the password is set, and no database is here',
      { VALENCE_DB_PASSWORD: 'hush' },
      hasPsql ? /^VKB_DB_HOST is not set, and localhost says: .*port 1 failed: Connection refused/ : /^no psql/,
    ],
    ['nowhere else', { VKB_DB_HOST: 'localhost' }, hasPsql ? undefined : /^no psql/],
  ])('%s', async (_, env, says) => {
    const all = { VKB_DB_HOST: undefined, VALENCE_DB_PASSWORD: undefined, VKB_DB_PORT: '1', ...env }
    for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value)
    vi.stubEnv('INFRA_ROOT', folder())
    vi.resetModules()
    const { databaseSkip } = await import('../../integration/local-database.ts')
    if (says) expect(databaseSkip).toMatch(says)
    else expect(databaseSkip).toBeUndefined()
  })
})

describe('what the integration tests run against', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })
  const read = async (file: string | undefined, own: Record<string, string> = {}) => {
    vi.stubEnv('INFRA_ROOT', folder(file === undefined ? {} : { '.env.pod': file }))
    for (const name of ['VALENCE_POD_IP', 'VALENCE_DOMAIN']) vi.stubEnv(name, own[name])
    vi.resetModules()
    return (await import('../../integration/environment.ts')).environment
  }

  test('stands in .env.pod, as for every command; what is sourced wins', async () => {
    const file = podFile({ VALENCE_POD_IP: '203.0.113.7', VALENCE_DOMAIN: 'pod.example.org' })
    expect(await read(file)).toMatchObject({ VALENCE_POD_IP: '203.0.113.7', VALENCE_DOMAIN: 'pod.example.org' })
    expect(await read(file, { VALENCE_POD_IP: '203.0.113.8' })).toMatchObject({ VALENCE_POD_IP: '203.0.113.8' })
    expect((await read(undefined)).VALENCE_POD_IP).toBeUndefined()
  })
})
