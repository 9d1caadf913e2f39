import { reveal } from '@infra/shared/command/secret'
import { sh } from '@infra/shared/command/sh'
import type { Question } from '@infra/shared/engine/step'
import { podAnswer, redisConnection } from '@infra/shared/facts/kubernetes/answers'
import { containerStarts } from '@infra/shared/facts/kubernetes/container-starts'
import { jobState } from '@infra/shared/facts/kubernetes/job'
import { serviceAddress } from '@infra/shared/facts/kubernetes/load-balancer'
import { namespaceState } from '@infra/shared/facts/kubernetes/namespace'
import { podNeeds } from '@infra/shared/facts/kubernetes/needs'
import { nodeStates } from '@infra/shared/facts/kubernetes/nodes'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { serverMinor } from '@infra/shared/facts/kubernetes/version'
import { claimedAt, volumeClaims } from '@infra/shared/facts/kubernetes/volumes'
import { workloadImage } from '@infra/shared/facts/kubernetes/workload-image'
import { expect, test } from 'vitest'
import { says } from './says.ts'

test('what could not be read is not taken for what is not there', () => {
  const questions: readonly Question<unknown>[] = [
    secretValues('n', 's'),
    namespaceState('n'),
    jobState('n', 'j'),
    containerStarts('n'),
    claimedAt('n', 'c'),
    volumeClaims('n'),
    serviceAddress('n', 's'),
    nodeStates(),
    serverMinor(),
    workloadImage('n', 'deployment/d'),
  ]
  for (const { parse } of questions)
    expect(() => parse({ code: 1, stdout: '', stderr: 'Error from server: etcd is away\n' })).toThrow('etcd is away')
  expect(() => secretValues('n', 's').parse(says('{"data":{"password":"aHVzaA=='))).toThrow(/^kubectl gave no JSON$/)
})

test('what pods cannot start without is found wherever they name it', () => {
  const from = (kind: string, name: string) => ({ name: 'X', valueFrom: { [`${kind}KeyRef`]: { name, key: 'k' } } })
  const spec = {
    serviceAccountName: 'sa',
    imagePullSecrets: [{ name: 'pull' }],
    volumes: [
      { name: 'a', secret: { secretName: 's1' } },
      { name: 'b', configMap: { name: 'c1' } },
    ],
    containers: [{ name: 'm', env: [from('secret', 's2'), from('configMap', 'c2')] }],
    initContainers: [{ name: 'i', envFrom: [{ secretRef: { name: 's3' } }, { configMapRef: { name: 'c3' } }] }],
  }
  const items = [{ kind: 'Deployment', metadata: { name: 'd', namespace: 'n' }, spec: { template: { spec } } }]
  const needs = podNeeds('w')
    .parse(says(JSON.stringify({ items })))
    .get('Deployment n/d')
  expect([...(needs ?? [])].sort()).toEqual(
    ['ConfigMap n/c1', 'ConfigMap n/c2', 'ConfigMap n/c3', 'Secret n/pull', 'Secret n/s1', 'Secret n/s2'].concat([
      'Secret n/s3',
      'ServiceAccount n/sa',
    ]),
  )
})

test('what a pod is asked for has an end, whatever runs in it', () => {
  const sandbox = { workload: 'deployment/d', container: 'c' }
  for (const { command } of [
    podAnswer('n', 'redis-0', ['redis-cli', 'ping']),
    podAnswer('n', 'redis-0', ['cat'], { from: sh`echo a` }),
    redisConnection('n', sandbox, { name: 'redis', port: 6379 }),
  ])
    expect(command.timeoutSeconds).toBeLessThanOrEqual(30)
})

test('the claims of a namespace, and when one was made, are one question', () => {
  const listed = says('data-0   api    5Gi   2026-11-24T12:00:00Z\ndata-1   <none>   1Gi   2026-11-24T12:00:10Z\n')
  const [claims, first, other] = [volumeClaims('n'), claimedAt('n', 'data-1'), claimedAt('n', 'data')]
  expect(claims.command).toEqual(first.command)
  expect(claims.parse(listed)).toEqual([
    { name: 'data-0', app: 'api', size: '5Gi' },
    { name: 'data-1', app: undefined, size: '1Gi' },
  ])
  expect([first.parse(listed), other.parse(listed)]).toEqual([Date.parse('2026-11-24T12:00:10Z') / 1000, null])
})

test('the values of a Secret', () => {
  const { parse } = secretValues('n', 's')
  expect([parse(says('')), parse({ code: 127, stdout: '', stderr: '' })]).toEqual([null, null])
  const held = parse(says({ data: { a: Buffer.from('one').toString('base64') } }))
  expect([...(held ?? [])].map(([name, value]) => [name, String(value), reveal(value)])).toEqual([
    ['a', '[secret]', 'one'],
  ])
})

test('nodes tell their kernel, and AVX where somebody found it out', () => {
  const node = (labels: object) => ({ metadata: { name: 'n', labels }, status: { nodeInfo: { kernelVersion: '6.1' } } })
  const cpu = 'feature.node.kubernetes.io/cpu-cpuid.'
  const items = [node({}), node({ [`${cpu}AVX`]: 'true' }), node({ [`${cpu}SSE42`]: 'true' })]
  expect(
    nodeStates()
      .parse(says({ items }))
      .map(({ avx }) => avx),
  ).toEqual([undefined, true, false])
})
