import type { Output } from '@infra/shared/command/command'
import type { KubeObject } from '@infra/shared/command/kubectl'
import { reveal } from '@infra/shared/command/secret'
import { sh } from '@infra/shared/command/sh'
import type { Question, Step } from '@infra/shared/engine/step'
import { containerStarts } from '@infra/shared/facts/kubernetes/container-starts'
import { jobState, recipeKey } from '@infra/shared/facts/kubernetes/job'
import { serviceAddress } from '@infra/shared/facts/kubernetes/load-balancer'
import { namespaceState } from '@infra/shared/facts/kubernetes/namespace'
import { nodeStates } from '@infra/shared/facts/kubernetes/nodes'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { claimedAt, volumeClaims } from '@infra/shared/facts/kubernetes/volumes'
import { workloadImage } from '@infra/shared/facts/kubernetes/workload-image'
import { completedJob } from '@infra/shared/steps/kubernetes/job'
import { dnsRecord, loadBalancer, noLoadBalancer } from '@infra/shared/steps/kubernetes/load-balancer'
import { youngerThan } from '@infra/shared/steps/kubernetes/younger-than'
import { blankKubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { describe, expect, it, test } from 'vitest'
import { told } from '../told.ts'

const on = blankKubernetes()
const decide = (step: Step, now: Record<string, unknown>) => told(step.plan(now as never, { pending: [] }))
const says = (stdout: unknown): Output => ({
  code: 0,
  stdout: typeof stdout === 'string' ? stdout : JSON.stringify(stdout),
  stderr: '',
})

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
    workloadImage('n', 'deployment/d'),
  ]
  for (const { parse } of questions)
    expect(() => parse({ code: 1, stdout: '', stderr: 'Error from server: etcd is away\n' })).toThrow('etcd is away')
  expect(() => secretValues('n', 's').parse(says('{"data":{"password":"aHVzaA=='))).toThrow(/^kubectl gave no JSON$/)
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

describe('a Job', () => {
  const object = (image: string): KubeObject => ({
    ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j', namespace: 'n' } },
    spec: { template: { spec: { containers: [{ image }] } } },
  })
  const job = (image: string) =>
    completedJob(on, object(image), {
      ...{ script: 's', workspace: 'w', result: 'bucket b', keptIn: 'data-0', timeoutSeconds: 60 },
    })
  const made = (step: Step) => {
    const decision = step.plan({ job: null, volume: null } as never, { pending: [] })
    if (decision.kind !== 'changes') throw new Error('nothing is made')
    const text = decision.changes[0]?.run[0]?.stdin?.parts.join('') ?? ''
    return (JSON.parse(text).items[0].metadata.annotations as Record<string, string>)[recipeKey]
  }
  const recipe = made(job('mc:1'))
  const done = { recipe, result: 'succeeded', made: 100 }
  it.each<[what: string, now: object, lines: string[]]>([
    ['is made', { job: null, volume: 50 }, ['+ job j (bucket b)']],
    ['that succeeded stays', { job: done, volume: 50 }, ['= bucket b']],
    ['under way is waited for', { job: { ...done, result: 'under way' }, volume: 50 }, ['~ job j awaited']],
    ['that failed is made again', { job: { ...done, result: 'failed' }, volume: 50 }, ['~ job j again: it failed']],
    [
      'of another recipe is made again',
      { job: { ...done, recipe: 'x' }, volume: 50 },
      ['~ job j again: its recipe changed'],
    ],
    [
      'older than its volume is made again',
      { job: done, volume: 101 },
      ['~ job j again: its volume is a new one, and what the one before held is lost unless somebody copied it'],
    ],
    ['whose volume is not there yet stays', { job: done, volume: null }, ['= bucket b']],
  ])('%s', (_, now, lines) => {
    expect(decide(job('mc:1'), now as never)).toEqual(lines)
  })
  it('of another image has another recipe, and takes the old one away first', () => {
    const next = job('mc:2')
    expect(made(next)).not.toBe(recipe)
    const decision = next.plan({ job: done, volume: null } as never, { pending: [] })
    expect(decision).toMatchObject({
      changes: [{ run: [{ line: expect.stringMatching(/^kubectl delete job j -n n/) }, {}, {}] }],
    })
  })
  it('tells its state by its conditions', () => {
    const state = (type?: string) =>
      jobState('n', 'j').parse(
        says({
          metadata: { creationTimestamp: '2026-11-24T12:00:00Z', annotations: { [recipeKey]: 'r' } },
          status: type ? { conditions: [{ type, status: 'True' }] } : {},
        }),
      )
    expect([state(), state('Complete'), state('Failed')].map((one) => one?.result)).toEqual([
      ...['under way', 'succeeded', 'failed'],
    ])
  })
})

