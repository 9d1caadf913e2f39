import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { revealText, showText } from '@infra/shared/command/command'
import type { KubeObject } from '@infra/shared/command/kubectl'
import { manifestText, secretData } from '@infra/shared/command/kubectl'
import { secret } from '@infra/shared/command/secret'
import { type Decision, converged as nothing, step } from '@infra/shared/engine/step'
import { type ManifestsState, type ObjectChange, parseDiff } from '@infra/shared/facts/kubernetes/manifests'
import type { TerminatingNamespace } from '@infra/shared/facts/kubernetes/namespace'
import type { OwnObject } from '@infra/shared/facts/kubernetes/objects'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import { blankKubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { describe, expect, it, test } from 'vitest'
import { told } from '../told.ts'

const recorded = readFileSync(join(import.meta.dirname, '../recorded/kubectl-diff.txt'), 'utf8')
const converged: ManifestsState = {
  ...{ changed: new Map(), blank: false, missingNamespaces: [], refused: undefined, denied: undefined },
  ...{ unknownKind: undefined, claimTemplates: new Map(), warnings: [], notYet: [] },
}

const objects: KubeObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bots' } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'bot', namespace: 'bots' },
    spec: { strategy: { type: 'RollingUpdate' } },
  },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'store', namespace: 'bots' }, spec: {} },
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'bots' } },
]
const change = (kind: string, name: string, more: Partial<ObjectChange> = {}): [string, ObjectChange] => [
  `${kind} bots/${name}`,
  {
    kind,
    namespace: 'bots',
    name,
    before: 'a: 1\n',
    after: 'a: 2\n',
    keys: [],
    takenOver: [],
    template: false,
    ...more,
  },
]
const ours = (kind: string, name: string, component = 'bots'): OwnObject =>
  ({ kind, namespace: 'bots', name, component }) as OwnObject

interface Row {
  state?: Partial<ManifestsState>
  own?: OwnObject[]
  terminating?: TerminatingNamespace[]
  prune?: boolean
  changes: string[]
  risks?: string[]
  notes?: unknown[]
}

const decide = ({ state, own = [], terminating = [], prune = false }: Row): Decision =>
  manifests(blankKubernetes(), objects, { script: 'bots', workspace: 'cluster', prune }).plan(
    { state: { ...converged, ...state }, own, terminating },
    { pending: [] },
  )

