import { namespaceObject } from '@infra/shared/platform/namespace'
import { beforeAll, describe, expect, it } from 'vitest'
import { networkPolicies } from '../../cluster/manifests/namespace.ts'
import { answer, listen } from './http.ts'
import { busybox } from './kube/images.ts'
import { busyboxContainer, pod } from './kube/objects.ts'
import { useKube } from './kube-steps.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'

const skip = requireLab('kube')

/** Where every pod of these tests listens; no policy opens the last. */
const ports = [3000, 6379, 8777, 8778, 8779, 9000]
const serve = `mkdir -p /tmp/w; echo hello >/tmp/w/index.html
${ports.map((port) => `httpd -p ${port} -h /tmp/w`).join('; ')}; exec sleep 1000000`

/** A pod with these labels that serves on all ports, and from which others can be asked. */
function talker(namespace: string, name: string, labels: Readonly<Record<string, string>>) {
  const ready = { readinessProbe: { httpGet: { path: '/', port: 9000 }, periodSeconds: 1 } }
  const made = pod(name, busyboxContainer('talker', serve, ready))
  return { ...made, metadata: { name, namespace, labels } }
}

const namespaceOf = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
})

function useTalkers() {
  const lab = useKube()
  const address = (where: string) => {
    const [namespace, name] = where.split('/')
    return lab.kubectl(`get pod ${name} -n ${namespace} -o jsonpath={.status.podIP}`)
  }
  /** What a pod gets by a connection, once: `open` or `closed`. */
  const tried = async (from: string, host: string, port: number) => {
    const [namespace, name = ''] = from.split('/')
    const words = ['exec', '-n', namespace ?? '', name, '--', 'timeout', '3', 'wget', '-qO-', `http://${host}:${port}/`]
    const { code, stdout, stderr } = await lab.kube.kubectl(words)
    if (code === 0) return stdout === 'hello\n' ? 'open' : stdout
    return /refused|unreachable|exit code 143/.test(stderr) ? 'closed' : stderr
  }
  return {
    get kube() {
      return lab.kube
    },
    kubectl: lab.kubectl,
    /** Applies objects as they are. */
    async apply(...items: object[]) {
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
      await lab.kubectl('apply --server-side -f -', list)
    },
    async ready(...namespaces: string[]) {
      for (const name of namespaces)
        await lab.kubectl(`wait pods --all -n ${name} --for=condition=Ready --timeout=600s`)
    },
    /** The connections that are not as they shall be, once the node has caught up; `a/one > b/two:80` is one. */
    async wrong(open: readonly string[], closed: readonly string[]): Promise<readonly string[]> {
      const wrongOf = async (wanted: string, connections: readonly string[]) => {
        const found = await Promise.all(
          connections.map(async (connection) => {
            const [, from = '', to = '', port] = connection.match(/^(\S+) > ([^\s:]+):(\d+)$/) ?? []
            const host = to.includes('/') ? await address(to) : to
            const got = await tried(from, host, Number(port))
            return got === wanted ? [] : [`${connection} is ${got}`]
          }),
        )
        return found.flat()
      }
      let wrong: readonly string[] = []
      const all = async () => {
        wrong = [...(await wrongOf('open', open)), ...(await wrongOf('closed', closed))]
        return wrong.length === 0 || undefined
      }
      await until('policies to be in force', 15_000, all).catch(() => {})
      return wrong
    },
  }
}

const policy = (name: string, spec: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'a' },
  spec,
})

