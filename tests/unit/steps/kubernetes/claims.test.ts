import {
  type ClaimTemplate,
  keepingTemplates,
  readTemplates,
  templatesLine,
} from '@infra/shared/command/claim-templates'
import type { KubeObject } from '@infra/shared/command/kubectl'
import { parseDiff } from '@infra/shared/facts/kubernetes/manifests'
import { type StorageState, storageState } from '@infra/shared/facts/kubernetes/storage'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import { blankKubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { describe, expect, it, test } from 'vitest'
import { told } from '../told.ts'

const template = (name: string, storage: string, storageClassName?: string): ClaimTemplate => ({
  metadata: { name },
  spec: {
    accessModes: ['ReadWriteOnce'],
    ...(storageClassName && { storageClassName }),
    resources: { requests: { storage } },
  },
})
// As terraform-provider-kubernetes 2.38 makes them.
const terraforms = (template: ClaimTemplate) =>
  ({
    ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', status: { phase: 'Pending' } },
    metadata: { ...template.metadata, namespace: 'default', labels: { app: 'store' } },
    spec: { ...template.spec, volumeMode: 'Filesystem' },
  }) as ClaimTemplate
const store = (...volumeClaimTemplates: ClaimTemplate[]): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'store', namespace: 'bots' },
  spec: { replicas: 2, volumeClaimTemplates: volumeClaimTemplates as never },
})
const volume: KubeObject = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'work', namespace: 'bots' },
  spec: { storageClassName: 'fast' },
}
const storage: StorageState = { classes: ['fast', 'slow'], claims: [] }
const claim = (name: string, storageClass: string, bound: boolean, app = 'store') => ({
  name,
  app,
  storageClass,
  bound,
})

interface Row {
  readonly object?: KubeObject
  /** The templates that exist; the API server then refuses others. */
  readonly existing?: readonly ClaimTemplate[]
  readonly refused?: string
  readonly storage?: StorageState
  readonly noName?: boolean
  readonly line: string
  readonly remedy?: string
  readonly notes?: readonly string[]
}

function decide({ object = store(template('data', '1Gi', 'fast')), existing, refused, noName, ...row }: Row) {
  const variables = { size: 'STORE_SIZE', storageClass: 'CLASS', ...(noName ? {} : { name: 'STORE_CLAIM' }) }
  const options = { script: 'bots', workspace: 'cluster', prune: false }
  const step = manifests(blankKubernetes(), [object], {
    ...options,
    claimVariables: { store: variables, work: variables },
  })
  const forbidden = `The ${object.kind} "${object.metadata.name}" is invalid: spec: Forbidden: ${refused ?? 'updates'}\n`
  const known = existing ? templatesLine('bots', 'store', JSON.stringify(existing)) : ''
  const isRefused = refused !== undefined || existing !== undefined
  const state = parseDiff({ code: isRefused ? 2 : 0, stdout: '', stderr: isRefused ? known + forbidden : known })
  return step.plan({ state, own: [], storage: row.storage ?? storage }, { pending: [] })
}

