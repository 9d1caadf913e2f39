import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { labName } from '../authority.ts'
import { resolvers } from '../machine.ts'
import { ranges } from './control-plane.ts'
import type { Node, Server } from './node.ts'
import { containerdConfig, coreFile, kubeletConfig, podNetwork } from './node-settings.ts'
import type { KubePrograms } from './programs.ts'
import { nodeName, type User, type UserName } from './users.ts'

export type DesiredNode = {
  readonly node: Node
  readonly work: string
  readonly programs: KubePrograms
  readonly address: string
  readonly gateway: string
  readonly cgroup: string
}

/** Writes what the node's programs read, and starts containerd. */
export async function startContainerd({
  node,
  work,
  programs,
  address,
  gateway,
  cgroup,
}: DesiredNode): Promise<Server> {
  const settings = join(work, 'settings')
  await mkdir(join(settings, 'cni'), { recursive: true })
  await mkdir(join(settings, 'registries'))
  const files = {
    'resolv.conf': await resolvers(),
    'containerd.toml': containerdConfig({ runc: join(programs.runc, 'runc'), settings }),
    'cni/10-lab.conflist': JSON.stringify(podNetwork),
    'kubelet.json': JSON.stringify(kubeletConfig({ settings, authority: join(work, 'keys/ca.crt'), address, cgroup })),
    Corefile: coreFile({ settings, kubeconfig: join(work, 'keys/coredns.kubeconfig'), address, gateway, labName }),
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(settings, name), text)
  // It looks for its shim on the path.
  const env = { PATH: `${programs.containerd}:${process.env.PATH}` }
  return node.start(
    'containerd',
    join(programs.containerd, 'containerd'),
    ['-c', join(settings, 'containerd.toml')],
    env,
  )
}

/** Starts what makes the node one of the cluster's; the API server answers already. */
export function startKubelet(
  { node, work, programs, address }: DesiredNode,
  users: Readonly<Record<UserName, User>>,
): readonly Server[] {
  const settings = join(work, 'settings')
  return [
    node.start('kubelet', join(programs.kubernetes, 'kubelet'), [
      `--config=${join(settings, 'kubelet.json')}`,
      `--kubeconfig=${users.kubelet.kubeconfig}`,
      `--hostname-override=${nodeName}`,
      `--node-ip=${address}`,
      '--root-dir=/var/lib/kubelet',
      '--cert-dir=/var/lib/kubelet/pki',
    ]),
    node.start('kube-proxy', join(programs.kubernetes, 'kube-proxy'), [
      `--kubeconfig=${users.proxy.kubeconfig}`,
      `--hostname-override=${nodeName}`,
      '--proxy-mode=nftables',
      `--cluster-cidr=${ranges.pods}`,
      // The machine's own limits stay as they are.
      '--conntrack-max-per-core=0',
      '--conntrack-tcp-timeout-established=0',
      '--conntrack-tcp-timeout-close-wait=0',
    ]),
    node.start('network-policies', join(programs.policies, 'network-policies'), [
      users.policies.kubeconfig,
      nodeName,
      ranges.services,
    ]),
    node.start('coredns', join(programs.coredns, 'coredns'), ['-conf', join(settings, 'Corefile')]),
  ]
}
