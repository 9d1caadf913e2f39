import { open } from '@infra/shared/cli/session'
import { loadEnv } from '@infra/shared/env/load'
import { describe, expect, test } from 'vitest'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { type PodEnv, podSchema } from '../../../pod/env/env.ts'
import podWorkspace from '../../../pod/pod.ts'
import { runCli } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'

const load = (processEnv: Record<string, string>, also?: string[]) =>
  loadEnv({ schema: podSchema, root: tempFolder(), processEnv, purpose: 'access', command: 'ssh', also })

describe('to get in', () => {
  test('an address is enough, and what is not needed may be missing or wrong', () => {
    const { env, problems } = load({ VALENCE_POD_IP: '203.0.113.9', VALENCE_DB_PASSWORD: 'weak' })
    expect([problems, env?.VALENCE_POD_IP]).toEqual([undefined, '203.0.113.9'])
    expect(
      loadEnv({ schema: clusterSchema, root: tempFolder(), processEnv: {}, purpose: 'access' }).problems,
    ).toBeUndefined()
  })

  test('of the rules those count that say whom it gets in to', () => {
    const processEnv = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', BOT_AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE' }
    const { problems } = loadEnv({ schema: clusterSchema, root: tempFolder(), processEnv, purpose: 'access' })
    expect(problems?.map(({ variable }) => variable)).toEqual(['AWS_ACCESS_KEY_ID'])
  })

  test('a command that uses what it did not ask for ends by that, with no sample in its place', () => {
    const opened = (also: string[], more: Record<string, string> = {}) =>
      open(
        {
          ...{ workspace: podWorkspace, command: 'ssh', npm: 'deploy', root: tempFolder() },
          ...{ options: {}, workspaceOptions: {}, args: [], cleanup: [], emit: () => {} },
          processEnv: { VALENCE_POD_IP: '127.0.0.1', VALENCE_DB_PASSWORD: 'weak', ...more },
          signals: { hold() {}, release() {}, stopping: () => false, code: () => undefined, close() {} },
        },
        'access',
        also,
      ).env as PodEnv
    expect(opened([]).VALENCE_SSH_USER).toBe('root')
    expect(() => opened([]).VALENCE_DOMAIN).toThrow('the environment of pod has 1 problem')
    expect(() => opened([]).VALENCE_DB_PASSWORD).toThrow('the environment of pod has 1 problem')
    expect(() => opened(['VALENCE_DOMAIN'])).toThrow('the environment of pod has 1 problem')
    // A file that is on another machine; the port it connects to.
    expect(opened([], { VALENCE_CA_FILE: '/nope' }).VALENCE_POD_IP).toBe('127.0.0.1')
    expect(() => opened([], { VALENCE_SSH_PORT: '0' })).toThrow('the environment of pod has 1 problem')
  })

  test.each<[string, Record<string, string>, string[], string]>([
    ['the address', {}, [], 'VALENCE_POD_IP is not set, and ssh needs it'],
    [
      'what a command names',
      { VALENCE_POD_IP: '203.0.113.9' },
      ['VALENCE_DOMAIN'],
      'VALENCE_DOMAIN is not set, and ssh needs it',
    ],
  ])('it takes %s', (_name, env, also, problem) => {
    expect(load(env, also).problems?.map(({ variable, message }) => `${variable} ${message}`)).toEqual([problem])
  })

  // Nothing listens at port 1.
  test.each<[string, number, string]>([
    ['1', 4, 'refuses the connection'],
    ['0', 1, 'VALENCE_SSH_PORT is not a port from 1 to 65535'],
  ])('ssh to port %s', async (VALENCE_SSH_PORT, exit, said) => {
    const env = { VALENCE_POD_IP: '127.0.0.1', VALENCE_SSH_PORT }
    const { code, stderr } = await runCli('pod', ['ssh', 'true'], { root: tempFolder(), env })
    expect([code, stderr]).toEqual([exit, expect.stringContaining(said)])
  })
})
