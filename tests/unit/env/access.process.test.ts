import { loadEnv } from '@infra/shared/env/load'
import { describe, expect, test } from 'vitest'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { podSchema } from '../../../pod/env/env.ts'
import { runCli } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'

const load = (processEnv: Record<string, string>, also?: string[]) =>
  loadEnv({ schema: podSchema, root: tempFolder(), processEnv, purpose: 'access', also })

describe('to get in', () => {
  test('an address is enough, and what is not needed may be missing or wrong', () => {
    const { env, problems } = load({ VALENCE_POD_IP: '203.0.113.9', VALENCE_DB_PASSWORD: 'weak' })
    expect([problems, env?.VALENCE_POD_IP]).toEqual([undefined, '203.0.113.9'])
    expect(
      loadEnv({ schema: clusterSchema, root: tempFolder(), processEnv: {}, purpose: 'access' }).problems,
    ).toBeUndefined()
  })

  test.each<[string, Record<string, string>, string[], string]>([
    ['the address', {}, [], 'VALENCE_POD_IP is not set, and this command needs it'],
    [
      'a port that is one',
      { VALENCE_POD_IP: '203.0.113.9', VALENCE_SSH_PORT: '0' },
      [],
      'VALENCE_SSH_PORT is not a port from 1 to 65535',
    ],
    ['what a command names', { VALENCE_POD_IP: '203.0.113.9' }, ['VALENCE_DOMAIN'], 'VALENCE_DOMAIN is not set'],
  ])('it takes %s', (_name, env, also, problem) => {
    expect(load(env, also).problems?.map(({ variable, message }) => `${variable} ${message}`)).toEqual([problem])
  })

  test.each([['ssh', 'true'], ['logs', 'nginx'], ['unlock'], ['psql', 'select 1']])(
    '%s wants no more',
    async (...words) => {
      // Nothing listens there.
      const env = { VALENCE_POD_IP: '127.0.0.1', VALENCE_SSH_PORT: '1' }
      const { code, stderr } = await runCli('pod', words, { root: tempFolder(), env })
      expect([code, stderr]).toEqual([4, expect.stringContaining('refuses the connection')])
    },
  )
})
