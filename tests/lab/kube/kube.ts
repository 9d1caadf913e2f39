import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder } from '../cache.ts'
import { reap, takeLease } from '../lease.ts'
import { makeNetwork } from '../network.ts'
import { workFolder } from '../overlay.ts'
import { printId } from '../process-id.ts'
import { type Result, run, until } from '../run.ts'
import { type KubeApi, openApi } from './api.ts'
import { type AuditMark, type AuditWrite, auditMark, auditWrites } from './audit.ts'
import { makeControlPlane } from './control-plane.ts'
import { type Image, pause } from './images.ts'
import { openNode, type Server } from './node.ts'
import { startContainerd, startKubelet } from './node-programs.ts'
import { containerdSocket } from './node-settings.ts'
import { kubePrograms } from './programs.ts'
import { nodeName } from './users.ts'
import { provisionVolumes, storageClass } from './volumes.ts'

/** A real cluster of one node, and what can be done to it. */
export type KubeLab = {
  readonly number: number
  /** Of a user who may all, readable by root alone. */
  readonly kubeconfig: string
  readonly server: string
  /** The certificate authority of the server, a PEM file. */
  readonly authority: string
  /** The token in the kubeconfig. */
  readonly token: string
  /** The node's address: of the API server, of NodePorts, and of what `setLoadBalancerAddress` has published. */
  readonly address: string
  /** The machine's side, where moto and the registry listen; in a pod also `lab.internal`. */
  readonly gateway: string
  readonly nodeName: string
  /** PATH with the kubectl of this version in front, KUBECONFIG of this cluster. */
  readonly env: Readonly<Record<string, string>>
  readonly api: KubeApi
  /** Settings of the node's containerd, one folder per registry (`hosts.toml`). */
  readonly registries: string
  /** Runs kubectl as the user of `kubeconfig`. */
  kubectl(args: readonly string[], input?: string): Promise<Result>
  /** Runs a program on the node: its network, its files. */
  run(program: string, args: readonly string[]): Promise<Result>
  /** Puts an image on the node, past any registry, under its own name or others. */
  importImage(image: Image, ...names: readonly string[]): Promise<void>
  auditMark(): Promise<AuditMark>
  /** What was written since a mark, by others than the cluster itself. */
  auditWrites(since: AuditMark): Promise<readonly AuditWrite[]>
  /** Ends the API server (`refuses` connections) or cuts the line to the node (`hangs`). */
  pauseApiServer(how?: 'refuses' | 'hangs'): Promise<void>
  resumeApiServer(): Promise<void>
  /** What a cloud does for a Service of type LoadBalancer: the machine reaches its ports at the node's address. */
  setLoadBalancerAddress(namespace: string, service: string): Promise<string>
  /** Leaves the cluster running when this process ends, without new volumes; `endHost(number)` takes it away. */
  keep(): Promise<void>
  stop(): Promise<void>
}

/** Starts a cluster in about five seconds, once its programs are built. */
export async function startKube(): Promise<KubeLab> {
  await mkdir(cacheFolder(), { recursive: true, mode: 0o700 })
  await reap()
  const [programs, pauseOf] = [await kubePrograms(), await pause()]
  const lease = await takeLease()
  try {
    const work = workFolder(lease.number)
    await lease.record('work', work)
    const network = await makeNetwork(lease)
    const { namespace, address, gateway } = network
    const cgroup = namespace
    const node = await openNode({ namespace, cgroup, work })
    await lease.record('launcher', printId(node.launcher))
    const desired = { node, work, programs, address, gateway, cgroup, bin: programs.kubernetes }

    const ctr = (...args: string[]) =>
      node.run(join(programs.containerd, 'ctr'), ['-a', containerdSocket, '-n', 'k8s.io', ...args])
    const importImage: KubeLab['importImage'] = async ({ archive, name }, ...names) => {
      const results = [await ctr('images', 'import', '--local', archive)]
      for (const other of names) results.push(await ctr('images', 'tag', '--force', name, other))
      const failed = results.find(({ code }) => code !== 0)
      if (failed !== undefined) throw new Error(`lab: ${name} was not imported\n${failed.stderr}`)
    }

    const [plane, containerd] = await Promise.all([makeControlPlane(desired), startContainerd(desired)])
    let apiServer = plane.startApiServer()
    const servers: Server[] = [plane.etcd, containerd]
    const assertAll = () => Promise.all([apiServer, ...servers].map((server) => server.assertRuns()))
    const api = await openApi(address, join(work, 'keys/ca.crt'), plane.users.lab.token)
    const isUp = (what: string, path: string, holds: (text: string) => boolean) =>
      until(what, 60_000, async () => {
        await assertAll()
        const { status, text } = await api.send('GET', path).catch(() => ({ status: 0, text: '' }))
        return status === 200 && holds(text) ? true : undefined
      })
    const apiIsUp = () => isUp('the API server', '/readyz', () => true)

    const pauseImported = until('containerd', 30_000, async () => {
      await containerd.assertRuns()
      return (await ctr('version')).code === 0 || undefined
    }).then(() => importImage(pauseOf))
    await Promise.all([apiIsUp(), pauseImported])
    servers.push(...plane.startControllers(), ...startKubelet(desired, plane.users))
    await api.ask('POST', '/apis/storage.k8s.io/v1/storageclasses', storageClass)
    await isUp('the node', `/api/v1/nodes/${nodeName}`, (text) => isReady(JSON.parse(text)))
    await isUp('the first service account', '/api/v1/namespaces/default/serviceaccounts/default', () => true)
    const volumes = provisionVolumes(api, work)

    const { kubeconfig, token } = plane.users.admin
    const env = { PATH: `${programs.kubernetes}:${process.env.PATH}`, KUBECONFIG: kubeconfig }
    let gone = false
    return {
      number: lease.number,
      kubeconfig,
      server: `https://${address}:6443`,
      authority: join(work, 'keys/ca.crt'),
      token,
      address,
      gateway,
      nodeName,
      env,
      api,
      registries: join(work, 'settings/registries'),
      kubectl: (args, input) =>
        run(join(programs.kubernetes, 'kubectl'), args, { env, ...(input === undefined ? {} : { input }) }),
      run: node.run,
      importImage,
      auditMark: async () => (await auditMark(plane.audit, api)).mark,
      auditWrites: (since) => auditWrites(plane.audit, api, since),
      pauseApiServer: async (how = 'refuses') => {
        if (how === 'hangs') await network.cut(true)
        else await apiServer.stop()
      },
      resumeApiServer: async () => {
        await network.cut(false)
        if (!apiServer.isRunning()) apiServer = plane.startApiServer()
        await apiIsUp()
      },
      setLoadBalancerAddress: async (space, service) => {
        const status = { loadBalancer: { ingress: [{ ip: address, ipMode: 'VIP' }] } }
        await api.ask('PATCH', `/api/v1/namespaces/${space}/services/${service}/status`, { status })
        return address
      },
      keep: async () => {
        await volumes.stop()
        await lease.keep()
      },
      stop: async () => {
        if (gone) return
        gone = true
        await volumes.stop()
        network.close()
        await lease.release()
        await node.ended()
      },
    }
  } catch (error) {
    await lease.release()
    throw error
  }
}

type NodeObject = { readonly status: { readonly conditions?: readonly { type: string; status: string }[] } }

const isReady = ({ status }: NodeObject): boolean =>
  status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
