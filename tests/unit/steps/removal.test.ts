import type { Decision } from '@infra/shared/engine/step'
import type { EcrImage } from '@infra/shared/facts/ecr-images'
import { sshPublicKeys } from '@infra/shared/facts/iam-personal'
import { namespaceContents } from '@infra/shared/facts/kube-contents'
import { otherMakers } from '@infra/shared/facts/kube-makers'
import type { OwnObject } from '@infra/shared/facts/kube-objects'
import { noQueue, noRepository, noTable, noUser } from '@infra/shared/steps/aws-removal'
import { noCluster } from '@infra/shared/steps/do-removal'
import { noObjects } from '@infra/shared/steps/kube-removal'
import { blankAws } from '@infra/shared/targets/aws'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, it, test } from 'vitest'
import { told } from './told.ts'

const aws = blankAws({ region: 'ca-central-1' })
const ahead = { pending: [] }
const adopted = { 'managed-by': 'infra' }
const ours = { ...adopted, 'created-by': 'infra' }
const user = {
  keys: [],
  policies: [],
  attached: [],
  groups: [],
  password: false,
  devices: [],
  certificates: [],
  sshKeys: [],
}
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
    [true, { table, tags: adopted }, ['- table t, all its items (adopted: it was not made here)'], []],
    [false, { table, tags: adopted }, ['= kept'], ['table t is kept, with what it holds']],
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
    [
      noRepository(aws, { name: 'r', confirmed: false }),
      { repository: {}, tags: ours, images },
      ['- repository r, 1 image'],
    ],
    [noRepository(aws, { name: 'r', confirmed: false }), { repository: {}, tags: adopted, images }, ['= adopted']],
    [
      noRepository(aws, { name: 'r', confirmed: true }),
      { repository: {}, tags: adopted, images },
      ['- repository r, 1 image'],
    ],
    [noRepository(aws, { name: 'r', confirmed: true }), { repository: {}, tags: {}, images }, ['= it is not ours']],
    [noUser(aws, { name: 'u', confirmed: true }), { ...user, user: { tags: {} } }, ['= it is not ours']],
    [noUser(aws, { name: 'u', confirmed: false }), { ...user, user: { tags: adopted }, password: true }, ['= adopted']],
    [
      noUser(aws, { name: 'u', confirmed: false }),
      { ...user, user: { tags: ours }, keys: [{ id: 'AKIA1' }, { id: 'AKIA2' }], policies: ['p'] },
      ['- user u, 2 access keys'],
    ],
    [
      noUser(aws, { name: 'u', confirmed: false }),
      { ...user, user: { tags: ours }, password: true, devices: ['arn:d'], sshKeys: ['APKA1', 'APKA2'] },
      [
        '! user u has a password, an MFA device, an ssh key, which nobody here gave it, and IAM deletes no user with any',
      ],
    ],
  ])('%#', (made, now, expected) => {
    expect(told(made.plan(now, ahead))).toEqual(expected)
  })
})

it('tells of what was adopted how it would go', () => {
  const decision = noRepository(aws, { name: 'r', confirmed: false }).plan(
    { repository: {}, tags: adopted, images: [] },
    ahead,
  )
  expect(notes(decision)).toEqual([
    'repository r is kept: it was adopted, not made here (no tag created-by=infra); --data --confirm repository/r takes it too',
  ])
})