describe('what loses its connection for good', () => {
  const step = youngerThan(on, {
    ...{
      namespace: 'n',
      deployments: ['crond', 'api'],
      than: 'broker',
      why: 'the broker started anew',
      timeoutSeconds: 60,
    },
  })
  const at = (oldest: number, newest = oldest) => ({ oldest, newest })
  it.each<[what: string, starts: [string, { oldest: number; newest: number }][], lines: string[]]>([
    [
      'stays when it is younger',
      [
        ['broker', at(1)],
        ['crond', at(2)],
        ['api', at(3)],
      ],
      ['= started after broker'],
    ],
    [
      'starts anew when it is older',
      [
        ['broker', at(5)],
        ['crond', at(2)],
        ['api', at(6)],
      ],
      ['~ restart deployment crond: the broker started anew'],
    ],
    [
      'in order',
      [
        ['broker', at(5)],
        ['api', at(2)],
        ['crond', at(2)],
      ],
      ['~ restart deployment crond: the broker started anew', '~ restart deployment api: the broker started anew'],
    ],
    [
      'counts by its oldest pod',
      [
        ['broker', at(5)],
        ['crond', at(2, 9)],
        ['api', at(6)],
      ],
      ['~ restart deployment crond: the broker started anew'],
    ],
    ['that does not run has nothing to lose', [['broker', at(5)]], ['= started after broker']],
    ['without a broker waits', [['api', at(1)]], ['= broker does not run']],
  ])('%s', (_, starts, lines) => {
    expect(decide(step, { starts: new Map(starts) })).toEqual(lines)
  })
  it('or the volume that it prepares, counts by when that was claimed, and by what must hold first', () => {
    const cause = { cause: 'no', remedy: 'do it' }
    const step = youngerThan(on, {
      ...{
        namespace: 'n',
        deployments: ['api'],
        than: { claim: 'data-0' },
        why: 'the volume is new',
        timeoutSeconds: 60,
      },
      provided: { api: { that: sh`true`, explain: ({ stderr }) => (stderr === 'no' ? cause : undefined) } },
    })
    const starts = new Map([['api', at(5)]])
    expect(decide(step, { starts, claimed: 4 })).toEqual(['= started after volume data-0'])
    expect(decide(step, { starts, claimed: null })).toEqual(['= volume data-0 is not there'])
    expect(decide(step, { starts, claimed: 6 })).toEqual(['~ restart deployment api: the volume is new'])
    const decision = step.plan({ starts, claimed: 6 } as never, { pending: [] })
    if (decision.kind !== 'changes') throw new Error('nothing is changed')
    const [change] = decision.changes
    expect(change?.run.map(({ line }) => line)[0]).toBe('true')
    expect(change?.explain?.({ code: 1, stdout: '', stderr: 'no' })).toEqual(cause)
    expect(change?.explain?.({ code: 1, stdout: '', stderr: '' })).toBe('api did not get ready in 60 seconds')
  })
  it('counts a container that started again in its pod, and no pod that ends', () => {
    const pod = (app: string, startedAt: string, more: object = {}) => ({
      metadata: { labels: { app }, ...more },
      status: { containerStatuses: [{ state: { running: { startedAt } } }, { state: { waiting: {} } }] },
    })
    const items = [
      pod('broker', '2026-11-24T12:00:10Z'),
      pod('api', '2026-11-24T12:00:00Z'),
      pod('api', '2026-11-24T11:00:00Z', { deletionTimestamp: 'now' }),
    ]
    const starts = containerStarts('n').parse(says({ items }))
    expect((starts.get('broker')?.newest ?? 0) - (starts.get('api')?.oldest ?? 0)).toBe(10)
  })
})

describe('a load balancer', () => {
  const step = loadBalancer(on, {
    ...{
      namespace: 'n',
      service: 'caddy',
      domain: 'stoat.example.com',
      price: '$12',
      remedy: 'ask the cloud',
      timeoutSeconds: 60,
      dependsOn: [],
    },
  })
  it('is waited for, and then tells the DNS record', () => {
    expect(decide(step, { now: null })).toEqual(['~ load balancer of caddy ($12)'])
    const now = serviceAddress('n', 'caddy').parse(
      says({ spec: { type: 'LoadBalancer' }, status: { loadBalancer: { ingress: [{ ip: '203.0.113.7' }] } } }),
    )
    expect(decide(step, { now })).toEqual(['= 203.0.113.7'])
    expect(step.plan({ now } as never, { pending: [] })).toMatchObject({
      notes: ['stoat.example.com must lead to it: stoat.example.com. A 203.0.113.7'],
    })
  })
  it('that does not come is told with what the cloud says, and with what helps', () => {
    const decision = step.plan({ now: null } as never, { pending: [] })
    const [change] = decision.kind === 'changes' ? decision.changes : []
    const stderr = 'error: timed out waiting for the condition\nthe cloud says: you have reached the limit'
    expect(change?.explain?.({ code: 1, stdout: '', stderr })).toEqual({
      cause: 'no load balancer came in 60 seconds; the cloud says: you have reached the limit',
      remedy: 'ask the cloud',
    })
  })
  it('that goes is named with its address, and with the record that must go', () => {
    const gone = noLoadBalancer(on, {
      ...{ namespace: 'n', service: 'caddy', domain: 'stoat.example.com', timeoutSeconds: 60, dependsOn: [] },
    })
    const now = { type: 'LoadBalancer', addresses: ['203.0.113.7'] }
    expect(decide(gone, { now })).toEqual(['- load balancer of caddy, with its address 203.0.113.7'])
    expect(gone.plan({ now } as never, { pending: [] })).toMatchObject({
      notes: [expect.stringContaining('stoat.example.com. A 203.0.113.7, delete it')],
    })
    expect(decide(gone, { now: { type: 'ClusterIP', addresses: [] } })).toEqual(['= there is none'])
    expect(decide(gone, { now: null })).toEqual(['= there is none'])
  })
  it.each([
    ['203.0.113.7', 's. A 203.0.113.7'],
    ['2001:db8::1', 's. AAAA 2001:db8::1'],
    ['lb.example.com', 's. CNAME lb.example.com.'],
  ])('%s', (address, record) => {
    expect(dnsRecord('s', address)).toBe(record)
  })
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
