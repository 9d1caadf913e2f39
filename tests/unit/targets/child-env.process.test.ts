import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { groupEnv, signInEnv } from '@infra/shared/targets/child-env'
import { runLocal } from '@infra/shared/targets/process'
import { afterEach, describe, expect, it, test, vi } from 'vitest'
import { type CliOptions, runCli } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'

afterEach(() => vi.unstubAllEnvs())

const marker = 'of-somebody-elses-work'

test('a program gets what it needs to run, and nothing else that is exported here', async () => {
  for (const name of ['SOME_API_KEY', 'NPM_TOKEN', 'DISCORD_TOKEN', 'AWS_SECRET_ACCESS_KEY', 'PATHS', 'MY_PATH'])
    vi.stubEnv(name, marker)
  const passed = { LC_ALL: 'C', https_proxy: 'http://proxy:3128', SSH_AUTH_SOCK: '/run/agent', AWS_PROFILE: 'ops' }
  for (const [name, value] of Object.entries(passed)) vi.stubEnv(name, value)
  const { stdout } = await runLocal('env', '', { GIVEN: 'yes' })
  expect(stdout).not.toContain(marker)
  const seen = stdout.split('\n')
  for (const [name, value] of Object.entries({ ...passed, GIVEN: 'yes', PATH: process.env.PATH }))
    expect(seen).toContain(`${name}=${value}`)
})

test('what signs in to a cluster gets its own variables, and no other program does', () => {
  const env = { AWS_SESSION_TOKEN: 'a', CLOUDSDK_CONFIG: 'g', DIGITALOCEAN_ACCESS_TOKEN: 'd', DOCKER_HOST: 'h', X: 'x' }
  expect(signInEnv(env, '/usr/local/bin/aws')).toEqual({ AWS_SESSION_TOKEN: 'a' })
  expect(signInEnv(env, 'gke-gcloud-auth-plugin')).toEqual({ CLOUDSDK_CONFIG: 'g' })
  expect(signInEnv(env, 'something-else')).toEqual({})
  expect(signInEnv(env, undefined)).toEqual({})
  expect(groupEnv(env, 'images')).toEqual({ DOCKER_HOST: 'h' })
})

/** A program that keeps its environment, and that of the shell that started it where one did. */
const spy = (folder: string, name: string) => `#!/bin/sh
read -r parent </proc/$PPID/comm
{ cat /proc/$$/environ; [ "$parent" != sh ] || cat /proc/$PPID/environ; } >${folder}/${name}.$$
exit 1
`

describe('of a whole run', () => {
  const place = () => {
    const root = tempFolder()
    const bin = join(root, 'bin')
    const seen = join(root, 'seen')
    for (const folder of [bin, seen]) mkdirSync(folder)
    for (const name of ['ssh', 'kubectl', 'aws', 'doctl', 'ssh-keygen']) {
      writeFileSync(join(bin, name), spy(seen, name))
      chmodSync(join(bin, name), 0o755)
    }
    const env = { PATH: `${bin}:${process.env.PATH}`, SOME_API_KEY: marker, NPM_TOKEN: marker, HOME: root }
    const options: CliOptions = { root, env }
    const write = (name: string, values: Readonly<Record<string, string>>) =>
      writeFileSync(
        join(root, `.env.${name}`),
        Object.entries(values)
          .map(([variable, value]) => `${variable}='${value}'\n`)
          .join(''),
        { mode: 0o600 },
      )
    /** What the environments of all programs were that ran, by their names. */
    const environments = () =>
      readdirSync(seen).map((file) => [file.replace(/\..*/, ''), readFileSync(join(seen, file), 'utf8')] as const)
    return { root, options, write, environments }
  }

  it('kubectl gets no secret of Stoat and none that is exported', async () => {
    const { root, options, write, environments } = place()
    const config = {
      contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
      clusters: [{ name: 'one', cluster: { server: 'https://one.example.com' } }],
    }
    writeFileSync(join(root, 'kubeconfig'), JSON.stringify(config))
    const secrets = {
      ...{ STOAT_RABBITMQ_PASS: 'broker-of-the-test-8131', STOAT_MINIO_PASS: 'store-of-the-test-9242' },
      ...{ STOAT_REDIS_URL: 'redis://:redis-of-the-test-77@redis.example.com/' },
      ...{ DIGITALOCEAN_TOKEN: `dop_v1_${'0123456789abcdef'.repeat(4)}` },
    }
    write('stoat', {
      ...{ STOAT_DOMAIN: 'stoat.example.com', KUBECONFIG: join(root, 'kubeconfig'), KUBE_CONTEXT: 'one' },
      ...secrets,
    })
    await runCli('stoat', ['plan'], options)
    const found = environments()
    expect(found.map(([name]) => name)).toContain('kubectl')
    for (const [name, text] of found)
      for (const value of [marker, 'of-the-test', secrets.DIGITALOCEAN_TOKEN])
        expect(text.includes(value), `${value} in the environment of ${name}`).toBe(false)
  })

  it('ssh gets no secret of the pod and none that is exported', async () => {
    const { options, write, environments } = place()
    const secrets = Object.fromEntries(
      ['VALENCE_DB_PASSWORD', 'VALENCE_BOT_PASSWORD', 'SYNAPSE_ADMIN_PASSWORD'].map((name, index) => [
        name,
        `pod-secret-of-the-test-${index}-Xq7`,
      ]),
    )
    write('pod', {
      ...{ VALENCE_POD_IP: '203.0.113.9', VALENCE_DOMAIN: 'example.com', LETSENCRYPT_EMAIL: 'a@example.com' },
      ...{ SYNAPSE_REGISTRATION_SECRET: 'registration-secret-of-the-test-Xq7' },
      ...{
        SYNAPSE_MACAROON_SECRET: 'macaroon-secret-of-the-test-Xq7-31',
        SYNAPSE_FORM_SECRET: 'form-secret-of-the-test-Xq7-31',
      },
      ...{ OPENAI_API_KEY: 'sk-openai-of-the-test-0123456789abcdef0123456789' },
      VALENCE_SSH_PUBKEY:
        'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@example.com',
      ...secrets,
    })
    const ran = await runCli('pod', ['plan'], options)
    const found = environments()
    expect(
      found.map(([name]) => name),
      ran.stdout + ran.stderr,
    ).toContain('ssh')
    for (const [name, text] of found)
      for (const value of [marker, 'of-the-test']) expect(text.includes(value), `${value} in ${name}`).toBe(false)
  })
})
