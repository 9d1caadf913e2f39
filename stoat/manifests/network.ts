import type { KubeObject } from '@infra/shared/command/kubectl'
import { allowIngress, denyIngress, dns, egressOnly, publicAddresses } from '@infra/shared/platform/networks'
import { bucketJob, caddyService, clientsOf, stoatServices, stores, webService } from '../services.ts'

/** Some pods may connect to one, on these ports. */
const allow = (to: string, from: readonly string[], ports: readonly number[]): KubeObject =>
  allowIngress(`allow-${to}`, { to, from, ports })

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
    denyIngress('stoat-deny-ingress', names),
    allowIngress('allow-stoat-caddy', {
      to: caddyService.name,
      ports: [caddyService.http.listens, caddyService.https.listens],
    }),
    ...listening.map(({ name, port }) => allow(name, [caddyService.name], [port.listens])),
    allow(webService.name, [caddyService.name], [webService.port]),
    allow(stores.mongodb.name, clientsOf('mongodb'), [stores.mongodb.ports.mongodb]),
    allow(stores.rabbitmq.name, clientsOf('rabbitmq'), [stores.rabbitmq.ports.amqp, stores.rabbitmq.ports.management]),
    allow(stores.minio.name, [...clientsOf('minio'), bucketJob], [stores.minio.ports.s3]),
    // It fetches what strangers name: names are looked up, and public addresses reached, no others.
    egressOnly('stoat-january-egress', stoatServices.january.name, [dns, publicAddresses(80, 443)]),
  ]
}
