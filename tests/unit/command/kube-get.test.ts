import { valuesAt } from '@infra/shared/command/json-path'
import { type KubeGet, kubeGet } from '@infra/shared/command/kube-get'
import { kubeKind, kubePath } from '@infra/shared/command/kube-kinds'
import { describe, expect, it } from 'vitest'

describe('a kubectl get', () => {
  it.each<[KubeGet, string]>([
    [{ kinds: ['nodes'] }, 'kubectl get nodes -o json'],
    [{ kinds: ['secret'], names: ['a b'], namespace: 'x' }, "kubectl get secret 'a b' -n x --ignore-not-found -o json"],
    [{ kinds: ['namespace'], names: ['a', 'b'] }, 'kubectl get namespace a b --ignore-not-found -o json'],
    [{ kinds: ['pods'], namespace: 'x', selector: 'app' }, 'kubectl get pods -n x -l app -o json'],
    [
      { kinds: ['jobs.batch', 'roles'], selector: 'a=b', print: { as: 'columns', paths: ['.kind', '.spec.n'] } },
      "kubectl get jobs.batch,roles -A -l 'a=b' --no-headers -o 'custom-columns=C0:.kind,C1:.spec.n'",
    ],
    [
      { kinds: ['configmap'], names: ['c'], namespace: 'x', print: { as: 'value', path: '.data.A\\.toml' } },
      "kubectl get configmap c -n x --ignore-not-found -o 'jsonpath={.data.A\\.toml}'",
    ],
  ])('%j', (get, line) => {
    expect(kubeGet(get).line).toBe(line)
  })

  it.each(['.metadata..name', '.spec[*].a', '.items[-1]', 'kind', '.a[?(@.b>1)]', '.a{.b}'])(
    'does not take the path %s, whose meaning is not known',
    (path) => {
      const columns = { as: 'columns', paths: ['.kind', path] } as const
      expect(() => kubeGet({ kinds: ['pods'], print: columns })).toThrow(TypeError)
      expect(() => kubeGet({ kinds: ['pods'], names: ['a'], print: { as: 'value', path } })).toThrow(path)
    },
  )
})

describe('a path', () => {
  const object = {
    kind: 'Pod',
    metadata: { labels: { 'app.io/part': 'x', app: '' } },
    spec: { replicas: 0, paused: false, containers: [{ name: 'a', env: [{ name: 'R', value: 'r' }, { name: 'S' }] }] },
  }
  it.each<[string, unknown[]]>([
    ['', [object]],
    ['.kind', ['Pod']],
    ['.metadata.labels.app\\.io/part', ['x']],
    ['.metadata.labels.app', ['']],
    ['.spec.replicas', [0]],
    ['.spec.paused', [false]],
    ['.spec.containers[0].env[?(@.name=="R")].value', ['r']],
    ['.spec.containers[0].env[?(@.name=="S")].value', []],
    ['.spec.containers[1].name', []],
    ['.spec.containers.name', []],
    ['.kind.name', []],
    ['.kind[0]', []],
    ['.status.phase', []],
  ])('%s', (path, values) => {
    expect(valuesAt(path, object)).toEqual(values)
  })
})

describe('a kind', () => {
  it.each<[string, string]>([
    ['secret', '/api/v1/namespaces/x/secrets'],
    ['deployments.apps', '/apis/apps/v1/namespaces/x/deployments'],
    ['deployment', '/apis/apps/v1/namespaces/x/deployments'],
    ['networkpolicies.networking.k8s.io', '/apis/networking.k8s.io/v1/namespaces/x/networkpolicies'],
    ['storageclasses.storage.k8s.io', '/apis/storage.k8s.io/v1/storageclasses'],
    ['namespaces', '/api/v1/namespaces'],
    ['httproutes.gateway.networking.k8s.io', '/apis/gateway.networking.k8s.io/v1/namespaces/x/httproutes'],
  ])('%s is at %s', (word, path) => {
    const kind = kubeKind(word)
    expect(kind && kubePath(kind, 'x')).toBe(path)
  })

  it('that is not listed is not guessed', () => {
    for (const word of ['widgets', 'secrets.apps', 'Secret', '']) expect(kubeKind(word)).toBeUndefined()
  })
})
