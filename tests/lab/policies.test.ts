import { namespaceObject } from '@infra/shared/platform/namespace'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import { namespacePresent } from '@infra/shared/steps/kubernetes/namespace'
import { beforeAll, describe, expect, it } from 'vitest'
import { type SandboxScope, sandboxAccess } from '../../cluster/manifests/dev-sandbox.ts'
import { networkPolicies as clusterPolicies } from '../../cluster/manifests/network.ts'
import { networkPolicies as stoatPolicies } from '../../stoat/manifests/network.ts'
import { busybox } from './kube/images.ts'
import { busyboxContainer, pod } from './kube/objects.ts'
import { planned, settle, workOf } from './kube-steps.ts'
import { connections, litellm, outside, portsOf } from './policy-connections.ts'
import { requireLab, title } from './prerequisites.ts'
import { closedPort, namespaceOf, talker, useTalkers } from './talkers.ts'

const skip = requireLab('kube')

/** On the node itself, with addresses that are not of this network: what is public, and what a cloud tells its machines. */
function cloud() {
  const addresses = Object.values(outside)
  const script = `${addresses.map((address) => `ip addr add ${address}/32 dev lo`).join('; ')}
mkdir -p /tmp/w; echo hello >/tmp/w/index.html
${addresses.flatMap((address) => [80, 443, closedPort].map((port) => `httpd -p ${address}:${port} -h /tmp/w`)).join('; ')}
exec sleep 1000000`
  const container = busyboxContainer('cloud', script, { securityContext: { capabilities: { add: ['NET_ADMIN'] } } })
  const made = pod('cloud', container, { hostNetwork: true })
  return { ...made, metadata: { name: 'cloud', namespace: 'elsewhere' } }
}

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'litellm', namespace: 'elsewhere' },
  spec: { selector: { app: 'discord-bot' }, ports: [{ port: 4000, targetPort: closedPort }] },
}

describe.skipIf(skip)(title('the policies of both workspaces, between real pods', skip), () => {
  const lab = useTalkers()
  const rows = Object.entries(connections)
  const allOf = (kind: 'open' | 'closed') => [...new Set(rows.flatMap(([, row]) => row[kind]))]

  beforeAll(async () => {
    await lab.kube.importImage(await busybox())
    await settle(workOf(namespacePresent(lab.open(), namespaceObject)))
    await lab.apply(namespaceOf('elsewhere'), service, cloud())
    await lab.apply(
      ...Object.entries(portsOf).map(([app, ports]) => talker(`discord-bot/${app}`, { app }, ports)),
      ...[talker('discord-bot/plain', {}, []), talker('elsewhere/impostor', { app: 'discord-bot' }, [])],
    )
    await lab.ready('discord-bot', 'elsewhere')
  })

  it('all connections get through without them, those too that shall be denied', async () => {
    expect(await lab.wrong([...allOf('open'), ...allOf('closed')], [])).toEqual([])
  })

  it('let through what they name, and deny the rest', async () => {
    const policies = clusterPolicies({ litellm: `http://${litellm}:4000`, sandboxReads: true })
    // As the workspaces make them: Stoat came first, and its namespace is the cluster's now.
    const kube = lab.open()
    const cluster = { script: 'namespace', workspace: 'cluster', prune: false }
    const work = () => [
      ...workOf(manifests(kube, [namespaceObject, ...policies], cluster)),
      { script: 'config', steps: [namespacePresent(kube, namespaceObject)] },
      {
        script: 'stoat',
        steps: [manifests(kube, stoatPolicies(), { ...cluster, script: 'config', workspace: 'stoat' })],
      },
    ]
    const lines = await planned(work())
    expect(lines.filter((line) => !line.startsWith('create network policy '))).toEqual(['update namespace discord-bot'])
    await settle(work())
    expect(await planned(work())).toEqual([])
    expect(await lab.wrong(allOf('open'), allOf('closed'))).toEqual([])
  })

  /** What the sandbox gets by requests with its own token, as kubectl and as the API server say it. */
  const asSandbox = async (...words: string[]) => {
    const token = await lab.kubectl('create token sandbox -n discord-bot')
    const { code, stdout, stderr } = await lab.kube.kubectl(['--token', token, ...words])
    return code === 0 ? stdout.trim() || 'nothing' : /Forbidden|^no$/m.test(stderr + stdout) ? 'denied' : stderr
  }
  const [pods, nodes] = ['/api/v1/namespaces/kube-system/pods', '/api/v1/nodes']
  const ownPods = '/api/v1/namespaces/discord-bot/pods'
  const never = [
    ...['secrets', 'configmaps'].flatMap((kind) => [`/api/v1/${kind}`, `/api/v1/namespaces/discord-bot/${kind}`]),
    ...[`${ownPods}/redis/log`, '/api/v1/namespaces/elsewhere/pods/impostor/log'],
  ]
  it.each<[SandboxScope, string[], string[]]>([
    ['cluster', [pods, nodes, ownPods, '/apis/apps/v1/deployments'], never],
    ['namespace', [ownPods, '/apis/apps/v1/namespaces/discord-bot/deployments'], [...never, pods, nodes]],
    ['none', [], [...never, pods, nodes, ownPods]],
  ])('the sandbox of the scope %s reads what it may with its token, and nothing else', async (scope, may, mayNot) => {
    const given = sandboxAccess(scope)
    await lab.apply(...given)
    try {
      for (const path of may) expect(await asSandbox('get', '--raw', path), path).toMatch(/^\{"kind":"\w+List"/)
      for (const path of mayNot) expect(await asSandbox('get', '--raw', path), path).toBe('denied')
      const can = (...words: string[]) => asSandbox('auth', 'can-i', ...words)
      expect(await can('list', 'pods', '-A')).toBe(scope === 'cluster' ? 'yes' : 'denied')
      expect(await can('get', 'pods', '-n', 'discord-bot')).toBe(scope === 'none' ? 'denied' : 'yes')
      for (const words of ['get secrets', 'get configmaps', 'get pods/log', 'create pods/exec', 'patch deployments'])
        expect(await can(...words.replace('/', ' --subresource=').split(' '), '-n', 'discord-bot'), words).toBe(
          'denied',
        )
    } finally {
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: given })
      await lab.kubectl('delete -f -', list)
    }
  })
})