describe('volumes of objects', () => {
  const keeps = 'its volume and its data stay as they are.'
  it.each<[string, Row]>([
    ['are made of a class that is there', { line: '= 1 objects' }],
    [
      'are refused of a class that is not, with the list',
      {
        storage: { classes: ['slow', 'slower'], claims: [] },
        line: '! there is no storage class fast in the cluster: volume data-store-0 would never be made',
        remedy: 'Set CLASS to a class of the cluster: slow, slower.',
      },
    ],
    [
      'are refused where no class is there at all',
      {
        object: volume,
        storage: { classes: [], claims: [] },
        line: '! there is no storage class fast in the cluster: volume work would never be made',
        remedy: 'Set CLASS to a class of the cluster: it has none at all.',
      },
    ],
    [
      'need no class any more once they are made',
      {
        storage: { classes: [], claims: [claim('data-store-0', 'fast', true), claim('data-store-1', 'fast', true)] },
        line: '= 1 objects',
      },
    ],
    [
      'need one as long as one of them waits',
      {
        storage: { classes: [], claims: [claim('data-store-0', 'fast', true), claim('data-store-1', 'fast', false)] },
        line: '! there is no storage class fast in the cluster: volume data-store-1 would never be made',
      },
    ],
    [
      'keep their size: the variable is named',
      {
        existing: [template('data', '5Gi', 'fast')],
        line: '! stateful set store makes volumes of 5Gi (claim template data) instead of 1Gi, and a claim template keeps its size',
        remedy: `Set STORE_SIZE=5Gi: ${keeps}`,
      },
    ],
    [
      'keep their class',
      {
        existing: [template('data', '1Gi', 'slow')],
        storage: { classes: ['fast', 'slow'], claims: [claim('data-store-0', 'slow', true)] },
        line: '! stateful set store has the storage class slow instead of fast, and keeps it',
        remedy: `Set CLASS=slow: ${keeps} To move the data to a volume of another class, copy it by hand.`,
      },
    ],
    [
      'that wait for a class of another name go without a loss',
      {
        existing: [template('data', '1Gi', 'gone')],
        storage: { ...storage, claims: [claim('data-store-0', 'gone', false)] },
        line: '! stateful set store has the storage class gone instead of fast, and keeps it',
        remedy:
          'Claim data-store-0 still waits for class gone and holds no data. Remove what was made with it, then deploy: kubectl delete statefulset store -n bots --cascade=orphan && kubectl delete persistentvolumeclaim data-store-0 -n bots',
      },
    ],
    [
      'that wait go alone where no StatefulSet made them',
      {
        object: volume,
        refused: 'spec is immutable',
        storage: { ...storage, claims: [claim('work', 'gone', false)] },
        line: '! volume work has the storage class gone instead of fast, and keeps it',
        remedy:
          'Claim work still waits for class gone and holds no data. Remove what was made with it, then deploy: kubectl delete persistentvolumeclaim work -n bots',
      },
    ],
    [
      'keep their name by a variable',
      {
        existing: [template('store-data', '1Gi', 'fast')],
        line: '! stateful set store keeps its data in claim store-data-store-0 (claim template store-data) instead of data-store-0',
        remedy: `Set STORE_CLAIM=store-data: ${keeps}`,
      },
    ],
    [
      'keep their name, size and class by three, told at once',
      {
        existing: [terraforms(template('store-data', '5Gi', 'slow'))],
        line: '! stateful set store keeps its data in claim store-data-store-0 (claim template store-data) instead of data-store-0',
        remedy: `Set STORE_CLAIM=store-data and STORE_SIZE=5Gi and CLASS=slow: ${keeps}`,
      },
    ],
    [
      'of another name are moved by hand where there is no variable',
      {
        existing: [template('store-data', '1Gi', 'fast')],
        noName: true,
        line: '! stateful set store keeps its data in claim store-data-store-0 (claim template store-data) instead of data-store-0: the data would not come along',
        remedy:
          'To move it: stop the pods (kubectl scale statefulset store -n bots --replicas=0), take the stateful set away, which leaves its claims (kubectl delete statefulset store -n bots --cascade=orphan), deploy, and copy the data from store-data-store-0 to data-store-0 in a pod that mounts both.',
      },
    ],
    [
      'stay where a StatefulSet has to go for another reason',
      {
        existing: [template('data', '1Gi', 'fast')],
        line: '! StatefulSet store cannot become as it shall be: spec: Forbidden: updates',
        remedy:
          'It is never replaced here. Take it away yourself, which leaves its pods and volumes, then deploy: kubectl delete statefulset store -n bots --cascade=orphan',
      },
    ],
    [
      'of an earlier StatefulSet are told of, those of others and those without data are not',
      {
        storage: {
          ...storage,
          claims: [
            claim('old-store-0', 'fast', true),
            claim('empty-store-0', 'fast', false),
            claim('data-my-store-0', 'fast', true, 'my-store'),
            claim('data-store-7', 'fast', true),
          ],
        },
        line: '= 1 objects',
        notes: [
          'claim old-store-0 of an earlier stateful set store is not used, nor the data in it: STORE_CLAIM=old names it',
        ],
      },
    ],
  ])('%s', (_, row) => {
    const decision = decide(row)
    expect(told(decision)).toEqual([row.line])
    if (decision.kind === 'refused') expect(decision.remedy).toEqual(row.remedy ?? expect.anything())
    else expect(decision.notes ?? []).toEqual(row.notes ?? [])
  })
})

test('a template that makes the same volumes is kept as it is, whatever else it says', () => {
  const object = store(template('data', '1Gi', 'fast'), template('log', '1Gi', 'fast'))
  for (const old of [
    terraforms(template('data', '1Gi', 'fast')),
    template('data', '1Gi'),
    terraforms(template('data', '1Gi')),
  ])
    expect(keepingTemplates(object, [old, template('log', '1Gi', 'slow')])).toEqual(
      store(old, template('log', '1Gi', 'fast')),
    )
  const { spec, metadata } = template('data', '1Gi', 'fast')
  for (const existing of [
    [],
    [template('data', '1Gi', 'slow')],
    [template('data', '2Gi', 'fast')],
    [template('other', '1Gi')],
    [{ metadata, spec: { ...spec, accessModes: ['ReadWriteMany'] } }],
    [{ metadata, spec: { ...spec, volumeMode: 'Block' } }],
  ])
    expect(keepingTemplates(object, existing)).toBe(object)
  const told = `${templatesLine('bots', 'store', '[{"metadata":{"name":"data"}}]')}Warning: old\n`
  expect([...readTemplates(told)]).toEqual([['bots/store', [{ metadata: { name: 'data' } }]]])
})

test('classes and claims are read from the columns of kubectl get', () => {
  const stdout = `StorageClass            do-block-storage   <none>   <none>   <none>
PersistentVolumeClaim   data-redis-0       do-block-storage   Bound   redis
PersistentVolumeClaim   lost               <none>   Pending   <none>
`
  const { parse } = storageState('bots')
  expect(parse({ code: 0, stdout, stderr: '' })).toEqual({
    classes: ['do-block-storage'],
    claims: [
      { name: 'data-redis-0', app: 'redis', storageClass: 'do-block-storage', bound: true },
      { name: 'lost', app: undefined, storageClass: undefined, bound: false },
    ],
  })
  expect(parse({ code: 127, stdout: '', stderr: '' })).toBeUndefined()
  expect(() => parse({ code: 1, stdout: '', stderr: 'error: odd\n' })).toThrow('odd')
})

test('warnings of the API server are notes of the plan', () => {
  const state = parseDiff({ code: 0, stdout: '', stderr: 'Warning: a\nnamespaces "x" not found\nWarning: b: c\n' })
  const step = manifests(blankKubernetes(), [volume], { script: 'bots', workspace: 'cluster', prune: false })
  expect(step.plan({ state, own: [], storage }, { pending: [] })).toMatchObject({
    kind: 'converged',
    notes: ['the API server warns: a', 'the API server warns: b: c'],
  })
})
