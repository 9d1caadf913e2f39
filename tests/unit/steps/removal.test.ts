import type { Decision } from '@infra/shared/engine/step'
import type { EcrImage } from '@infra/shared/facts/aws/ecr-images'
import { sshPublicKeys } from '@infra/shared/facts/aws/iam-personal'
import { noQueue, noRepository, noTable, noUser } from '@infra/shared/steps/aws/removal'
import { noCluster } from '@infra/shared/steps/digitalocean/removal'
import { blankAws } from '@infra/shared/targets/aws/aws'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, it } from 'vitest'
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

const madeHere = { ...ours, 'infra-access-key/AKIA1': 'made', 'infra-access-key/AKIA2': 'made' }

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
      { ...user, user: { tags: madeHere }, keys: [{ id: 'AKIA1' }, { id: 'AKIA2' }], policies: ['p'] },
      ['- user u, 2 access keys'],
    ],
    [
      noUser(aws, { name: 'u', confirmed: true }),
      {
        ...user,
        user: { tags: { ...adopted, 'infra-access-key/AKIA2': 'made' } },
        keys: [{ id: 'AKIA1' }, { id: 'AKIA2' }],
      },
      ['! user u has an access key, which this program did not give it, and IAM deletes no user with any'],
    ],
    [
      noUser(aws, { name: 'u', confirmed: false }),
      {
        ...user,
        user: { tags: { ...adopted, 'infra-access-key/AKIA2': 'made' } },
        keys: [{ id: 'AKIA1' }, { id: 'AKIA2' }],
      },
      ['- 1 access key of user u, made here'],
    ],
    [
      noUser(aws, { name: 'u', confirmed: false }),
      { ...user, user: { tags: ours }, password: true, devices: ['arn:d'], sshKeys: ['APKA1', 'APKA2'] },
      [
        '! user u has a password, an MFA device, an ssh key, which this program did not give it, and IAM deletes no user with any',
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
  const own = { user: { tags: madeHere }, keys: [{ id: 'AKIA1' }] }
  expect(lines(plan({ ...own, groups: ['bots'], policies: ['p'], attached: ['arn:p'] }))).toEqual([
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

describe('the DOKS cluster', () => {
  const cluster = {
    id: 'bd5f5959',
    name: 'bot',
    region: 'tor1',
    pools: [{ count: 2 }, { count: 1 }],
    tags: ['mine'],
  } as never
  const made = noCluster(blank('do'), { cluster, name: 'bot', tag: 'mine', kubeconfig: '/k', dependsOn: [] })
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