it('takes a user out of its groups first, and says how what only a person has is taken away', () => {
  const plan = (more: object) =>
    noUser(aws, { name: 'u', confirmed: false }).plan({ ...user, user: { tags: ours }, ...more }, ahead)
  expect(lines(plan({ groups: ['bots'], keys: [{ id: 'AKIA1' }], policies: ['p'], attached: ['arn:p'] }))).toEqual([
    'aws iam remove-user-from-group',
    'aws iam delete-access-key',
    'aws iam delete-user-policy',
    'aws iam detach-user-policy',
    'aws iam delete-user',
  ])
  expect(plan({ password: true, certificates: ['C1'] })).toMatchObject({
    remedy:
      'Take them away first when nobody needs them: aws iam delete-login-profile --user-name u; aws iam delete-signing-certificate --user-name u --certificate-id C1',
  })
  const keys = (stdout: string, code = 0, stderr = '') =>
    sshPublicKeys({ region: 'ca-central-1' }, 'u').parse({ code, stdout, stderr })
  expect([keys('APKA1\tAPKA2\n'), keys('\n'), keys('None\n')]).toEqual([['APKA1', 'APKA2'], [], []])
  const error = (code: string) => `An error occurred (${code}) when calling the ListSSHPublicKeys operation: no`
  expect(keys('', 254, error('NoSuchEntity'))).toEqual([])
  expect(() => keys('', 254, error('AccessDenied'))).toThrow('AccessDenied: no')
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
  const standing = (...names: string[]) =>
    names.map((name) => ({ kind: name.split(' ')[0] ?? '', name: name.split(' ')[1] ?? '' }))
  const ourVolumes = ['PersistentVolumeClaim work', 'PersistentVolumeClaim data-redis-0']
  const holding = (...names: string[]) => ({
    objects: standing('Secret s', 'Deployment d', 'Service d', ...ourVolumes, ...names),
    untold: undefined,
  })
  const contents = holding('PersistentVolumeClaim of-others')
  const plan = (confirmed: string[], more: object = {}) =>
    noObjects(blank('k'), { workspace: 'cluster', namespace: 'bot', apps: ['redis'], confirmed }).plan(
      { own, claims, contents, makers: new Map(), ...more },
      ahead,
    )
  const both = ['work', 'data-redis-0']

  it('go in order, without their volumes', () => {
    const decision = plan([])
    expect(told(decision)).toEqual(['- deployment d', '- service d', '- secret s'])
    expect(notes(decision)).toEqual([
      'volume work (10Gi) is kept, with what it holds, and is billed on',
      'volume data-redis-0 (1Gi) is kept, with what it holds, and is billed on',
      'namespace bot is kept: persistent volume claim of-others is not ours',
    ])
  })

  it('go with the volumes that were named, never with those of others', () => {
    expect(told(plan(['work', 'of-others']))).toEqual([
      ...['- deployment d', '- service d', '- secret s', '- volume work (10Gi), all it holds'],
    ])
  })

  it('take the namespace along when nothing else is in it', () => {
    const alone = { claims: claims.slice(0, 2), contents: holding() }
    const decision = plan(both, alone)
    expect(told(decision).at(-1)).toBe('- namespace bot')
    expect(decision.kind === 'changes' && decision.changes.at(-1)?.risk).toBe('data')
    expect(told(plan(['work'], alone))).not.toContain('- namespace bot')
  })

  it.each<[string, object, string]>([
    ['a Secret of others', holding('Secret stoat-secrets'), 'secret stoat-secrets is not ours'],
    [
      'much of others',
      holding(...Array.from({ length: 14 }, (_, at) => `ConfigMap c${at}`)),
      'config map c0, config map c1, config map c2, config map c3, config map c4, config map c5, config map c6, config map c7, config map c8, config map c9, config map c10, config map c11 and 2 more are not ours',
    ],
    ['what cannot be listed', { ...holding(), untold: 'error: x' }, 'not all that is in it can be listed: error: x'],
  ])('leave it to %s', (_, contents, why) => {
    const decision = plan(both, { claims: claims.slice(0, 2), contents })
    expect(told(decision)).not.toContain('- namespace bot')
    expect(notes(decision)).toEqual([`namespace bot is kept: ${why}`])
  })

  it('stay when others had made them, until their names are typed', () => {
    const makers = new Map([
      ['Deployment bot/d', 'Terraform'],
      ['Namespace /bot', 'kubectl-create'],
    ])
    const adopted = { claims: claims.slice(0, 2), contents: holding(), makers }
    const kept = plan(both, adopted)
    expect(told(kept).filter((line) => !line.includes('volume'))).toEqual(['- service d', '- secret s'])
    expect(notes(kept)).toEqual([
      'deployment d is kept: Terraform had made it; --data --confirm deployment/d takes it too',
      'namespace bot is kept: kubectl-create had made it; --data --confirm namespace/bot takes it too',
    ])
    expect(told(plan([...both, 'namespace/bot'], adopted))).not.toContain('- namespace bot')
    const named = plan([...both, 'deployment/d', 'namespace/bot'], adopted)
    expect(told(named)).toEqual([
      ...['- deployment d', '- service d', '- secret s'],
      ...['- volume work (10Gi), all it holds', '- volume data-redis-0 (1Gi), all it holds', '- namespace bot'],
    ])
    expect(named.kind === 'changes' && named.changes[0]?.risk).toBe('data')
  })

  it('are none where there is no cluster', () => {
    expect(told(plan([], { own: [], claims: [], contents: { objects: [], untold: undefined } }))).toEqual([
      '= there are none',
    ])
  })
})

