import { type KubeGet, kubeGet } from '@infra/shared/command/kube-get'
import { readByApi } from '@infra/shared/targets/kubernetes/api-reads'
import { describe, expect, it } from 'vitest'

type Answers = Readonly<Record<string, object | readonly [status: number, body: string]>>

const missing = (name: string) =>
  [404, JSON.stringify({ kind: 'Status', reason: 'NotFound', details: { name } })] as const
const list = (...items: object[]) => ({ kind: 'AnyList', items })
const named = (name: string, more: object = {}) => ({ metadata: { name, managedFields: [{ manager: 'x' }] }, ...more })

/** What is answered, and what was asked for it. */
async function read(get: KubeGet, answers: Answers) {
  const asked: string[] = []
  const output = await readByApi(kubeGet(get).request, async (path, accept) => {
    asked.push(accept === undefined ? path : `${path} as ${accept.match(/as=(\w+)/)?.[1]}`)
    const answer = answers[path]
    if (answer === undefined) throw new Error(`connection lost at ${path}`)
    if (Array.isArray(answer)) return { status: answer[0] as number, body: answer[1] as string }
    return { status: 200, body: JSON.stringify(answer) }
  })
  return { output, asked }
}
const told = (stdout: string) => ({ code: 0, stdout, stderr: '' })

describe('objects by their names', () => {
  const secret = { kinds: ['secret'], names: ['keys'], namespace: 'x' }
  const path = '/api/v1/namespaces/x/secrets/keys'
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, data: { a: 'eA==' } }

  it('one is itself, without what kubectl leaves out', async () => {
    const { output } = await read(secret, { [path]: named('keys', { data: { a: 'eA==' } }) })
    expect(output?.code).toBe(0)
    expect(JSON.parse(output?.stdout ?? '')).toEqual(object)
  })

  it('one that is not there is nothing', async () => {
    expect((await read(secret, { [path]: missing('keys') })).output).toEqual(told(''))
  })

  it.each<[string, Answers]>([
    ['a path that nobody serves', { [path]: [404, '404 page not found\n'] }],
    ['something else that is not there', { [path]: missing('x') }],
    ['no right to read it', { [path]: [403, JSON.stringify({ reason: 'Forbidden' })] }],
    ['credentials that are not accepted', { [path]: [401, '{}'] }],
    ['a server that is not reached', { [path]: [502, '{}'] }],
    ['a server with a fault of its own', { [path]: [503, 'etcd'] }],
  ])('%s is left to kubectl', async (_, answers) => {
    expect((await read(secret, answers)).output).toBeUndefined()
  })

  it('a connection that is lost, and an answer that is cut off, are errors', async () => {
    await expect(read(secret, {})).rejects.toThrow('connection lost')
    await expect(read(secret, { [path]: [200, '{"metadata":'] })).rejects.toThrow()
  })

  it('several are a list of those that are there; none is nothing', async () => {
    const spaces = { kinds: ['namespace'], names: ['a', 'b'] }
    const { output, asked } = await read(spaces, {
      '/api/v1/namespaces/a': missing('a'),
      '/api/v1/namespaces/b': named('b'),
    })
    expect(asked).toEqual(['/api/v1/namespaces/a', '/api/v1/namespaces/b'])
    expect(JSON.parse(output?.stdout ?? '')).toMatchObject({ kind: 'List', items: [{ metadata: { name: 'b' } }] })
    const none = { '/api/v1/namespaces/a': missing('a'), '/api/v1/namespaces/b': missing('b') }
    expect((await read(spaces, none)).output).toEqual(told(''))
    const one = { '/api/v1/namespaces/a': named('a'), '/api/v1/namespaces/b': [403, '{}'] } as const
    expect((await read(spaces, one)).output).toBeUndefined()
  })

  it('a value is printed as it is; what is none is nothing, what is more is left to kubectl', async () => {
    const config = (key: string): KubeGet => ({ ...secret, kinds: ['configmap'], print: { as: 'value', path: key } })
    const answers = {
      '/api/v1/namespaces/x/configmaps/keys': named('keys', { data: { 'a.toml': 'x = 1\n\n', n: 7, o: {} } }),
    }
    expect((await read(config('.data.a\\.toml'), answers)).output).toEqual(told('x = 1\n\n'))
    expect((await read(config('.data.n'), answers)).output).toEqual(told('7'))
    expect((await read(config('.data.b'), answers)).output).toEqual(told(''))
    expect((await read(config('.data.o'), answers)).output).toBeUndefined()
  })
})

