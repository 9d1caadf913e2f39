import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeObject } from '@infra/shared/command/kubectl'
import {
  namespaceState,
  type TerminatingNamespace,
  terminatingNamespaces,
} from '@infra/shared/facts/kubernetes/namespace'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import { namespacePresent } from '@infra/shared/steps/kubernetes/namespace'
import { blankKubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { expect, test } from 'vitest'
import { told } from '../told.ts'

/** Three were asked for: one is being deleted, one is there, one is not. */
const recorded = readFileSync(join(import.meta.dirname, '../recorded/kubectl-namespaces.json'), 'utf8')
const says = (stdout: unknown) => ({
  code: 0,
  stdout: typeof stdout === 'string' ? stdout : JSON.stringify(stdout),
  stderr: '',
})
const [first, second] = (JSON.parse(recorded) as { items: object[] }).items
const object: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'going' } }
const decide = (state: 'there' | 'missing' | TerminatingNamespace) =>
  namespacePresent(blankKubernetes(), object).plan({ state } as never, { pending: [] })
const going: TerminatingNamespace = {
  name: 'going',
  heldBy: ['1 configmaps', 'finalizers example.com/hold in 1 resource instances'],
  remaining: ['configmaps'],
}

test('a namespace that is being deleted tells what holds it', () => {
  expect(terminatingNamespaces(['going', 'rec', 'absent']).parse(says(recorded))).toEqual([going])
  const { parse } = namespaceState('going')
  expect([parse(says(first)), parse(says(second)), parse(says(''))]).toEqual([going, 'there', 'missing'])
  const finalizers = ['example.com/project', 'kubernetes']
  const own = { metadata: { name: 'going', deletionTimestamp: '2026-11-29T04:46:19Z', finalizers: ['a/b'] } }
  expect(parse(says({ ...own, spec: { finalizers }, status: { phase: 'Terminating' } }))).toEqual({
    name: 'going',
    heldBy: ['finalizer a/b of the namespace itself', 'finalizer example.com/project of the namespace itself'],
    remaining: [],
  })
  const several =
    'Some resources are remaining: configmaps. has 2 resource instances, deployments.apps has 1 resource instances'
  const conditions = [
    {
      type: 'NamespaceDeletionDiscoveryFailure',
      status: 'True',
      message: 'Discovery failed for metrics.k8s.io/v1beta1',
    },
    { type: 'NamespaceContentRemaining', status: 'True', message: several },
  ]
  expect(parse(says({ ...own, status: { conditions } }))).toMatchObject({
    heldBy: [
      'Discovery failed for metrics.k8s.io/v1beta1',
      '2 configmaps, 1 deployments.apps',
      'finalizer a/b of the namespace itself',
    ],
    remaining: ['configmaps', 'deployments.apps'],
  })
})

test('could not be read is not taken for none', () => {
  const { parse } = terminatingNamespaces(['going'])
  expect(() => parse({ code: 1, stdout: '', stderr: 'Error from server: etcd is away\n' })).toThrow('etcd is away')
  expect(parse({ code: 127, stdout: '', stderr: '' })).toEqual([])
})

test('nothing is planned in it', () => {
  expect(told(decide('missing'))).toEqual(['+ namespace going'])
  expect(told(decide('there'))).toEqual(['= there'])
  expect(told(decide(going))).toEqual([
    '! namespace going is being deleted, held by 1 configmaps; finalizers example.com/hold in 1 resource instances',
  ])
  expect(decide(going)).toMatchObject({
    remedy: expect.stringMatching(
      /^Wait until it is gone \(kubectl get namespace going\).*: kubectl get configmaps -n going\. .*kubectl patch TYPE NAME -n going --type=merge -p '\{"metadata":\{"finalizers":null\}\}'$/,
    ),
  })
  expect(decide({ name: 'going', heldBy: [], remaining: [] })).toMatchObject({
    reason: 'namespace going is being deleted',
    remedy: 'Wait until it is gone (kubectl get namespace going), then run again: its deletion cannot be taken back.',
  })
})

test('manifests ask for their namespaces alone, and for none where they are in none', () => {
  const commands = (...of: KubeObject[]) =>
    Object.values(manifests(blankKubernetes(), of, { script: 'bots', workspace: 'cluster', prune: false }).ask)
      .map(({ command }) => command.line)
      .filter((line) => line.startsWith('kubectl get namespace '))
  expect(commands(object, { ...object, kind: 'ConfigMap', metadata: { name: 'a', namespace: 'also' } })).toEqual([
    'kubectl get namespace also going --ignore-not-found -o json',
  ])
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'reader' } }
  expect(commands(role)).toEqual([])
})