describe('manifests', () => {
  it.each<[string, Row]>([
    ['are left alone when they are as they shall be', { changes: ['= 4 objects'] }],
    [
      'are all made where there is no cluster yet',
      {
        state: { blank: true },
        changes: ['+ namespace bots', '+ deployment bot', '+ stateful set store', '+ secret s'],
      },
    ],
    [
      'are made in a namespace that is not there, whatever the rest is',
      {
        state: { missingNamespaces: ['bots'] },
        changes: ['+ deployment bot', '+ stateful set store', '+ secret s'],
      },
    ],
    [
      'change as the API server says, with what it costs',
      {
        state: {
          changed: new Map([
            change('Deployment', 'bot', { template: true, takenOver: ['Terraform: spec.replicas'] }),
            change('StatefulSet', 'store', { template: true }),
            change('Secret', 's', { keys: ['A', 'B'] }),
          ]),
        },
        changes: [
          '~ deployment bot (took over from Terraform: spec.replicas)',
          '~ stateful set store',
          '~ secret s: A, B',
        ],
        risks: ['restart', 'downtime', 'safe'],
      },
    ],
    [
      'are told of when nobody wants them any more, and go where they give somebody rights',
      {
        own: [...['Service', 'RoleBinding'].map((kind) => ours(kind, 'old')), ours('Service', 'theirs', 'other')],
        changes: ['- role binding old'],
        notes: ['service old is not declared any more; deploy -- --prune removes it'],
      },
    ],
    [
      'are removed then with --prune, but for what holds data',
      {
        own: [ours('Secret', 'old'), ours('PersistentVolumeClaim', 'data')],
        prune: true,
        changes: ['- secret old'],
        risks: ['data'],
        notes: [expect.stringContaining('remove it by hand: kubectl delete persistentvolumeclaim data -n bots')],
      },
    ],
    [
      'are refused where a volume would grow, for more money and for good',
      {
        state: {
          changed: new Map([
            change('Deployment', 'bot'),
            change('PersistentVolumeClaim', 'work', { resized: { from: '10Gi', to: '20Gi' } }),
          ]),
        },
        changes: ['! volume work has 10Gi instead of 20Gi, and a volume keeps its size here'],
      },
    ],
    [
      'are refused where the API server refuses them',
      {
        state: { refused: { object: 'Deployment bot', reason: 'spec.selector: Invalid value: field is immutable' } },
        changes: ['! Deployment bot cannot become as it shall be: spec.selector: Invalid value: field is immutable'],
      },
    ],
    [
      'are refused where admission control denies them, in its words',
      {
        state: { denied: { by: 'quota few of the namespace', words: 'requested: pods=1', remedy: 'Have it raised.' } },
        changes: ['! quota few of the namespace denied the request: requested: pods=1'],
      },
    ],
    [
      'are refused in a namespace that is being deleted, also where nothing would differ',
      {
        terminating: [{ name: 'bots', heldBy: ['3 pods'], remaining: ['pods'] }],
        changes: ['! namespace bots is being deleted, held by 3 pods'],
      },
    ],
  ])('%s', (_, row) => {
    const decision = decide(row)
    expect(told(decision)).toEqual(row.changes)
    if (row.risks && decision.kind === 'changes') expect(decision.changes.map(({ risk }) => risk)).toEqual(row.risks)
    expect(decision.kind === 'refused' ? [] : (decision.notes ?? [])).toEqual(row.notes ?? [])
  })

  it('are applied in one go, each with our labels, and none that does not change', () => {
    const decision = decide({
      state: { changed: new Map([change('Deployment', 'bot'), change('Secret', 's')]) },
      changes: [],
    })
    const batches = decision.kind === 'changes' ? decision.changes.map(({ batch }) => batch) : []
    expect(new Set(batches.map((batch) => batch?.key)).size).toBe(1)
    const [command] = batches[0]?.run(batches.flatMap((batch) => batch?.items ?? [])) ?? []
    expect(command?.line).toBe('kubectl apply --server-side --force-conflicts --field-manager=infra -f -')
    const { items } = JSON.parse(command?.stdin ? revealText(command.stdin) : '') as { items: KubeObject[] }
    expect(items.map(({ kind }) => kind)).toEqual(['Deployment', 'Secret'])
    expect(items[0]?.metadata.labels).toEqual({
      'app.kubernetes.io/managed-by': 'infra',
      'app.kubernetes.io/part-of': 'cluster',
      'app.kubernetes.io/component': 'bots',
    })
  })

  it('hold secrets that show nowhere but where they are sent', () => {
    const object: KubeObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      data: secretData({ KEY: secret('va"lue-of-it') }),
    }
    const text = manifestText([object])
    expect(showText(text)).toBe(
      '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"KEY":[secret]}}]}',
    )
    const sent = JSON.parse(revealText(text)) as { items: { data: { KEY: string } }[] }
    expect(Buffer.from(sent.items[0]?.data.KEY ?? '', 'base64').toString()).toBe('va"lue-of-it')
  })
})

