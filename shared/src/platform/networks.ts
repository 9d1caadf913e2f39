import type { KubeObject, KubeValue } from '../command/kubectl.ts'
import { metaOf } from './manifests.ts'

/**
 * Parts of NetworkPolicies. A policy selects pods by their label `app`, and sees where a connection really ends: behind a
 * Service the pod and its port, never the Service's.
 */
type Fields = { readonly [field: string]: KubeValue }

/** Ports of TCP. */
const tcp = (...ports: readonly number[]) => ports.map((port) => ({ protocol: 'TCP', port }))

/** Pods of one app. */
const app = (name: string): Fields => ({ matchLabels: { app: name } })

/** Pods of these apps. */
const apps = (...values: readonly string[]): Fields => ({
  matchExpressions: [{ key: 'app', operator: 'In', values: [...values] }],
})

/** A NetworkPolicy in our namespace. */
const policy = (name: string, spec: KubeValue): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: metaOf(name),
  spec,
})

/** Nobody may connect to pods of these apps, but for what other policies name. The empty list makes a rule by hand drift. */
export const denyIngress = (name: string, to: readonly string[]): KubeObject =>
  policy(name, { podSelector: apps(...to), policyTypes: ['Ingress'], ingress: [] })

/** Pods of some apps may connect to one, on these ports; everybody may without `from`. */
export const allowIngress = (
  name: string,
  { to, from, ports }: { readonly to: string; readonly from?: readonly string[]; readonly ports: readonly number[] },
): KubeObject =>
  policy(name, {
    podSelector: app(to),
    policyTypes: ['Ingress'],
    ingress: [{ ...(from && { from: [{ podSelector: apps(...from) }] }), ports: tcp(...ports) }],
  })

/** Pods of an app may connect to these places and to no others; answers to who connects to them are no connections. */
export const egressOnly = (name: string, from: string, egress: readonly Fields[]): KubeObject =>
  policy(name, { podSelector: app(from), policyTypes: ['Egress'], egress: [...egress] })

/** Names are looked up: wherever the resolver is, which may have a link-local address on each node. */
export const dns: Fields = { ports: [...tcp(53), { protocol: 'UDP', port: 53 }] }

/** Addresses of no public host. */
const privateNetworks = {
  v4: [
    ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
    ...['192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4'],
  ],
  v6: ['::/128', '::1/128', 'fc00::/7', 'fe80::/10', 'ff00::/8'],
}

/**
 * Where clouds tell a machine its credentials: link-local (AWS, DigitalOcean, Google and others), Azure's, Alibaba's and
 * Oracle's; of IPv6 link-local and AWS's.
 */
const metadata = {
  v4: ['169.254.0.0/16', '168.63.129.16/32', '100.100.100.200/32', '192.0.0.192/32'],
  v6: ['fe80::/10', 'fd00:ec2::254/128'],
}

const anywhereBut = ({ v4, v6 }: { readonly v4: readonly string[]; readonly v6: readonly string[] }) => [
  { ipBlock: { cidr: '0.0.0.0/0', except: [...v4] } },
  { ipBlock: { cidr: '::/0', except: [...v6] } },
]

/** Public addresses, on all ports or these; what of `metadata` has a public form is none of them. */
export const publicAddresses = (...ports: readonly number[]): Fields => ({
  to: anywhereBut({ v4: [...privateNetworks.v4, '168.63.129.16/32'], v6: privateNetworks.v6 }),
  ...(ports.length > 0 && { ports: tcp(...ports) }),
})

/** These ports of any address, private ones too, but where a cloud hands out credentials. */
export const anyAddress = (...ports: readonly number[]): Fields => ({ to: anywhereBut(metadata), ports: tcp(...ports) })

/** The API server, wherever it is: behind its Service on 443 or 6443. */
export const apiServer: Fields = anyAddress(443, 6443)

/** Pods of an app of our namespace, on these ports. */
export const toApp = (name: string, ...ports: readonly number[]): Fields => ({
  to: [{ podSelector: app(name) }],
  ports: tcp(...ports),
})

/**
 * Where a URL leads: of a Service of the cluster the namespace, since which port is behind it is not known here; else its
 * port at any address.
 */
export function toUrl(text: string): Fields {
  const { hostname, port, protocol } = new URL(text)
  const space = hostname.match(/^[^.]+\.([^.]+)\.svc(\.|$)/)?.[1]
  if (space !== undefined)
    return { to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': space } } }] }
  return anyAddress(Number(port) || (protocol === 'http:' ? 80 : 443))
}
