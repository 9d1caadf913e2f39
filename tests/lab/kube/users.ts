import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeToken } from './certificates.ts'

/** The one node's name. */
export const nodeName = 'lab-node'

// Their names are those of a cluster that kubeadm makes: Kubernetes' own roles are bound to them.
const users = {
  admin: { user: 'lab-admin', groups: 'system:masters' },
  /** What the lab itself does; no test counts it. */
  lab: { user: 'system:lab', groups: 'system:masters' },
  'controller-manager': { user: 'system:kube-controller-manager', groups: '' },
  scheduler: { user: 'system:kube-scheduler', groups: '' },
  kubelet: { user: `system:node:${nodeName}`, groups: 'system:nodes' },
  proxy: { user: 'system:kube-proxy', groups: '' },
  policies: { user: 'system:network-policies', groups: 'system:masters' },
  coredns: { user: 'system:coredns', groups: 'system:masters' },
} as const

export type UserName = keyof typeof users

/** One user of a cluster: its token and a kubeconfig file with it. */
export type User = { readonly token: string; readonly kubeconfig: string }

/** Makes a token and a kubeconfig for each user of a cluster, and `tokens.csv` for its API server. */
export async function makeUsers(folder: string, server: string): Promise<Readonly<Record<UserName, User>>> {
  const authority = (await readFile(join(folder, 'ca.crt'))).toString('base64')
  const made = Object.entries(users).map(([name, { user, groups }]) => {
    const token = makeToken()
    const kubeconfig = join(folder, `${name}.kubeconfig`)
    return { name, token, kubeconfig, row: `${token},${user},${name},"${groups}"` }
  })
  const mode = { mode: 0o600 }
  await writeFile(join(folder, 'tokens.csv'), `${made.map(({ row }) => row).join('\n')}\n`, mode)
  for (const { token, kubeconfig } of made)
    await writeFile(kubeconfig, `${JSON.stringify(kubeconfigOf(server, authority, token), null, 2)}\n`, mode)
  return Object.fromEntries(made.map(({ name, token, kubeconfig }) => [name, { token, kubeconfig }])) as never
}

// JSON is YAML too.
const kubeconfigOf = (server: string, authority: string, token: string) => ({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'lab',
  clusters: [{ name: 'lab', cluster: { server, 'certificate-authority-data': authority } }],
  users: [{ name: 'lab', user: { token } }],
  contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'lab' } }],
})