describe('lists', () => {
  it('are joined in the order of their kinds, each item with what it is', async () => {
    const { output, asked } = await read(
      { kinds: ['storageclasses', 'persistentvolumeclaims'], namespace: 'x', selector: 'a=b,c' },
      {
        '/apis/storage.k8s.io/v1/storageclasses?labelSelector=a%3Db%2Cc': list(named('fast')),
        '/api/v1/namespaces/x/persistentvolumeclaims?labelSelector=a%3Db%2Cc': list(named('one'), named('two')),
      },
    )
    expect(asked).toHaveLength(2)
    const { kind, items } = JSON.parse(output?.stdout ?? '') as { kind: string; items: object[] }
    expect(kind).toBe('List')
    expect(items).toEqual([
      { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'fast' } },
      { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'one' } },
      { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'two' } },
    ])
  })

  const columns = (...paths: string[]) => ({ as: 'columns', paths }) as const

  it('print a cell for each path, and nothing where there is none', async () => {
    const get = { kinds: ['deployments.apps'], print: columns('.kind', '.metadata.namespace', '.spec.replicas') }
    const path = '/apis/apps/v1/deployments'
    const [one, two] = [{ metadata: { name: 'a', namespace: 'x' }, spec: { replicas: 0 } }, named('b')]
    expect((await read(get, { [path]: list(one, two) })).output).toEqual(
      told('Deployment   x   0\nDeployment   <none>   <none>\n'),
    )
    expect((await read(get, { [path]: list() })).output).toEqual(told(''))
    const odd = { metadata: { name: 'a' }, spec: { replicas: [1] } }
    expect((await read(get, { [path]: list(odd) })).output).toBeUndefined()
  })

  it('of names fetch no content of a Secret or ConfigMap, unless it is what is printed', async () => {
    const kinds = ['secrets', 'configmaps', 'services']
    const answers = {
      '/api/v1/secrets': list(named('s', { kind: 'PartialObjectMetadata' })),
      '/api/v1/configmaps': list(named('c')),
      '/api/v1/services': list(named('v')),
    }
    const { output, asked } = await read({ kinds, print: columns('.kind', '.metadata.name', '.spec.a') }, answers)
    expect(asked).toEqual([
      '/api/v1/secrets as PartialObjectMetadataList',
      '/api/v1/configmaps as PartialObjectMetadataList',
      '/api/v1/services',
    ])
    expect(output?.stdout).toBe('Secret   s   <none>\nConfigMap   c   <none>\nService   v   <none>\n')
    expect((await read({ kinds, print: columns('.data.a') }, answers)).asked).toEqual(Object.keys(answers))
    expect((await read({ kinds }, answers)).asked).toEqual(Object.keys(answers))
  })

  it('that are empty may have no items at all; what is no list is left to kubectl', async () => {
    const get = { kinds: ['secrets'], print: columns('.metadata.name') }
    const none = { kind: 'PartialObjectMetadataList', items: null }
    expect((await read(get, { '/api/v1/secrets': none })).output).toEqual(told(''))
    expect((await read(get, { '/api/v1/secrets': { kind: 'Status' } })).output).toBeUndefined()
  })

  it('of which one may not be read are left to kubectl whole', async () => {
    const { output } = await read(
      { kinds: ['pods', 'secrets'] },
      { '/api/v1/pods': list(named('p')), '/api/v1/secrets': [403, '{}'] },
    )
    expect(output).toBeUndefined()
  })

  it('of a kind that is not known here are left to kubectl, and nothing is asked', async () => {
    expect(await read({ kinds: ['widgets.example.com'] }, {})).toEqual({ output: undefined, asked: [] })
  })
})

describe('a kind of an extension', () => {
  const get = { kinds: ['httproutes.gateway.networking.k8s.io'], print: { as: 'columns', paths: ['.kind'] } } as const
  const [path, group] = ['/apis/gateway.networking.k8s.io/v1/httproutes', '/apis/gateway.networking.k8s.io']
  const unserved = [404, '404 page not found\n'] as const

  it('that is installed is listed', async () => {
    expect((await read(get, { [path]: list(named('r')) })).output).toEqual(told('HTTPRoute\n'))
  })

  it('that is not installed is told in kubectl’s words', async () => {
    expect((await read(get, { [path]: unserved, [group]: unserved })).output).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: the server doesn't have a resource type "httproutes"\n`,
    })
  })

  it.each<[string, Answers]>([
    ['in another version', { [path]: unserved, [group]: { versions: [{ version: 'v1beta1' }] } }],
    ['that may not be read', { [path]: [403, '{}'] }],
    ['whose group may not be read', { [path]: unserved, [group]: [403, '{}'] }],
  ])('%s is left to kubectl', async (_, answers) => {
    expect((await read(get, answers)).output).toBeUndefined()
  })

  it('is left to kubectl by name, and among others', async () => {
    const byName = '/apis/gateway.networking.k8s.io/v1/namespaces/x/httproutes/r'
    const { output } = await read({ kinds: get.kinds, names: ['r'], namespace: 'x' }, { [byName]: unserved })
    expect(output).toBeUndefined()
    const kinds = ['pods', ...get.kinds]
    const answers = { [path]: unserved, [group]: unserved, '/api/v1/pods': list() }
    expect((await read({ ...get, kinds }, answers)).output).toBeUndefined()
  })
})
