import type { OwnObject } from '@infra/shared/facts/kubernetes/objects'
import { renewedAt } from '@infra/shared/facts/kubernetes/objects'
import { pullSecret } from '@infra/shared/steps/kubernetes/pull-secret'
import { rollouts } from '@infra/shared/steps/kubernetes/rollouts'
import { sameRegion } from '@infra/shared/steps/kubernetes/same-region'
import { blankKubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { describe, expect, it, test } from 'vitest'
import { told } from '../told.ts'

const on = blankKubernetes()
const base = { workspace: 'cluster', script: 'bots', namespace: 'bots' }
const done: OwnObject = {
  ...{ kind: 'Deployment', namespace: 'bots', name: 'bot', component: 'bots', renewed: undefined, region: undefined },
  ...{ generation: 2, observed: 2, replicas: 1, total: 1, updated: 1 },
  ...{ ready: 1, available: 1, progress: 'NewReplicaSetAvailable', revised: true },
}
const set: OwnObject = { ...done, kind: 'StatefulSet', name: 'store', progress: undefined }

const decide = (own: OwnObject[], pending: string[] = [], pods: object[] = []) =>
  rollouts(on, { ...base, workloads: ['deployment/bot', 'statefulset/store'], seconds: 60, dependsOn: [] }).plan(
    { own, pods },
    { pending },
  )

describe('a rollout', () => {
  const waits = ['~ deployment bot rolled out']
  it.each<[string, Partial<OwnObject>, string[]]>([
    ['is over when all pods are new and ready', {}, ['= rolled out']],
    ['of no replicas is over at once', { replicas: 0, total: 0, updated: 0, ready: 0, available: 0 }, ['= rolled out']],
    ['goes on while the controller has not seen the change', { observed: 1 }, waits],
    ['goes on while not all are new', { updated: 0 }, waits],
    ['goes on while old ones are there', { total: 2, progress: 'ReplicaSetUpdated' }, waits],
    ['goes on while new ones are not ready', { available: 0, progress: 'ReplicaSetUpdated' }, waits],
    ['that gave up is waited for again', { available: 0, progress: 'ProgressDeadlineExceeded' }, waits],
  ])('%s', (_, more, lines) => {
    expect(told(decide([{ ...done, ...more }, set]))).toEqual(lines)
  })

  it('that was over and whose pod fails since is told, and not undone', () => {
    const decision = decide([{ ...done, available: 0, ready: 0 }, set])
    expect(told(decision)).toEqual(['= rolled out'])
    expect(decision).toMatchObject({ notes: [expect.stringMatching(/^deployment bot was rolled out before/)] })
  })

  it('of a StatefulSet goes on until all are of its newest revision', () => {
    expect(told(decide([done, { ...set, revised: false }]))).toEqual(['~ stateful set store rolled out'])
    expect(told(decide([done, { ...set, ready: 0 }]))).toEqual(['~ stateful set store rolled out'])
  })

  it('of a StatefulSet whose pod was ready and is not now is told, and not waited for', () => {
    const lost = { app: 'store', lostReadiness: true }
    const decision = decide([done, { ...set, ready: 0 }], [], [lost])
    expect(told(decision)).toEqual(['= rolled out'])
    expect(decision).toMatchObject({ notes: [expect.stringMatching(/^stateful set store was rolled out before/)] })
    const waits = ['~ stateful set store rolled out']
    expect(told(decide([done, { ...set, ready: 0 }], [], [{ ...lost, lostReadiness: false }]))).toEqual(waits)
    expect(told(decide([done, { ...set, ready: 0, revised: false }], [], [lost]))).toEqual(waits)
  })

  it('may begin with what is about to be changed', () => {
    const both = ['~ deployment bot, stateful set store rolled out']
    expect(told(decide([done, set], ['manifests bots']))).toEqual(both)
    const degraded = decide([{ ...done, available: 0, ready: 0 }, set], ['manifests bots'])
    expect([told(degraded), degraded]).toEqual([both, expect.not.objectContaining({ notes: expect.anything() })])
  })

  it('that does not hold is a matter of nodes and pods, to be looked at', () => {
    const { unsettled } = rollouts(on, { ...base, workloads: ['deployment/bot'], seconds: 60, dependsOn: [] })
    expect(unsettled).toMatch(/kubectl get nodes; kubectl get pods -n bots/)
  })

  it('waits for all that are under way at once', () => {
    expect(told(decide([]))).toEqual(['~ deployment bot, stateful set store rolled out'])
  })
})

test('the pull secret is made, kept, and renewed before its token ends', () => {
  const options = { ...base, name: 'ecr', script: 'pull', place: { region: 'ca-central-1' } }
  const { ask, plan } = pullSecret(on, options)
  const age = (hours: number) => {
    const renewed = Math.round(Date.now() / 1000 - hours * 3600)
    const cells = ['Secret', 'bots', 'ecr', 'pull', renewed, ...Array(15).fill('<none>')]
    return ask.age?.parse({ code: 0, stdout: cells.join('  '), stderr: '' })
  }
  expect([age(0), age(4.5), age(5.5), ask.age?.parse({ code: 0, stdout: '', stderr: '' })]).toEqual([
    'fresh',
    'fresh',
    'stale',
    null,
  ])
  const type = (stdout: string) => ask.type?.parse({ code: 0, stdout, stderr: '' })
  const [none, right, wrong] = [type(''), type('kubernetes.io/dockerconfigjson'), type('kubernetes.io/dockercfg')]
  const lines = [
    { age: null, type: none },
    { age: 'fresh', type: right },
    { age: 'stale', type: right },
    { age: null, type: right },
    { age: null, type: wrong },
  ].map((now) => told(plan(now as never, { pending: [] })))
  expect(lines).toEqual([
    ["+ secret ecr from ECR's token"],
    ['= less than 5 hours old'],
    ['~ secret ecr: its token is 5 hours old or more'],
    ['~ secret ecr: a token of ECR in place of what others made'],
    [
      '! secret ecr is of the type kubernetes.io/dockercfg instead of kubernetes.io/dockerconfigjson, and a Secret keeps its type',
    ],
  ])
  const decision = plan({ age: null, type: null }, { pending: [] })
  const line = decision.kind === 'changes' ? decision.changes[0]?.run[0]?.line : ''
  expect(line).toContain(`"${renewedAt}":"%s"`)
  expect(line).toMatch(/printf '\{.*' "\$\(date \+%s\)" "\$config" \| kubectl apply/)
})

describe('the region of AWS', () => {
  const decision = (...own: Partial<OwnObject>[]) =>
    sameRegion(on, { workspace: 'cluster', region: 'ca-central-1' }).plan(
      { own: own.map((one) => ({ ...done, ...one })) },
      { pending: [] },
    )
  it.each<[string, Partial<OwnObject>[], string]>([
    ['is free where nothing runs yet', [], '= ca-central-1'],
    ['is the one that pods work in', [{ region: 'ca-central-1' }, { region: undefined }], '= ca-central-1'],
    [
      'cannot become another one',
      [{ region: 'us-east-1' }],
      '! AWS_REGION is ca-central-1, but deployment bot in the cluster works in us-east-1',
    ],
  ])('%s', (_, own, line) => {
    expect(told(decision(...own))).toEqual([line])
  })
})
