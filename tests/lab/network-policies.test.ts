import { beforeAll, describe, expect, it } from 'vitest'
import { answer, listen } from './http.ts'
import { busybox } from './kube/images.ts'
import { requireLab, title } from './prerequisites.ts'
import { namespaceOf, talker, useTalkers } from './talkers.ts'

const skip = requireLab('kube')

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
    await apply(talker('a/server', { app: 'server' }, [3000, 9000]), talker('a/near', { app: 'near' }, [3000, 9000]))
    await apply(talker('b/friend', { app: 'friend' }, [3000, 9000]), talker('b/other', { app: 'other' }, [3000, 9000]))
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
