import type { KubeObject } from '@infra/shared/command/kubectl'
import { type ObjectChange, parseDiff } from '@infra/shared/facts/kubernetes/manifests'
import type { PodSpec } from '@infra/shared/facts/kubernetes/pod-spec'
import { lostFiles, partsOfOthers, refuseVolumeKind } from '@infra/shared/steps/kubernetes/foreign-parts'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import { blankKubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const mount = { name: 'work', mountPath: '/work' }
const ours = {
  securityContext: { runAsUser: 1000 },
  volumes: [{ name: 'work', persistentVolumeClaim: { claimName: 'work' } }],
  containers: [
    {
      name: 'bot',
      image: 'bot:2',
      env: [{ name: 'A', value: '1' }],
      ports: [{ containerPort: 1 }],
      volumeMounts: [mount],
      securityContext: { readOnlyRootFilesystem: true },
    },
  ],
} as const
const [bot] = ours.containers
const object = (kind = 'Deployment'): KubeObject => {
  const holder = { template: { spec: ours } }
  const spec = kind === 'CronJob' ? { jobTemplate: { spec: holder } } : holder
  return { apiVersion: 'apps/v1', kind, metadata: { name: 'bot', namespace: 'bots' }, spec }
}
const change = (after: object, before: object = ours): ObjectChange =>
  ({ kind: 'Deployment', name: 'bot', pods: { before: before as PodSpec, after: after as PodSpec } }) as ObjectChange

test('a variable that the environment may set is told by its name, and nobody is told to take it away', () => {
  const env = [...bot.env, { name: 'NAME', value: 'secret' }, { name: 'C', value: 'secret' }]
  const notes = partsOfOthers(object(), change({ ...ours, containers: [{ ...bot, env }] }), {
    names: ['A', 'NAME'],
    file: '.env.cluster',
  })
  expect(notes).toEqual([
    'deployment bot: variable NAME of container bot stays as others set it: NAME in .env.cluster says it from here, and is not set',
    'deployment bot: variable C of container bot is not ours and stays in its pods',
    expect.stringContaining('[{"name":"C","$patch":"delete"}]'),
  ])
})

const defaulted = { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', schedulerName: 'default-scheduler' }

test.each<[string, object, string[], object | undefined]>([
  ['nothing of others', { ...ours, ...defaulted, containers: [{ ...bot, imagePullPolicy: 'Always' }] }, [], undefined],
  [
    'what says what holds anyway, as the provider of Terraform writes it into every pod',
    {
      ...{ ...ours, shareProcessNamespace: false, automountServiceAccountToken: true },
      containers: [{ ...bot, securityContext: { ...bot.securityContext, privileged: false } }],
    },
    [],
    undefined,
  ],
  [
    'parts of what ours say in part',
    {
      ...{ ...ours, securityContext: { ...ours.securityContext, runAsGroup: 0 } },
      containers: [
        { ...bot, securityContext: { ...bot.securityContext, runAsUser: 0, runAsNonRoot: false, privileged: false } },
      ],
    },
    [
      'securityContext.runAsGroup',
      'securityContext.runAsUser of container bot',
      'securityContext.runAsNonRoot of container bot',
    ],
    {
      securityContext: { runAsGroup: null },
      containers: [{ name: 'bot', securityContext: { runAsUser: null, runAsNonRoot: null } }],
    },
  ],
  ['a field of the pod', { ...ours, nodeSelector: { disk: 'ssd' } }, ['nodeSelector'], { nodeSelector: null }],
  [
    'what a container runs and knows',
    { ...ours, containers: [{ ...bot, args: ['secret'], env: [...bot.env, { name: 'B', value: 'secret' }] }] },
    ['args of container bot', 'variable B of container bot'],
    { containers: [{ name: 'bot', args: null, env: [{ name: 'B', $patch: 'delete' }] }] },
  ],
  [
    'a port, a mount and an init container',
    {
      ...ours,
      initContainers: [{ name: 'wait', image: 'x' }],
      containers: [
        {
          ...bot,
          ports: [...bot.ports, { containerPort: 2 }],
          volumeMounts: [mount, { name: 'work', mountPath: '/more' }],
        },
      ],
    },
    ['init container wait', 'port 2 of container bot', 'mount /more of container bot'],
    {
      initContainers: [{ name: 'wait', $patch: 'delete' }],
      containers: [
        {
          name: 'bot',
          ports: [{ containerPort: 2, $patch: 'delete' }],
          volumeMounts: [{ mountPath: '/more', $patch: 'delete' }],
        },
      ],
    },
  ],
])('%s in our pods is told by names only, with the patch that takes it away', (_, after, said, patch) => {
  const notes = partsOfOthers(object(), change(after))
  const told = notes.filter((note) => note.endsWith(' is not ours and stays in its pods'))
  expect(new Set(told)).toEqual(
    new Set(said.map((what) => `deployment bot: ${what} is not ours and stays in its pods`)),
  )
  expect(notes.join()).not.toContain('secret')
  const [, text] = notes.at(-1)?.match(/kubectl patch deployment bot -n bots -p '(.*)'$/) ?? []
  expect(text && JSON.parse(text)).toEqual(patch && { spec: { template: { spec: patch } } })
})

test('the pods of a CronJob are looked at too', () => {
  const after = { ...ours, hostNetwork: true }
  expect(partsOfOthers(object('CronJob'), change(after)).at(-1)).toContain(
    `'{"spec":{"jobTemplate":{"spec":{"template":{"spec":{"hostNetwork":null}}}}}}'`,
  )
})

test('a container of others that has another volume at the same path is told', () => {
  const theirs = (name: string) => ({ name: 'side', image: 'x', volumeMounts: [{ name, mountPath: '/work' }] })
  const noted = (name: string) =>
    partsOfOthers(object(), change({ ...ours, containers: [bot, theirs(name)] })).filter((note) =>
      note.includes('sees'),
    )
  expect(noted('old')).toEqual(['deployment bot: at /work container side sees volume old, and bot another one, work'])
  expect(noted('work')).toEqual([])
})

test.each<[string, object, number]>([
  ['an emptyDir in whose place a claim comes', { name: 'old', emptyDir: {} }, 1],
  ['a claim in whose place another comes', { name: 'old', persistentVolumeClaim: { claimName: 'old' } }, 0],
  ['an emptyDir that stays', { name: 'work', emptyDir: {} }, 0],
])('files are lost with %s: %s', (_, volume, lost) => {
  const { name } = volume as { name: string }
  const before = { containers: [{ name: 'bot', volumeMounts: [{ name, mountPath: '/work' }] }], volumes: [volume] }
  expect(lostFiles(change(ours, before))).toHaveLength(lost)
})

test('a volume of another kind under a name of ours is refused, and no other fault of a volume', () => {
  const at = 'spec.template.spec.volumes[3].persistentVolumeClaim:'
  const refused = refuseVolumeKind(object(), `* ${at} Forbidden: may not specify more than 1 volume type`)
  expect(refused).toMatchObject({ kind: 'refused', remedy: expect.stringContaining('"$retainKeys":["name","persist') })
  expect(refuseVolumeKind(object(), `* ${at} Required value`)).toBeUndefined()
})

describe('a plan', () => {
  const plan = (state: object) =>
    manifests(blankKubernetes(), [object()], { script: 'bots', workspace: 'cluster', prune: false }).plan(
      { state: { ...parseDiff({ code: 0, stdout: '', stderr: '' }), ...state }, own: [] },
      { pending: [] },
    )

  test('tells what others keep in our pods, and what is lost with those that are there', () => {
    const containers = [{ name: 'bot', volumeMounts: [{ name: 'old', mountPath: '/work' }] }]
    const before = { containers, volumes: [{ name: 'old', emptyDir: {} }] }
    const changed = { ...change({ ...ours, hostNetwork: true }, before), keys: [], takenOver: [], template: true }
    const decision = plan({ changed: new Map([['Deployment bots/bot', changed]]) })
    expect(told(decision)).toEqual(['~ deployment bot, the files at /work'])
    expect(decision).toMatchObject({
      changes: [{ risk: 'data' }],
      notes: [
        expect.stringMatching(/^deployment bot: the files at \/work of container bot lie in its volume old and go/),
        'deployment bot: hostNetwork is not ours and stays in its pods',
        expect.stringContaining('take it away, then deploy: kubectl patch deployment bot -n bots'),
      ],
    })
  })

  test('tells what the API server warns of', () => {
    const warned = { warnings: ['existing pods in namespace "bots" violate'] }
    const notes = ['the API server warns: existing pods in namespace "bots" violate']
    expect(plan(warned)).toMatchObject({ kind: 'converged', notes })
  })
})
