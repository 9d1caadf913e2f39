import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeAuthority, makeCertificate, makePrivateKey } from './certificates.ts'
import type { Node, Server } from './node.ts'
import { makeUsers, type User, type UserName } from './users.ts'

/** Addresses of a cluster: the same in each, since each has a network of its own. */
export const ranges = { services: '10.96.0.0/16', firstService: '10.96.0.1', pods: '10.244.0.0/16' }

export type DesiredPlane = {
  readonly node: Node
  readonly work: string
  /** Folder of the Kubernetes programs. */
  readonly bin: string
  readonly address: string
}

export type ControlPlane = {
  readonly users: Readonly<Record<UserName, User>>
  readonly audit: string
  readonly etcd: Server
  startApiServer(): Server
  /** What needs an API server that answers. */
  startControllers(): readonly Server[]
}

/** Makes a cluster's certificates, tokens and keys, starts etcd, and says how to start the rest. */
export async function makeControlPlane({ node, work, bin, address }: DesiredPlane): Promise<ControlPlane> {
  const etcd = node.start('etcd', join(bin, 'etcd'), [
    `--data-dir=${join(work, 'etcd')}`,
    '--unsafe-no-fsync',
    '--listen-client-urls=http://127.0.0.1:2379',
    '--advertise-client-urls=http://127.0.0.1:2379',
    '--listen-peer-urls=http://127.0.0.1:2380',
    '--log-level=warn',
  ])
  const keys = join(work, 'keys')
  await makeAuthority(keys, 'lab-kubernetes')
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local']
  const [users] = await Promise.all([
    makeUsers(keys, `https://${address}:6443`),
    makeCertificate(keys, 'api', {
      subject: '/CN=kube-apiserver',
      addresses: [address, '127.0.0.1', ranges.firstService, 'localhost', ...names],
    }),
    makeCertificate(keys, 'kubelet-client', { subject: '/O=system:masters/CN=kube-apiserver-kubelet-client' }),
    makePrivateKey(keys, 'service-account'),
  ])
  const policy = join(work, 'audit-policy.json')
  const audit = join(work, 'log', 'audit')
  await writeFile(policy, JSON.stringify(auditPolicy))
  const key = (name: string) => join(keys, name)
  return {
    users,
    audit,
    etcd,
    startApiServer: () =>
      node.start('kube-apiserver', join(bin, 'kube-apiserver'), [
        '--etcd-servers=http://127.0.0.1:2379',
        `--advertise-address=${address}`,
        `--service-cluster-ip-range=${ranges.services}`,
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction',
        '--allow-privileged=true',
        `--client-ca-file=${key('ca.crt')}`,
        `--token-auth-file=${key('tokens.csv')}`,
        `--tls-cert-file=${key('api.crt')}`,
        `--tls-private-key-file=${key('api.key')}`,
        `--kubelet-client-certificate=${key('kubelet-client.crt')}`,
        `--kubelet-client-key=${key('kubelet-client.key')}`,
        // By name, exec, logs and port-forward would ask a resolver that knows no node.
        '--kubelet-preferred-address-types=InternalIP',
        '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
        `--service-account-key-file=${key('service-account.key')}`,
        `--service-account-signing-key-file=${key('service-account.key')}`,
        `--audit-policy-file=${policy}`,
        `--audit-log-path=${audit}`,
        '--audit-log-mode=blocking',
      ]),
    startControllers: () => [
      node.start('kube-controller-manager', join(bin, 'kube-controller-manager'), [
        `--kubeconfig=${users['controller-manager'].kubeconfig}`,
        '--use-service-account-credentials=true',
        // The default holds back the first service accounts for seconds.
        '--kube-api-qps=200',
        '--kube-api-burst=400',
        '--leader-elect=false',
        `--root-ca-file=${key('ca.crt')}`,
        `--service-account-private-key-file=${key('service-account.key')}`,
        `--cluster-signing-cert-file=${key('ca.crt')}`,
        `--cluster-signing-key-file=${key('ca.key')}`,
        // It makes this folder; by default one of the machine's.
        '--flex-volume-plugin-dir=/var/lib/kubelet/volume-plugins',
      ]),
      node.start('kube-scheduler', join(bin, 'kube-scheduler'), [
        `--kubeconfig=${users.scheduler.kubeconfig}`,
        '--leader-elect=false',
      ]),
    ],
  }
}

// Who did what to which object, not what was in it; leases and events would be most of the file.
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [
    { level: 'None', resources: [{ group: 'coordination.k8s.io' }, { group: 'events.k8s.io' }] },
    { level: 'None', resources: [{ group: '', resources: ['events'] }] },
    { level: 'Metadata' },
  ],
}