describe.skipIf(skip)(title('a lab node, under network policies', skip), () => {
  const lab = useTalkers()
  const { apply, wrong } = lab

  beforeAll(async () => {
    await lab.kube.importImage(await busybox())
    await apply(namespaceOf('a'), namespaceOf('b', { team: 'friends' }))
    await apply(talker('a', 'server', { app: 'server' }), talker('a', 'near', { app: 'near' }))
    await apply(talker('b', 'friend', { app: 'friend' }), talker('b', 'other', { app: 'other' }))
    await lab.ready('a', 'b')
  })
  const everybody = ['a/near', 'b/friend', 'b/other'].map((from) => `${from} > a/server:3000`)

  it('lets everybody in until a policy selects a pod, and then nobody', async () => {
    expect(await wrong(everybody, [])).toEqual([])
    await apply(policy('deny', { podSelector: { matchLabels: { app: 'server' } }, policyTypes: ['Ingress'] }))
    expect(await wrong(['b/friend > a/near:3000', 'a/server > b/friend:3000'], everybody)).toEqual([])
    // The kubelet still asks: the pod stays ready.
    await lab.kubectl('wait pod/server -n a --for=condition=Ready --timeout=5s')
  })

  it('lets in by pod and namespace together, and by port', async () => {
    const from = [
      { namespaceSelector: { matchLabels: { team: 'friends' } }, podSelector: { matchLabels: { app: 'friend' } } },
    ]
    const ingress = [{ from, ports: [{ protocol: 'TCP', port: 3000 }] }]
    await apply(
      policy('friends', { podSelector: { matchLabels: { app: 'server' } }, policyTypes: ['Ingress'], ingress }),
    )
    expect(
      await wrong(
        ['b/friend > a/server:3000'],
        ['b/friend > a/server:9000', 'b/other > a/server:3000', 'a/near > a/server:3000'],
      ),
    ).toEqual([])
    // Who gets the label later is let in too.
    await lab.kubectl('label pod other -n b app=friend --overwrite')
    expect(await wrong(['b/other > a/server:3000'], ['b/other > a/server:9000'])).toEqual([])
  })

  it('lets out by address, with exceptions, and to the cluster’s DNS', async () => {
    const machine = await listen([lab.kube.gateway], 0, (_, response) => answer(response, 200, 'hello\n'))
    const outside = `a/near > ${lab.kube.gateway}:${machine.port}`
    const near = { podSelector: { matchLabels: { app: 'near' } }, policyTypes: ['Egress'] }
    const dns = { ports: ['TCP', 'UDP'].map((protocol) => ({ protocol, port: 53 })) }
    const block = (...except: string[]) => ({ to: [{ ipBlock: { cidr: '0.0.0.0/0', except } }] })
    try {
      expect(await wrong([outside, 'a/near > b/friend:3000'], [])).toEqual([])
      await apply(policy('out', { ...near, egress: [dns, block('10.244.0.0/16')] }))
      expect(await wrong([outside, 'b/friend > a/near:3000'], ['a/near > b/friend:3000'])).toEqual([])
      const names = await lab.kubectl('exec -n a near -- nslookup kubernetes.default.svc.cluster.local')
      expect(names).toContain('10.96.0.1')
      await apply(policy('out', { ...near, egress: [dns, block('10.244.0.0/16', `${lab.kube.gateway}/32`)] }))
      expect(await wrong([], [outside, 'a/near > b/friend:3000'])).toEqual([])
      await lab.kubectl('delete networkpolicy out -n a')
      expect(await wrong([outside, 'a/near > b/friend:3000'], [])).toEqual([])
    } finally {
      await machine.stop()
    }
  })
})

describe.skipIf(skip)(title('the policies of the cluster workspace, between real pods', skip), () => {
  const lab = useTalkers()
  const us = (app: string) => `discord-bot/${app}`
  const labelled = ['discord-bot', 'dev-sandbox', 'redis', 'ecr-refresh', 'stoat-api', 'stoat-web']

  beforeAll(async () => {
    await lab.kube.importImage(await busybox())
    await lab.apply(namespaceObject, namespaceOf('elsewhere'))
    await lab.apply(...networkPolicies())
    await lab.apply(...labelled.map((app) => talker('discord-bot', app, { app })), talker('discord-bot', 'plain', {}))
    await lab.apply(talker('elsewhere', 'impostor', { app: 'discord-bot' }))
    await lab.ready('discord-bot', 'elsewhere')
  })
  const to = (host: string, port: number, ...from: string[]) => from.map((one) => `${one} > ${us(host)}:${port}`)

  /** Of each policy: who gets through, and who at the same door does not. */
  const doors: Readonly<Record<string, { readonly open: readonly string[]; readonly closed: readonly string[] }>> = {
    'deny-ingress': {
      open: to('stoat-web', 9000, us('dev-sandbox'), us('plain'), 'elsewhere/impostor'),
      closed: ['discord-bot', 'dev-sandbox', 'redis', 'ecr-refresh'].flatMap((app) => to(app, 9000, us('stoat-api'))),
    },
    'allow-bot-health': {
      open: to('discord-bot', 3000, us('plain'), us('dev-sandbox'), 'elsewhere/impostor'),
      closed: to('discord-bot', 9000, us('plain'), us('dev-sandbox'), 'elsewhere/impostor'),
    },
    'allow-redis': {
      open: to('redis', 6379, us('discord-bot'), us('stoat-api')),
      closed: [
        ...to('redis', 6379, us('dev-sandbox'), us('ecr-refresh'), us('plain'), us('stoat-web'), 'elsewhere/impostor'),
        ...to('redis', 9000, us('discord-bot')),
      ],
    },
    'allow-sandbox-mcp': {
      open: [8777, 8778, 8779].flatMap((port) => to('dev-sandbox', port, us('discord-bot'))),
      closed: [
        ...to('dev-sandbox', 8779, us('plain'), us('redis'), us('stoat-api'), 'elsewhere/impostor'),
        ...to('dev-sandbox', 9000, us('discord-bot')),
      ],
    },
  }

  it('is every one of them tried below', () => {
    expect(Object.keys(doors)).toEqual(networkPolicies().map(({ metadata }) => metadata.name))
  })

  it.each(Object.entries(doors))('%s opens what it names, and nothing beside it', async (_, { open, closed }) => {
    expect(await lab.wrong(open, closed)).toEqual([])
  })
})
