import { join } from 'node:path'
import { type GoRecipe, goPrograms } from './go-build.ts'

/** The Kubernetes version of the lab. */
export const kubernetesVersion = '1.36.3'

const [major = '', minor = ''] = kubernetesVersion.split('.')
const versions = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((name) => [
  [`${name}.gitVersion`, `v${kubernetesVersion}`],
  [`${name}.gitMajor`, major],
  [`${name}.gitMinor`, minor],
])

const kubernetes: GoRecipe = {
  module: 'kubernetes',
  set: Object.fromEntries(versions),
  // The root package of etcd's server is the etcd program.
  rename: { server: 'etcd' },
}

/** Folders with the programs of a node and its control plane. */
export type KubePrograms = {
  /** etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, kubectl */
  readonly kubernetes: string
  /** containerd, containerd-shim-runc-v2, ctr */
  readonly containerd: string
  readonly runc: string
  readonly coredns: string
  /** network-policies: kube-router's controller of NetworkPolicies. */
  readonly policies: string
}

/** All programs of a cluster: eight minutes of building on two cores the first time ever, then nothing. */
export async function kubePrograms(): Promise<KubePrograms> {
  // One after the other: each build takes all cores.
  return {
    kubernetes: await goPrograms(kubernetes, '1 of 5'),
    containerd: await goPrograms({ module: 'containerd' }, '2 of 5'),
    runc: await goPrograms({ module: 'runc', cgo: true, tags: 'seccomp' }, '3 of 5'),
    coredns: await goPrograms({ module: 'coredns' }, '4 of 5'),
    policies: await goPrograms({ module: 'network-policies', own: true }, '5 of 5'),
  }
}

/** The path of doctl. */
export const doctlPath = async (): Promise<string> => join(await goPrograms({ module: 'doctl' }), 'doctl')
