import { loadEnv } from '@infra/shared/env/load'
import { describe, expect, test } from 'vitest'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { loadPod, wrongs } from './load-pod.ts'
import { folder, podFile } from './place.ts'

const production = {
  VALENCE_POD_IP: '203.0.113.10',
  VALENCE_DOMAIN: 'pod.example.org',
  VALENCE_DB_PASSWORD: 'dbProductionLwX2mTr7Vn',
  VALENCE_TIMEZONE: 'Asia/Tokyo',
}
const staging = {
  VALENCE_POD_IP: '203.0.113.99',
  VALENCE_DOMAIN: 'staging.example.org',
  VALENCE_DB_PASSWORD: 'dbStagingK9LwX2mTr7Vn',
}
const files = { '.env.pod': podFile(production), '.env.pod.staging': podFile(staging) }

const mixed = (processEnv: Record<string, string>, name?: string, purpose?: 'access' | 'plan') =>
  loadPod(files, { processEnv, ...(name && { name }), ...(purpose && { purpose }) })

describe('a shell that has sourced the file of another environment', () => {
  test.each([
    ['plan', 'VALENCE_POD_IP'],
    ['access', 'VALENCE_POD_IP'],
    ['plan', 'VALENCE_DB_PASSWORD'],
  ] as const)('is refused (%s, %s), with what to unset and no value', (purpose, name) => {
    const loaded = mixed({ [name]: production[name], VALENCE_TIMEZONE: 'Asia/Tokyo' }, 'staging', purpose)
    expect(wrongs(loaded)).toEqual([
      `${name} has the value of .env.pod in this shell, not that of .env.pod.staging (1 more as well)`,
    ])
    expect(loaded.problems?.[0]?.remedy).toMatch(/^this shell has sourced it: unset /)
    expect(loaded.problems?.[0]?.remedy?.split(': unset ')[1]?.split(' ').sort()).toEqual(
      [name, 'VALENCE_TIMEZONE'].sort(),
    )
    expect(JSON.stringify(loaded.problems)).not.toContain(production[name])
  })

  test('is refused where the named file leaves the address out: a new host is meant', () => {
    const { VALENCE_POD_IP: _, ...rest } = staging
    const named = { ...files, '.env.pod.staging': podFile({ ...rest, VALENCE_POD_IP: '' }) }
    const loaded = loadPod(named, { processEnv: { VALENCE_POD_IP: '203.0.113.10' }, name: 'staging', purpose: 'plan' })
    expect(wrongs(loaded)).toEqual([
      'VALENCE_POD_IP has the value of .env.pod in this shell, not that of .env.pod.staging',
    ])
  })

  test('is refused the other way round as well', () => {
    expect(wrongs(mixed({ VALENCE_POD_IP: staging.VALENCE_POD_IP }))).toEqual([
      'VALENCE_POD_IP has the value of .env.pod.staging in this shell, not that of .env.pod',
    ])
  })

  test('is told where it has neither its place nor its secrets', () => {
    const loaded = mixed({ VALENCE_TIMEZONE: 'Asia/Tokyo' }, 'staging')
    expect(wrongs(loaded)).toEqual([])
    expect(loaded.warnings.map(({ variable, message }) => `${variable} ${message}`)).toEqual([
      'VALENCE_TIMEZONE has the value of .env.pod in this shell, not that of .env.pod.staging',
    ])
  })

  test.each([
    ['its own file', production, undefined],
    ['the named file', staging, 'staging'],
    ['no file', { VALENCE_POD_IP: '198.51.100.50' }, 'staging'],
  ])('is none with the values of %s', (_, processEnv, name) => {
    expect(wrongs(mixed(processEnv, name))).toEqual([])
  })
})

describe('two environments of one host', () => {
  const onOneHost = (second: Record<string, string>, file = '.env.pod.staging', name = 'staging') =>
    loadPod(
      { '.env.pod': podFile(production), '.env.pod.staging': podFile(second), [file]: podFile(second) },
      { name, purpose: 'deploy' },
    )
  const there = { ...staging, VALENCE_POD_IP: production.VALENCE_POD_IP }

  test('are refused: each would deploy over the other', () => {
    expect(wrongs(onOneHost(there))).toEqual([
      'VALENCE_POD_IP is the same in .env.pod, which has other secrets: each would deploy over the other',
    ])
  })

  test('are no trouble to whoever looks at it', () => {
    const both = { '.env.pod': podFile(production), '.env.pod.staging': podFile(there) }
    expect(wrongs(loadPod(both, { name: 'staging', purpose: 'access' }))).toEqual([])
  })

  test('a renamed file, with the same secrets, is the same environment', () => {
    expect(wrongs(onOneHost(production))).toEqual([])
  })

  test('a copy that was put aside is no environment', () => {
    const old = { '.env.pod.staging': podFile(staging), '.env.pod.bak': podFile({ ...production, ...there }) }
    const loaded = loadPod(old, { name: 'staging', purpose: 'deploy' })
    expect(wrongs(loaded)).toEqual([])
  })

  test('two hosts that do not exist yet are two', () => {
    const blank = {
      '.env.pod': podFile({ ...production, VALENCE_POD_IP: '' }),
      '.env.pod.staging': podFile({ ...staging, VALENCE_POD_IP: '' }),
    }
    expect(wrongs(loadPod(blank, { name: 'staging', purpose: 'plan' }))).toEqual([])
  })
})

describe('two environments of one Kubernetes cluster or AWS account', () => {
  const load = (second: string, processEnv = {}) =>
    loadEnv({
      schema: clusterSchema,
      root: folder({ '.env.cluster': 'DISCORD_TOKEN=production\n', '.env.cluster.staging': second }),
      processEnv,
      name: 'staging',
      purpose: 'deploy',
    })
  const places = (loaded: ReturnType<typeof load>) =>
    (loaded.problems ?? []).filter(({ message }) => message.includes('is the same in')).map(({ variable }) => variable)

  test.each([
    ['both', 'DISCORD_TOKEN=staging\n', {}, ['DO_CLUSTER_NAME', 'BOT_IAM_USER']],
    ['the account', 'DISCORD_TOKEN=staging\nKUBE_CONTEXT=staging\n', {}, ['BOT_IAM_USER']],
    ['neither', 'DISCORD_TOKEN=staging\nKUBE_CONTEXT=staging\nAWS_PROFILE=staging\n', {}, []],
    ['what the shell chooses', 'DISCORD_TOKEN=staging\n', { AWS_PROFILE: 'staging', KUBECONFIG: '/k' }, []],
  ])('%s', (_, second, processEnv, expected) => {
    expect(places(load(second, processEnv))).toEqual(expected)
  })
})

describe('a job of CI that lost its address', () => {
  const given = { '.env.pod': podFile({ VALENCE_POD_IP: '' }) }

  test.each([
    ['has no plan of a new host', { CI: 'true' }, false, ['VALENCE_POD_IP is not set, and plan needs it']],
    ['has one where it asks for it', { CI: 'true' }, true, []],
    ['at a terminal it is one', {}, false, []],
  ])('%s', (_, processEnv, offline, expected) => {
    expect(wrongs(loadPod(given, { processEnv, offline, purpose: 'plan' }))).toEqual(expected)
  })

  test('an empty variable is one that the job should have: the workspace is not left out', () => {
    expect(loadPod({}, { processEnv: { CI: 'true', VALENCE_POD_IP: '' } }).unconfigured).toBe(false)
    expect(loadPod({}, { processEnv: { VALENCE_POD_IP: '' } }).unconfigured).toBe(true)
  })
})
