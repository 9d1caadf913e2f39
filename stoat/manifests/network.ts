import type { KubeObject, KubeValue } from '@infra/shared/command/kubectl'
import { metaOf } from '@infra/shared/platform/manifests'
import { bucketJob, caddyService, clientsOf, stoatServices, stores, webService } from '../services.ts'

const tcp = (...ports: number[]) => ports.map((port) => ({ protocol: 'TCP', port }))
const apps = (...values: string[]) => ({ matchExpressions: [{ key: 'app', operator: 'In', values }] })

const policy = (name: string, spec: KubeValue): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: metaOf(name),
  spec,
})

/** Some pods may connect to one, on these ports. */
const allow = (to: string, from: readonly string[], ports: readonly number[]): KubeObject =>
  policy(`allow-${to}`, {
    podSelector: { matchLabels: { app: to } },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ podSelector: apps(...from) }], ports: tcp(...ports) }],
  })

/** Addresses of no public host. */
const privateNetworks = {
  v4: [
    ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
    ...['192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4'],
  ],
  v6: ['::/128', '::1/128', 'fc00::/7', 'fe80::/10', 'ff00::/8'],
}

/** Who may connect to Stoat's pods: nobody, but for what the table of services names. Only Caddy is open to everybody. */
export function networkPolicies(): KubeObject[] {
  const programs = Object.values(stoatServices)
  const listening = programs.flatMap((program) => ('port' in program ? [program] : []))
  const names = [
    ...programs.map(({ name }) => name),
    ...[webService.name, caddyService.name, bucketJob],
    ...Object.values(stores).map(({ name }) => name),
  ]
  return [
    policy('stoat-deny-ingress', { podSelector: apps(...names), policyTypes: ['Ingress'] }),
    policy('allow-stoat-caddy', {
      podSelector: { matchLabels: { app: caddyService.name } },
      policyTypes: ['Ingress'],
      ingress: [{ ports: tcp(caddyService.http.listens, caddyService.https.listens) }],
    }),
    ...listening.map(({ name, port }) => allow(name, [caddyService.name], [port.listens])),
    allow(webService.name, [caddyService.name], [webService.port]),
    allow(stores.mongodb.name, clientsOf('mongodb'), [stores.mongodb.ports.mongodb]),
    allow(stores.rabbitmq.name, clientsOf('rabbitmq'), [stores.rabbitmq.ports.amqp, stores.rabbitmq.ports.management]),
    allow(stores.minio.name, [...clientsOf('minio'), bucketJob], [stores.minio.ports.s3]),
    policy('stoat-january-egress', {
      podSelector: { matchLabels: { app: stoatServices.january.name } },
      policyTypes: ['Egress'],
      // It fetches what strangers name: names are looked up, and public addresses reached, no others.
      egress: [
        { ports: [...tcp(53), { protocol: 'UDP', port: 53 }] },
        {
          to: [
            { ipBlock: { cidr: '0.0.0.0/0', except: privateNetworks.v4 } },
            { ipBlock: { cidr: '::/0', except: privateNetworks.v6 } },
          ],
          ports: tcp(80, 443),
        },
      ],
    }),
  ]
}
