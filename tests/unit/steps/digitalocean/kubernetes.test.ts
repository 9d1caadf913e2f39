import { doGet, doRequest, doSend, doUnless, valueAt } from '@infra/shared/command/digitalocean'
import { type KubernetesState, kubernetesClusters, runningCluster } from '@infra/shared/facts/digitalocean/kubernetes'
import { kubeconfigState } from '@infra/shared/facts/kubernetes/kubeconfig'
import { clusterDifferences, kubernetesCluster } from '@infra/shared/steps/digitalocean/kubernetes'
import { kubeconfig } from '@infra/shared/steps/kubernetes/kubeconfig'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, it } from 'vitest'
import { told } from '../told.ts'

const on = blank('an account')
const ahead = { pending: [] }
const state: KubernetesState = {
  ...{ id: 'bd5f5959-5e1e-4205-a714-a914373942af', name: 'bot', region: 'tor1', version: '1.36.3-do.0', ha: false },
  ...{ autoUpgrade: true, state: 'running', endpoint: 'https://x.k8s.ondigitalocean.com', tags: [] },
  pools: [{ name: 'pool', size: 's-4vcpu-8gb', count: 2 }],
}
const desired = {
  createCommand: 'npm run deploy -w cluster -- --create',
  ...{ name: 'bot', region: 'tor1', version: 'latest', size: 's-4vcpu-8gb', count: 2, ha: false, autoUpgrade: true },
  ...{ tag: 'managed-by:infra', create: false, prices: { nodes: { 's-4vcpu-8gb': 50 }, ha: 40 } },
}
const offer = { regions: ['tor1'], versions: ['1.36.3-do.0'], sizes: ['s-4vcpu-8gb'] }
const size = { monthly: 48, regions: ['tor1'], available: true }
const spec = '2 × s-4vcpu-8gb, tor1, latest, upgrades itself'

describe('kubernetes cluster', () => {
  const now = { found: [] as readonly KubernetesState[] | undefined, offer: offer as typeof offer | undefined, size }
  it.each([
    [{}, {}, [`! there is no Kubernetes cluster bot, and a new one costs ~$96/month (${spec})`]],
    [{}, { create: true }, [`+ kubernetes cluster bot (${spec}, ~$96/month)`]],
    [
      {},
      { create: true, ha: true },
      ['+ kubernetes cluster bot (2 × s-4vcpu-8gb, tor1, latest, highly available, upgrades itself, ~$136/month)'],
    ],
    // A blank account: the price of the file, and no word of --create.
    [{ found: undefined, offer: undefined, size: undefined }, {}, [`+ kubernetes cluster bot (${spec}, ~$100/month)`]],
    [{ found: [state] }, {}, ['= running, 2 × s-4vcpu-8gb, tor1, 1.36.3-do.0']],
    [
      { found: [{ ...state, region: 'fra1' }] },
      { count: 3, ha: true, create: true },
      [
        '= running, 2 × s-4vcpu-8gb, fra1, 1.36.3-do.0; left as it is: 2 × s-4vcpu-8gb instead of 3 × s-4vcpu-8gb, in fra1 instead of tor1, not highly available',
      ],
    ],
    // What is there needs no offer any more.
    [
      { found: [{ ...state, state: 'degraded' }], offer: { ...offer, versions: [] } },
      {},
      ['= degraded, 2 × s-4vcpu-8gb, tor1, 1.36.3-do.0'],
    ],
    [{ found: [{ ...state, state: 'provisioning' }] }, {}, ['~ kubernetes cluster bot provisioning → running']],
    [{ found: [{ ...state, state: 'error' }] }, { create: true }, ['! Kubernetes cluster bot is error']],
    [{ found: [state, state] }, {}, ['! there are 2 Kubernetes clusters of the name bot']],
    [{}, { create: true, version: '1.20' }, ['! DigitalOcean has no version 1.20 for Kubernetes']],
    [
      {},
      { create: true, version: '1.36' },
      [`+ kubernetes cluster bot (${spec.replace('latest', '1.36')}, ~$96/month)`],
    ],
    [{}, { create: true, region: 'nyc1' }, ['! DigitalOcean has no region nyc1 for Kubernetes']],
    [{}, { create: true, size: 'x-1' }, ['! DigitalOcean has no node size x-1 for Kubernetes']],
    [{ size: { ...size, available: false } }, { create: true }, ['! DigitalOcean does not offer s-4vcpu-8gb in tor1']],
  ])('%o %o', (facts, more, expected) => {
    expect(told(kubernetesCluster(on, { ...desired, ...more }).plan({ ...now, ...facts }, ahead))).toEqual(expected)
  })

  it('is asked for once, and waited for by its name', () => {
    const decision = kubernetesCluster(on, { ...desired, create: true }).plan(now, ahead)
    const [change] = decision.kind === 'changes' ? decision.changes : []
    expect(change?.run.map(({ line }) => line)).toEqual([
      'POST /v2/kubernetes/clusters unless GET /v2/kubernetes/clusters?per_page=200 has kubernetes_clusters.name=bot.status.state',
      'GET /v2/kubernetes/clusters?per_page=200 until kubernetes_clusters.name=bot.status.state = running within 2400 s',
    ])
    expect(doRequest(change?.run[0] ?? { line: '' })).toMatchObject({ method: 'POST', path: '/v2/kubernetes/clusters' })
  })

  it('is found among others by its name', () => {
    const answer = {
      kubernetes_clusters: [
        { name: 'other', status: 1 },
        { name: 'bot', status: { state: 'running' } },
      ],
    }
    expect(valueAt(answer, 'kubernetes_clusters.name=bot.status.state')).toBe('running')
    expect(valueAt(answer, 'kubernetes_clusters.name=none.status.state')).toBeUndefined()
    expect(doUnless(doSend('POST', '/x', {}), doGet('/y'), 'a.name=b').line).toBe('POST /x unless GET /y has a.name=b')
  })

  it('differs in nothing from itself', () => {
    expect(clusterDifferences(desired, state)).toEqual([])
    expect(clusterDifferences({ ...desired, version: '1.35' }, state)).toEqual(['1.36.3-do.0 instead of 1.35'])
  })

  it('is not known while it is not there, or not yet', () => {
    const good = (body: object) => ({ code: 0, stdout: JSON.stringify(body), stderr: '' })
    const api = { ...state, auto_upgrade: true, node_pools: state.pools, status: { state: 'provisioning' } }
    expect(kubernetesClusters('bot').parse({ code: 127, stdout: '', stderr: '' })).toBeUndefined()
    expect(kubernetesClusters('bot').parse(good({ kubernetes_clusters: [api, { ...api, name: 'x' }] }))).toHaveLength(1)
    expect(() => runningCluster('bot').parse(good({ kubernetes_clusters: [] }))).toThrow(
      'there is no Kubernetes cluster',
    )
    expect(() => runningCluster('bot').parse(good({ kubernetes_clusters: [api] }))).toThrow('is being made')
  })
})

