import { type ChildProcess, spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launcher } from '../support/cli.ts'
import { answer, listen } from './http.ts'
import { busybox, redis } from './kube/images.ts'
import { type KubeLab, startKube } from './kube/kube.ts'
import { busyboxContainer, pod, redisSet, service, webDeployment } from './kube/objects.ts'
import { requireLab, title } from './prerequisites.ts'
import { must, type Result, run, until } from './run.ts'
import { leftInTheEnd, leftOf, tracesOf } from './traces.ts'

const noKube = requireLab('kube')

describe.skipIf(noKube)(title('a lab cluster', noKube), () => {
  let before: string
  let kube: KubeLab
  let other: { readonly child: ChildProcess; readonly number: number; readonly kubeconfig: string }

  const told = (result: Result): string => {
    if (result.code !== 0) throw new Error(result.stderr)
    return result.stdout
  }
  const kubectl = async (...args: string[]) => told(await kube.kubectl(args))
  const apply = async (...items: object[]) =>
    told(
      await kube.kubectl(
        ['apply', '--server-side', '-f', '-'],
        JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
      ),
    )
  const inPod = (name: string, script: string) => kube.kubectl(['exec', name, '--', 'sh', '-c', script])

  beforeAll(async () => {
    before = await stateOf()
    const [started, second] = await Promise.all([startKube(), startElsewhere()])
    ;[kube, other] = [started, second]
    await kube.importImage(await busybox(), 'public.ecr.aws/docker/library/busybox:1')
    await kube.importImage(await redis())
    await apply(
      webDeployment('web', 2),
      service('web', 80, 8080),
      pod('shell', busyboxContainer('shell', 'sleep 1d', { image: 'public.ecr.aws/docker/library/busybox:1' })),
    )
    await apply(service('redis', 6379, 6379), redisSet)
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=600s')
    await kubectl('wait', '--for=condition=Ready', 'pod/shell', '--timeout=600s')
  })
  afterAll(async () => {
    other?.child.kill('SIGKILL')
    await kube?.stop()
  })

  test('is one ready node of 1.36, and its kubeconfig is for root alone', async () => {
    const jsonpath = 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'
    expect(await kubectl('get', 'nodes', '-o', jsonpath)).toBe('v1.36.3')
    expect((await stat(kube.kubeconfig)).mode & 0o777).toBe(0o600)
    expect(await kubectl('version', '-o', 'json')).toContain('"gitVersion": "v1.36.3"')
    // As the default size of a node has, whatever the machine has.
    const processors = 'jsonpath={.items[*].status.allocatable.cpu}'
    expect(await kubectl('get', 'nodes', '-o', processors)).toBe('4')
  })

  test('two pods answer by their Service, by its address and by its name', async () => {
    const address = await kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}')
    const hosts = [address, 'web', 'web.default.svc.cluster.local']
    const seen = new Set<string>()
    for (let at = 0; at < 30 && seen.size < 2; at++) {
      const { stdout, stderr } = await inPod('shell', `wget -qO- http://${hosts[at % 3]}/`)
      expect(stderr).toBe('')
      seen.add(stdout.trim())
    }
    const names = (await kubectl('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].metadata.name}')).split(' ')
    expect([...seen].sort()).toEqual(names.sort())
  })

  test('logs, exec and port-forward pass through the API server', async () => {
    expect(await kubectl('logs', 'deployment/web')).toBe('serving\n')
    expect((await inPod('shell', 'echo out; echo err >&2; exit 3')).code).toBe(3)
    const forward = spawn('kubectl', ['port-forward', 'service/web', ':80'], {
      env: { ...process.env, ...kube.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const line = await new Promise<string>((resolve) => forward.stdout.once('data', (data) => resolve(String(data))))
    const port = /127\.0\.0\.1:(\d+)/.exec(line)?.[1]
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toMatch(/^web-/)
    forward.kill()
  })

  test('a pod reaches a server of the machine', async () => {
    const server = await listen([kube.gateway], 0, (_, response) => answer(response, 200, 'the machine\n'))
    try {
      for (const host of [kube.gateway, 'lab.internal'])
        expect((await inPod('shell', `wget -qO- http://${host}:${server.port}/`)).stdout).toBe('the machine\n')
    } finally {
      await server.stop()
    }
  })

  test('the machine reaches a load balancer once the cloud gave it an address', async () => {
    await apply({ ...service('web', 8088, 8080, 'LoadBalancer'), metadata: { name: 'balancer', namespace: 'default' } })
    const address = await kube.setLoadBalancerAddress('default', 'balancer')
    const jsonpath = 'jsonpath={.status.loadBalancer.ingress[0].ip}'
    expect(await kubectl('get', 'service', 'balancer', '-o', jsonpath)).toBe(address)
    const text = await until('the balancer', 10_000, async () =>
      fetch(`http://${address}:8088/`).then(
        (response) => response.text(),
        () => undefined,
      ),
    )
    expect(text).toMatch(/^web-/)
  })

  test('a claim is bound to a volume that outlives its pod, and goes with the claim', async () => {
    const redis = (...words: string[]) => kubectl('exec', 'redis-0', '--', 'redis-cli', ...words)
    await kubectl('rollout', 'status', 'statefulset/redis', '--timeout=600s')
    expect(await redis('set', 'kept', 'yes')).toBe('OK\n')
    await kubectl('delete', 'pod', 'redis-0')
    // The set itself may still tell of the pod that is gone.
    for (const state of ['create', 'condition=Ready'])
      await kubectl('wait', `--for=${state}`, 'pod/redis-0', '--timeout=600s')
    expect(await redis('get', 'kept')).toBe('yes\n')
    expect(await kubectl('exec', 'redis-0', '--', 'id', '-u')).toBe('999\n')
    await kubectl('delete', 'statefulset/redis', 'pvc/data-redis-0')
    await until('the volume to go', 20_000, async () =>
      (await kubectl('get', 'pv', '-o', 'name')) === '' ? true : undefined,
    )
  })

  test('what was written is told, without the cluster’s own writes, dry runs and questions', async () => {
    const mark = await kube.auditMark()
    const config = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'default' },
      data: { a: '1' },
    }
    await kubectl('scale', 'deployment/web', '--replicas=1')
    await kube.kubectl(['diff', '--server-side', '-f', '-'], JSON.stringify(config))
    await kubectl('auth', 'can-i', 'get', 'pods')
    await inPod('shell', 'true')
    expect(
      (await kube.auditWrites(mark)).map(({ verb, resource, name, count }) => [verb, resource, name, count]),
    ).toEqual([['patch', 'deployments.apps/scale', 'web', 1]])
    const next = await kube.auditMark()
    expect(await kube.auditWrites(next)).toEqual([])
    await apply(config)
    expect(await kube.auditWrites(next)).toMatchObject([
      { verb: 'patch', resource: 'configmaps', name: 'a', user: 'lab-admin', agent: 'kubectl', status: 201, count: 1 },
    ])
  })

  test('its API server refuses, or hangs, until it is resumed', async () => {
    const ask = (...more: string[]) => kube.kubectl(['get', 'nodes', ...more])
    await kube.pauseApiServer('hangs')
    expect((await ask('--request-timeout=1s')).stderr).toMatch(/timeout|deadline/i)
    await kube.resumeApiServer()
    expect((await ask()).code).toBe(0)
    await kube.pauseApiServer()
    expect((await ask()).stderr).toContain('refused')
    await kube.resumeApiServer()
    expect((await ask()).code).toBe(0)
  })

  test('another one stands beside it, and goes by itself when its owner is killed', async () => {
    const env = { ...kube.env, KUBECONFIG: other.kubeconfig }
    const pods = await run(`${kube.env.PATH?.split(':')[0]}/kubectl`, ['get', 'pods', '-A', '-o', 'name'], { env })
    expect(pods).toMatchObject({ code: 0, stdout: '' })
    const traces = await tracesOf(other.number)
    other.child.kill('SIGKILL')
    expect(await leftInTheEnd(traces)).toEqual([])
  })

  test('nothing is left of it when it is stopped', async () => {
    const traces = await tracesOf(kube.number)
    for (const kind of [/^process \d+: .*etcd/, /^lease/, /hosts/, /^.run.netns/, /^.sys.class.net/, /^.sys.fs.cgroup/])
      expect(await leftOf(traces)).toContainEqual(expect.stringMatching(kind))
    await kube.stop()
    expect(await leftOf(traces)).toEqual([])
    expect(await stateOf()).toBe(before)
  })
})

async function startElsewhere() {
  const script = fileURLToPath(new URL('kube/start-and-wait.ts', import.meta.url))
  const child = spawn(process.execPath, [launcher, script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (data) => resolve(String(data)))
    child.once('exit', (code) => reject(new Error(`it ended with ${code}`)))
  })
  return { child, ...(JSON.parse(line) as { number: number; kubeconfig: string }) }
}

// What a node would change of the machine, were it not in a world of its own.
const machineState = `
cd /proc/sys; grep . vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_max*
ls -d /etc/cni /opt/cni /opt/containerd /usr/libexec/kubernetes /run/containerd /run/nri 2>/dev/null
ls /var/lib /var/log /run/netns | grep -E '^(kubelet|cni|containerd|containers|lab-volumes|pods|calico|cni-.*)$'
iptables-save | grep -E 'KUBE|CNI'; nft list tables | grep -i kube; true`

const stateOf = () => must('sh', ['-c', machineState])