describe('the answer of kubectl diff', () => {
  test('tells of each object what changes, and whose fields we take', () => {
    const { changed } = parseDiff({ code: 1, stdout: recorded, stderr: '' })
    expect([...changed.keys()]).toEqual(['Deployment bots/bot', 'Secret bots/new', 'Secret bots/s'])
    const bot = changed.get('Deployment bots/bot')
    expect(bot?.takenOver).toEqual([
      'Terraform: spec.replicas, spec.template.spec.containers[name=bot].env[name=A].value, spec.template.spec.containers[name=bot].image',
    ])
    expect(bot?.template).toBe(true)
    expect(bot?.before).toContain('image: old')
    expect(bot?.after).toContain('image: new')
    for (const noise of ['managedFields', 'generation', 'uid', 'status', 'creationTimestamp'])
      expect(bot?.after).not.toContain(noise)
    expect(changed.get('Secret bots/new')).toMatchObject({ before: null, keys: ['A'] })
    expect(changed.get('Secret bots/s')).toMatchObject({ keys: ['A', 'B'], before: '', after: '' })
  })

  test('tells the size that a volume has, and how it would grow', () => {
    const lines = [
      'kind: PersistentVolumeClaim',
      'metadata:',
      '  name: work',
      '  namespace: bots',
      'spec:',
      '  resources:',
      '    requests:',
    ]
    const body = [...lines.map((line) => ` ${line}`), '-      storage: 10Gi', '+      storage: 20Gi'].join('\n')
    const { changed } = parseDiff({ code: 1, stdout: `diff -r a b\n@@ -1,9 +1,9 @@\n${body}\n`, stderr: '' })
    expect(decide({ state: { changed }, changes: [] })).toMatchObject({
      kind: 'refused',
      remedy: `Set the variable back to 10Gi. To have it grow, which is billed and can never be undone, do it yourself, then deploy: kubectl patch persistentvolumeclaim work -n bots -p '{"spec":{"resources":{"requests":{"storage":"20Gi"}}}}'`,
    })
  })

  test('keeps nothing of a Secret but names, whatever differs in it', () => {
    const applied = `kubectl.kubernetes.io/last-applied-configuration: '{"data":{"PASSWORD":"czNjcjN0"}}'`
    const lines = [
      '@@ -1,9 +1,10 @@',
      ' apiVersion: v1\n kind: Secret\n metadata:\n   annotations:',
      `     ${applied}`,
      '-    note: b2xk\n+    note: bmV3',
      '   labels:\n     app: web\n+    part-of: cluster\n   name: s\n   namespace: bots\n type: Opaque',
    ]
    const { changed } = parseDiff({ code: 1, stdout: `diff -r a b\n${lines.join('\n')}\n`, stderr: '' })
    const decision = decide({ state: { changed }, changes: [] })
    expect(told(decision)).toEqual(['~ secret s: label part-of, annotation note'])
    expect(decision.kind === 'changes' && decision.changes[0]?.diff).toEqual({ kind: 'secret', path: 'Secret bots/s' })
    expect(JSON.stringify([...changed])).not.toMatch(/czNjcjN0|b2xk|bmV3/)
  })

  test.each<[string, number, string, Partial<ManifestsState>]>([
    ['nothing differs', 0, '', {}],
    ['there is no cluster', 127, '', { blank: true }],
    [
      'it is taken with a warning',
      0,
      'Warning: existing pods violate\nother\n',
      { warnings: ['existing pods violate'] },
    ],
    ['a namespace is not there', 1, 'namespaces "bots" not found\n', { missingNamespaces: ['bots'] }],
    [
      'an object is refused',
      2,
      'The Deployment "bot" is invalid: spec.selector: Invalid value: {}: field is immutable\n{\n',
      { refused: { object: 'Deployment bot', reason: 'spec.selector: Invalid value: {}: field is immutable' } },
    ],
  ])('when %s', (_, code, stderr, state) => {
    expect(parseDiff({ code, stdout: '', stderr })).toEqual({ ...converged, ...state })
  })

  test('is not an answer when something else went wrong', () => {
    expect(() => parseDiff({ code: 2, stdout: '', stderr: 'error: no matches for kind "HTTPRoute"\n' })).toThrow(
      'no matches for kind "HTTPRoute"',
    )
  })
})

describe('what is made for the pods elsewhere', () => {
  const from = (id: string) => step({ id, on: blankKubernetes(), ask: {}, plan: () => nothing('') })
  const [image, key] = [from('image bot'), from('key')]
  const podInputs = [
    { from: image, what: 'its new image' },
    { from: key, what: 'its new access key' },
  ]
  it.each<[pending: string[], changed: [string, ObjectChange][], lines: string[]]>([
    [[], [], ['= 4 objects']],
    [['another'], [], ['= 4 objects']],
    [['image bot'], [], ['~ deployment bot: its new image', '~ stateful set store: its new image']],
    [
      ['image bot', 'key'],
      [change('Deployment', 'bot')],
      ['~ deployment bot', '~ stateful set store: its new image and its new access key'],
    ],
  ])('is announced while it is pending: %o', (pending, changed, lines) => {
    const planned = manifests(blankKubernetes(), objects, {
      script: 'bots',
      workspace: 'cluster',
      prune: false,
      podInputs,
    })
    expect(planned.dependsOn).toEqual([image, key])
    const state = { ...converged, changed: new Map(changed) }
    expect(told(planned.plan({ state, own: [] }, { pending }))).toEqual(lines)
  })
})