describe('kubeconfig', () => {
  const made = kubeconfig(on, {
    cluster: 'bot',
    path: '/p/.infra/kubeconfig-bot',
    shown: '.infra/kubeconfig-bot',
    dependsOn: [],
  })
  const file = {
    mode: '-rw-------',
    server: state.endpoint,
    context: 'do-tor1-bot',
    renewed: state.id,
    until: undefined,
  }
  it.each([
    [{ now: null }, [`+ .infra/kubeconfig-bot (${state.endpoint})`]],
    [{ now: file }, ['= context do-tor1-bot, renewed by doctl']],
    [{ now: { ...file, mode: '-rw-r--r--' } }, ['~ .infra/kubeconfig-bot -rw-r--r-- → -rw-------']],
    [{ now: { ...file, renewed: 'another' } }, [`~ .infra/kubeconfig-bot: another cluster → ${state.endpoint}`]],
    [{ now: { ...file, renewed: undefined } }, [`~ .infra/kubeconfig-bot: another cluster → ${state.endpoint}`]],
    [{ now: file, doctl: false }, ['! doctl is not installed, and kubectl signs in to the cluster by it']],
  ])('%o', (facts, expected) => {
    expect(told(made.plan({ cluster: state, doctl: true, ...facts }, ahead))).toEqual(expected)
  })

  it('is read without what it holds', () => {
    const stdout = `mode -rw-------\nserver https://x\ncontext do-tor1-bot\nexec yes\nid ${state.id}\nuntil 2026-12-01T00:00:00Z\n`
    expect(kubeconfigState('/x').parse({ code: 0, stdout, stderr: '' })).toEqual({
      ...{ mode: '-rw-------', server: 'https://x', context: 'do-tor1-bot', renewed: state.id },
      until: new Date('2026-12-01T00:00:00Z'),
    })
    expect(kubeconfigState('/x').parse({ code: 0, stdout: '', stderr: '' })).toBeNull()
  })
})
