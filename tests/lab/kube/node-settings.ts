import { join } from 'node:path'

/** containerd's socket, as the node sees it. */
export const containerdSocket = '/run/containerd/containerd.sock'

/** The image that holds a pod's namespaces; the lab imports it into each node. */
export const pauseImage = 'lab.internal/pause:1'

/** containerd.toml: runc of our own, no path of the machine's, plug-ins that no pod needs left out. */
export const containerdConfig = ({ runc, settings }: { readonly runc: string; readonly settings: string }) => `
version = 3
root = '/var/lib/containerd'
state = '/run/containerd'
disabled_plugins = [
  'io.containerd.nri.v1.nri',
  'io.containerd.snapshotter.v1.blockfile',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.erofs',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.differ.v1.erofs',
]

[grpc]
address = '${containerdSocket}'

[plugins.'io.containerd.internal.v1.opt']
path = '/var/lib/containerd/opt'

[plugins.'io.containerd.cri.v1.images']
snapshotter = 'overlayfs'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '${pauseImage}'
[plugins.'io.containerd.cri.v1.images'.registry]
config_path = '${join(settings, 'registries')}'

[plugins.'io.containerd.cri.v1.runtime']
# Without CAP_SYS_RESOURCE no process may lower its score, and every pod would fail.
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['/usr/lib/cni']
conf_dir = '${join(settings, 'cni')}'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = '${runc}'
SystemdCgroup = false
`

/**
 * A line from the node to each pod. With a bridge, the answer of a pod to another one would pass by the node's
 * address translation where the kernel has no br_netfilter, and no Service would work from inside.
 */
export const podNetwork = {
  cniVersion: '1.0.0',
  name: 'lab',
  plugins: [
    {
      type: 'ptp',
      ipMasq: true,
      ipam: {
        type: 'host-local',
        dataDir: '/run/cni',
        ranges: [[{ subnet: '10.244.0.0/24' }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
}

type DesiredKubelet = {
  readonly settings: string
  readonly authority: string
  readonly address: string
  readonly cgroup: string
}

/** The KubeletConfiguration. */
export const kubeletConfig = ({ settings, authority, address, cgroup }: DesiredKubelet) => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address,
  authentication: { anonymous: { enabled: false }, webhook: { enabled: false }, x509: { clientCAFile: authority } },
  // Whoever has a certificate of this authority is the API server.
  authorization: { mode: 'AlwaysAllow' },
  containerRuntimeEndpoint: `unix://${containerdSocket}`,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: `/${cgroup}`,
  failCgroupV1: false,
  failSwapOn: false,
  enforceNodeAllocatable: [],
  // Room on volumes is measured at this pace, which is a minute elsewhere.
  volumeStatsAggPeriod: '10s',
  clusterDomain: 'cluster.local',
  clusterDNS: [address],
  resolvConf: join(settings, 'resolv.conf'),
  volumePluginDir: '/var/lib/kubelet/volume-plugins',
  serializeImagePulls: false,
  registryPullQPS: 0,
  // The machine's disk and memory are its owner's to watch over.
  evictionHard: {
    'memory.available': '20Mi',
    'nodefs.available': '0%',
    'nodefs.inodesFree': '0%',
    'imagefs.available': '0%',
  },
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
})

type DesiredCore = {
  readonly settings: string
  readonly kubeconfig: string
  readonly address: string
  readonly gateway: string
  readonly labName: string
}

/** The Corefile: the cluster's own names, the machine's name in the lab, and all others by the machine's resolvers. */
export const coreFile = ({ settings, kubeconfig, address, gateway, labName }: DesiredCore) => `.:53 {
  bind ${address}
  errors
  hosts {
    ${gateway} ${labName}
    fallthrough
  }
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig ${kubeconfig}
    ttl 0
  }
  forward . ${join(settings, 'resolv.conf')}
}
`
