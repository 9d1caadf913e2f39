import type { Decision } from '@infra/shared/engine/step'
import type { EcrImage } from '@infra/shared/facts/ecr-images'
import type { OwnObject } from '@infra/shared/facts/kube-objects'
import { noQueue, noRepository, noTable, noUser } from '@infra/shared/steps/aws-removal'
import { noCluster } from '@infra/shared/steps/do-removal'
import { noObjects } from '@infra/shared/steps/kube-removal'
import { blankAws } from '@infra/shared/targets/aws'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, it } from 'vitest'
import { told } from './told.ts'

const aws = blankAws({ region: 'ca-central-1' })
const ahead = { pending: [] }
const ours = { 'managed-by': 'infra' }
const notes = (decision: Decision) => (decision.kind === 'refused' ? [] : (decision.notes ?? []))
const lines = (decision: Decision) =>
  (decision.kind === 'changes' ? decision.changes.flatMap(({ run }) => run) : []).map(
    ({ line }) => line.split(' --')[0],
  )

describe('a table', () => {
  const table = { status: 'ACTIVE', deletionProtection: true }
  it.each([
    [true, { table: null, tags: null }, ['= there is none'], []],
    [false, { table, tags: ours }, ['= kept'], ['table t is kept, with what it holds']],
    [true, { table, tags: {} }, ['= it is not ours'], ['table t is kept: it is not ours (no tag managed-by=infra)']],
    [true, { table, tags: null }, ['= it is not ours'], ['table t is kept: it is not ours (no tag managed-by=infra)']],
    [true, { table, tags: ours }, ['- table t, all its items'], []],
  ])('confirmed %s, %o', (confirmed, now, expected, noted) => {
    const decision = noTable(aws, { name: 't', confirmed }).plan(now, ahead)
    expect(told(decision)).toEqual(expected)
    expect(notes(decision)).toEqual(noted)
  })

  it('loses its protection only then, and is not deleted twice', () => {
    const plan = (more: object) =>
      lines(noTable(aws, { name: 't', confirmed: true }).plan({ table: { ...table, ...more }, tags: ours }, ahead))
    expect(plan({})).toEqual([
      'aws dynamodb update-table',
      expect.stringContaining('end='),
      'aws dynamodb delete-table',
      expect.stringContaining('end='),
    ])
    expect(plan({ deletionProtection: false })).toHaveLength(2)
    expect(plan({ deletionProtection: false, status: 'DELETING' })).toEqual([expect.stringContaining('end=')])
  })
})

describe('a queue, a repository, a user', () => {
  const images = [{ digest: 'sha256:1', tags: [], pushed: 0, bytes: 1 }] as EcrImage[]
  it.each([
    [noQueue(aws, { name: 'q', confirmed: true }), { queue: {}, tags: ours }, ['- queue q, all its messages']],
    [noQueue(aws, { name: 'q', confirmed: false }), { queue: {}, tags: ours }, ['= kept']],
    [noQueue(aws, { name: 'q', confirmed: true }), { queue: null, tags: null }, ['= there is none']],
    [noRepository(aws, 'r'), { repository: {}, tags: ours, images }, ['- repository r, 1 image']],
    [noRepository(aws, 'r'), { repository: {}, tags: {}, images }, ['= it is not ours']],
    [noUser(aws, 'u'), { user: { tags: {} }, keys: [], policies: [], attached: [] }, ['= it is not ours']],
    [
      noUser(aws, 'u'),
      { user: { tags: ours }, keys: [{ id: 'AKIA1' }, { id: 'AKIA2' }], policies: ['p'], attached: [] },
      ['- user u, 2 access keys'],
    ],
  ])('%#', (made, now, expected) => {
    expect(told(made.plan(now, ahead))).toEqual(expected)
  })
})

describe('objects of a cluster', () => {
  const object = (kind: string, name: string) => ({ kind, name, namespace: 'bot' }) as OwnObject
  const own = [
    { ...object('Namespace', 'bot'), namespace: undefined },
    object('Secret', 's'),
    object('PersistentVolumeClaim', 'work'),
    object('Deployment', 'd'),
    object('Service', 'd'),
  ]
  const claims = [
    { name: 'work', app: undefined, size: '10Gi' },
    { name: 'data-redis-0', app: 'redis', size: '1Gi' },
    { name: 'of-others', app: 'mongo', size: '5Gi' },
  ]
  const foreign = ['persistentvolumeclaim/data-redis-0', 'persistentvolumeclaim/of-others']
  const plan = (confirmed: string[], more: object = {}) =>
    noObjects(blank('k'), { workspace: 'cluster', namespace: 'bot', apps: ['redis'], confirmed }).plan(
      { own, claims, foreign, ...more },
      ahead,
    )

  it('go in order, without their volumes', () => {
    const decision = plan([])
    expect(told(decision)).toEqual(['- deployment d', '- service d', '- secret s'])
    expect(notes(decision)).toEqual([
      'volume work (10Gi) is kept, with what it holds, and is billed on',
      'volume data-redis-0 (1Gi) is kept, with what it holds, and is billed on',
      'namespace bot is kept: persistentvolumeclaim/of-others is not ours',
    ])
  })

  it('go with the volumes that were named, never with those of others', () => {
    expect(told(plan(['work', 'of-others']))).toEqual([
      ...['- deployment d', '- service d', '- secret s', '- volume work (10Gi), all it holds'],
    ])
  })

  it('take the namespace along when nothing else is in it', () => {
    const alone = { claims: claims.slice(0, 2), foreign: foreign.slice(0, 1) }
    expect(told(plan(['work', 'data-redis-0'], alone)).at(-1)).toBe('- namespace bot')
    expect(told(plan(['work'], alone))).not.toContain('- namespace bot')
  })

  it('are none where there is no cluster', () => {
    expect(told(plan([], { own: [], claims: [], foreign: [] }))).toEqual(['= there are none'])
  })
})

describe('the DOKS cluster', () => {
  const cluster = {
    id: 'bd5f5959',
    name: 'bot',
    region: 'tor1',
    pools: [{ count: 2 }, { count: 1 }],
    tags: ['mine'],
  } as never
  const made = noCluster(blank('do'), { cluster, name: 'bot', tag: 'mine', kubeconfig: '/k', after: [] })
  const left = { loadBalancers: ['lb'], volumes: ['pvc-1'], snapshots: [] }
  it('goes only when it is ours, and what it leaves is told', () => {
    const decision = made.plan({ found: [cluster], file: null, left }, ahead)
    expect(told(decision)).toEqual(['- kubernetes cluster bot (3 nodes, tor1), all that runs in it'])
    expect(notes(decision)).toEqual([
      'load balancer lb is left over, and billed on',
      'volume pvc-1 is left over at DigitalOcean, and billed on',
    ])
    expect(lines(decision)).toEqual([
      'rm -f /k',
      'DELETE /v2/kubernetes/clusters/bd5f5959',
      expect.stringContaining('= undefined within'),
    ])
    const foreign = made.plan({ found: [{ ...(cluster as object), tags: [] }] as never, file: null }, ahead)
    expect(told(foreign)).toEqual([
      '! Kubernetes cluster bot was not made here (no tag mine), so it is not deleted here',
    ])
  })

  it('takes its kubeconfig along, also when a run before was killed', () => {
    expect(told(made.plan({ found: [], file: {} as never }, ahead))).toEqual(['- its kubeconfig'])
    expect(told(made.plan({ found: [], file: null }, ahead))).toEqual(['= there is none'])
  })
})
