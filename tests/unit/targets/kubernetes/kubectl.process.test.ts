import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, revealText } from '@infra/shared/command/command'
import { kubeGet } from '@infra/shared/command/kube-get'
import { diffLine, type KubeObject, kubectlDiff } from '@infra/shared/command/kubectl'
import { raw } from '@infra/shared/command/sh'
import { diffAll } from '@infra/shared/targets/kubernetes/diffs'
import { kubectlFailure } from '@infra/shared/targets/kubernetes/errors'
import { readAccess } from '@infra/shared/targets/kubernetes/kubeconfig'
import { kubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { describe, expect, it, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

const access = { files: '/k', context: 'prod', cluster: 'bots', server: 'https://203.0.113.9:6443' }
const config = (name: string, more: object = {}) => ({
  clusters: [{ name, cluster: { server: `https://${name}.example.com` } }],
  users: [{ name, user: { token: 'kept-to-itself-77' } }],
  contexts: [{ name, context: { cluster: name, user: name } }],
  ...more,
})

describe('faults of the way to a cluster', () => {
  it.each<[string, string, 'error' | 'unreachable', string]>([
    [
      'refused',
      'E1124 memcache.go:265] connection refused\nThe connection to the server 203.0.113.9:6443 was refused - did you specify the right host or port?',
      'unreachable',
      'the Kubernetes API at https://203.0.113.9:6443 does not answer',
    ],
    [
      'no answer',
      'Unable to connect to the server: dial tcp 203.0.113.9:6443: i/o timeout',
      'unreachable',
      'the Kubernetes API at https://203.0.113.9:6443 does not answer',
    ],
    [
      'expired',
      'error: You must be logged in to the server (Unauthorized)',
      'error',
      'https://203.0.113.9:6443 does not accept the credentials of context prod: expired or revoked',
    ],
    [
      'forbidden',
      'Error from server (Forbidden): deployments.apps is forbidden: User "ana" cannot list resource "deployments" in API group "apps" in the namespace "bots"',
      'error',
      'user ana may not list deployments.apps in namespace bots',
    ],
    [
      'forbidden everywhere',
      'Error from server (Forbidden): clusterroles.rbac is forbidden: User "ana" cannot get resource "clusterroles" in API group "" at the cluster scope',
      'error',
      'user ana may not get clusterroles in the whole cluster',
    ],
    [
      'a certificate',
      'Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority',
      'error',
      'the certificate of https://203.0.113.9:6443 is not trusted: certificate signed by unknown authority',
    ],
    ['a context', 'error: context "prod" does not exist', 'error', 'there is no context prod in /k'],
    [
      'overloaded',
      'Error from server (TooManyRequests): the server has received too many requests',
      'unreachable',
      'the Kubernetes API at https://203.0.113.9:6443 has a fault of its own',
    ],
  ])('%s', (_, stderr, kind, message) => {
    const failure = kubectlFailure(access, { code: 1, stdout: '', stderr })
    expect([failure?.kind, failure?.message]).toEqual([kind, message])
    expect(failure?.remedy).toBeTruthy()
  })

  it('a pod’s log, an object that is not there and an invalid one are none', () => {
    for (const stderr of [
      '  redis: connection refused',
      'Error from server (NotFound): namespaces "x" not found',
      'The Deployment "x" is invalid: spec: Forbidden: no',
    ])
      expect(kubectlFailure(access, { code: 1, stdout: '', stderr })).toBeUndefined()
  })

  it('during a change it is said that its outcome is not known', () => {
    const output = { code: 1, stdout: '', stderr: 'Unable to connect to the server: EOF' }
    expect(kubectlFailure(access, output, 'kubectl apply')?.remedy).toMatch(/kubectl apply\) may or may not/)
  })
})

const object = (name: string, namespace: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
})
const namesIn = ({ stdin }: Command) =>
  (stdin ? revealText(stdin) : '')
    .trim()
    .split('\n')
    .flatMap((list) => (JSON.parse(list) as { items: KubeObject[] }).items.map(({ metadata }) => metadata.name))
const block = (name: string, space: string) =>
  `diff -r LIVE-1/apps.v1.Deployment.${space}.${name} MERGED-2/apps.v1.Deployment.${space}.${name}\n@@ -0,0 +1 @@\n+name: ${name}\n`

describe('questions about manifests', () => {
  const questions = [kubectlDiff([object('a', 'one'), object('b', 'one')]), kubectlDiff([object('c', 'two')])]

  it('of a whole run are one process, and each gets its own part of the answer', async () => {
    const calls: string[][] = []
    const outputs = await diffAll(questions, async (command) => {
      calls.push(namesIn(command))
      return { code: 1, stdout: block('b', 'one'), stderr: '' }
    })
    expect(calls).toEqual([['a', 'b', 'c']])
    expect(outputs).toEqual([
      { code: 1, stdout: block('b', 'one'), stderr: '' },
      { code: 0, stdout: '', stderr: '' },
    ])
  })

  it('are asked one by one when something stops them, without what has no namespace yet', async () => {
    const calls: string[][] = []
    const outputs = await diffAll(
      [...questions, kubectlDiff([object('d', 'two'), object('e', 'one')])],
      async (command) => {
        calls.push(namesIn(command))
        const spaces = (command.stdin ? revealText(command.stdin) : '').includes('"namespace":"two"')
        const stderr = 'Error from server (NotFound): namespaces "two" not found\n'
        return spaces ? { code: 2, stdout: '', stderr } : { code: 1, stdout: block('e', 'one'), stderr: '' }
      },
    )
    expect(calls).toEqual([['a', 'b', 'c', 'd', 'e'], ['a', 'b'], ['c'], ['d', 'e'], ['e']])
    expect(outputs.map(({ code, stderr }) => [code, stderr])).toEqual([
      [1, ''],
      [1, 'namespaces "two" not found\n'],
      [1, 'namespaces "two" not found\n'],
    ])
    expect(outputs[2]?.stdout).toBe(block('e', 'one'))
  })
})

