import { sh } from '../../command/sh.ts'
import { changes, type Dependency, noting, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { serviceAddress } from '../../facts/kubernetes/load-balancer.ts'

export interface LoadBalancerOptions {
  readonly namespace: string
  readonly service: string
  /** The name that users know. */
  readonly domain: string
  /** What it costs, for the plan that makes it. */
  readonly price: string
  readonly timeoutSeconds: number
  readonly dependsOn: readonly Dependency[]
}

/** A Service of type LoadBalancer that has its address: the cloud takes minutes to make it. Tells the DNS record to make. */
export function loadBalancer(on: Target, options: LoadBalancerOptions): Step {
  const { namespace, service, domain, price, timeoutSeconds, dependsOn } = options
  return step({
    id: `load balancer of ${service}`,
    on,
    dependsOn,
    ask: { now: serviceAddress(namespace, service) },
    plan({ now }) {
      const [address] = now?.addresses ?? []
      if (address !== undefined)
        return noting(changes([], address), [`${domain} must lead to it: ${dnsRecord(domain, address)}`])
      const path = `jsonpath={.status.loadBalancer.ingress}`
      const wait = sh`kubectl wait service/${service} -n ${namespace} --for=${path} --timeout=${`${timeoutSeconds}s`}`
      const explain = () =>
        `no load balancer was made in ${timeoutSeconds} seconds: kubectl describe service ${service} -n ${namespace}`
      return changes([update(`load balancer of ${service} (${price})`, wait, { explain })], '')
    },
  })
}

/** The DNS record that leads a name to an address: `stoat.example.com. A 203.0.113.7`. */
export function dnsRecord(domain: string, address: string): string {
  const type = address.includes(':') ? 'AAAA' : /^[\d.]+$/.test(address) ? 'A' : 'CNAME'
  return `${domain}. ${type} ${address}${type === 'CNAME' ? '.' : ''}`
}