describe('what stands in a namespace', () => {
  const parse = (stdout: string, stderr = '') => namespaceContents('bot').parse({ code: 0, stdout, stderr })
  const rows = (...lines: string[]) => parse(lines.join('\n')).objects.map(({ kind, name }) => `${kind} ${name}`)

  it.each<[string, string[], string[]]>([
    ['a Secret', ['Secret stoat-secrets u1 <none> <none> <none>'], ['Secret stoat-secrets']],
    [
      'what Kubernetes puts in each',
      ['ConfigMap kube-root-ca.crt u1 <none> <none> <none>', 'ServiceAccount default u2 <none> <none> <none>'],
      [],
    ],
    [
      'what goes with its owner, and its owner',
      ['Widget w u1 <none> <none> <none>', 'Secret w-tls u2 <none> u1 Widget', 'Pod p u3 <none> u4 ReplicaSet'],
      ['Widget w'],
    ],
    ['what belongs to the whole cluster', ['Secret s u1 <none> u9 ClusterWidget'], ['Secret s']],
    ['what is on its way out', ['Job j u1 2026-11-24T12:00:00Z <none> <none>'], []],
    [
      'the addresses of a Service',
      [
        'Service d u1 <none> <none> <none>',
        'Endpoints d u2 <none> <none> <none>',
        'Endpoints mine u3 <none> <none> <none>',
      ],
      ['Service d', 'Endpoints mine'],
    ],
    ['what two groups list', ['Ingress i u1 <none> <none> <none>', 'Ingress i u1 <none> <none> <none>'], ['Ingress i']],
  ])('%s', (_, lines, found) => {
    expect(rows(...lines)).toEqual(found)
  })

  it('may be more than could be listed', () => {
    const said = 'Warning: v1 Endpoints is deprecated\nerror: unable to retrieve the complete list of server APIs: x\n'
    expect(parse('', said).untold).toBe('error: unable to retrieve the complete list of server APIs: x')
    expect(parse('', 'Warning: v1 Endpoints is deprecated\n').untold).toBeUndefined()
  })
})

test('who had made what was adopted is told by whose its fields are', () => {
  const lines = [
    'Deployment\tbot\td\tinfra f:metadata f:spec\tTerraform f:metadata f:spec',
    'Deployment\tbot\tours\tinfra f:metadata f:spec\tkubectl-rollout f:spec\tinfra-key f:spec\tkube-controller-manager f:metadata',
    'Service\tbot\tlabelled\tinfra f:spec\tcert-manager f:metadata',
    'Namespace\t\tbot\tinfra f:metadata\tkubectl-create f:metadata made',
    'Namespace\t\tours\tinfra f:metadata made\tOld Manager f:metadata',
    'Secret\tbot\tspaced\tSome Program f:data f:type',
  ]
  expect([...otherMakers('cluster').parse({ code: 0, stdout: `${lines.join('\n')}\n`, stderr: '' })]).toEqual([
    ['Deployment bot/d', 'Terraform'],
    ['Namespace /bot', 'kubectl-create'],
    ['Secret bot/spaced', 'Some Program'],
  ])
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
      'DELETE /v2/kubernetes/clusters/bd5f5959',
      'rm -f /k',
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