describe('a kubeconfig', () => {
  const folder = tempFolder()
  const file = (name: string, content: unknown) => {
    const path = join(folder, name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }
  const one = file('one', config('one', { 'current-context': 'one' }))
  const two = file('two', config('two'))

  it('leads to the cluster of a context, whichever file has it', () => {
    expect(readAccess(`${one}:${two}`, 'two')).toMatchObject({ cluster: 'two', server: 'https://two.example.com' })
    expect(readAccess(one)).toMatchObject({ context: 'one' })
  })

  it.each<[string, () => unknown, RegExp]>([
    ['that is not there', () => readAccess('/nonexistent', 'x'), /there is no kubeconfig \/nonexistent/],
    ['without that context', () => readAccess(one, 'two'), /there is no context two in/],
    ['without any current one', () => readAccess(two), /there is no context in/],
    [
      'that is not YAML',
      () => readAccess(file('bad', 'a: [\ntoken: kept-to-itself-77'), 'x'),
      /cannot be read as a kubeconfig: line \d/,
    ],
    [
      'whose context leads nowhere',
      () => readAccess(file('lost', config('lost', { clusters: [] })), 'lost'),
      /context lost leads to no cluster: lost/,
    ],
  ])('%s is an error', (_, read, message) => {
    expect(read).toThrow(message)
    expect(read).not.toThrow(/kept-to-itself/)
  })
})

describe('kubectl', () => {
  const folder = tempFolder()
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'config'), JSON.stringify(config('one')))
  // Stands where the question is what kubectl is called with: what it does is asked of a real cluster in the lab.
  writeFileSync(join(folder, 'bin/kubectl'), '#!/bin/sh\necho "$KUBECONFIG" "$@"\ncat\n')
  chmodSync(join(folder, 'bin/kubectl'), 0o755)
  let image: string | undefined
  const on = kubernetes({
    access: () => readAccess(join(folder, 'config'), 'one'),
    placeholderName: 'a cluster',
    cache: join(folder, 'cache'),
    env: { PATH: `${join(folder, 'bin')}:${process.env.PATH}` },
    values: {
      '@image@': { find: async () => image },
      '@key@': { find: async () => undefined, placeholder: 'not-made-yet', missing: 'there is no key yet: make one' },
    },
  })

  test.each([
    ['Delete it, then deploy: kubectl delete secret a -n b', true],
    ['Set REDIS_SIZE=2Gi', false],
  ])('a remedy names the kubeconfig first that a shell needs for its commands: %s', (remedy, isTyped) => {
    const first = `First, for this cluster: export KUBECONFIG=${folder}/config\n`
    expect(on.remedyToType?.(remedy)).toBe(`${isTyped ? first : ''}${remedy}`)
  })

  test('is always told the context, and gets manifests by stdin', async () => {
    expect(on.name).toBe('kubernetes one (context one) at https://one.example.com')
    const [output] = await on.run([{ line: 'kubectl apply -f -', stdin: { parts: ['manifest'] } }], () => {})
    expect(output?.stdout).toBe(`${folder}/config --context one --cache-dir ${folder}/cache apply -f -\nmanifest`)
    const [asked] = await on.ask([raw('kubectl get pods')])
    expect(asked?.stdout).toContain('--request-timeout=20s get pods')
  })

  test('is asked by itself what no proxy answers', async () => {
    const asked = [kubeGet({ kinds: ['nodes'] }), kubeGet({ kinds: ['secret'], names: ['a'], namespace: 'x' })]
    expect((await on.ask(asked)).map(({ stdout }) => stdout.split('=20s ')[1])).toEqual([
      'get nodes -o json\n',
      'get secret a -n x --ignore-not-found -o json\n',
    ])
  })

  test('is not asked what cannot be said yet', async () => {
    const question = { line: diffLine.line, stdin: { parts: ['{"items":[],"image":"@image@"}'] } }
    expect(await on.ask([question, raw('kubectl version')])).toMatchObject([
      { code: 2, stderr: '@image@ is not known yet' },
      { code: 0 },
    ])
    image = 'bot@sha256:12'
    const [output] = await on.ask([question])
    expect(output?.stdout).toContain('"image":"bot@sha256:12"')
  })

  test('is asked with what stands for a value until there is one, and applies nothing without it', async () => {
    const stdin = { parts: ['{"items":[],"key":"@key@"}'] }
    const [asked] = await on.ask([{ line: diffLine.line, stdin }])
    expect(asked?.stdout).toContain('"key":"not-made-yet"')
    expect(asked?.stderr).toMatch(/^Not yet: there is no key yet: make one\n/)
    const applied = on.run([{ line: 'kubectl apply -f -', stdin }], () => {})
    await expect(applied).rejects.toMatchObject({
      message: 'there is no key yet: make one',
      remedy: expect.any(String),
    })
  })
})
