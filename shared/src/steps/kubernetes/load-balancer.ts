import type { Output } from '../../command/command.ts'
import { explainKubectl } from '../../command/kubectl.ts'
import { sh } from '../../command/sh.ts'
import {
  changes,
  converged,
  type Dependency,
  type Explained,
  noting,
  remove,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { serviceAddress } from '../../facts/kubernetes/load-balancer.ts'

export interface LoadBalancerOptions {
  readonly namespace: string
  readonly service: string
  /** The name that shall lead to it; undefined where that leads to a proxy before it. */
  readonly domain: string | undefined
  /** What it costs, for the plan that makes it. */
  readonly price: string
  readonly timeoutSeconds: number
  readonly dependsOn: readonly Dependency[]
  /** What helps where none comes. */
  readonly remedy: string
}

/** A Service of type LoadBalancer that has its address: the cloud takes minutes to make it. Tells the DNS record to make. */
export function loadBalancer(on: Target, options: LoadBalancerOptions): Step {
  const { namespace, service, domain, price, timeoutSeconds, dependsOn, remedy } = options
  return step({
    id: `load balancer of ${service}`,
    on,
    dependsOn,
    ask: { now: serviceAddress(namespace, service) },
    plan({ now }) {
      const [address] = now?.addresses ?? []
      if (address !== undefined)
        return noting(
          changes([], address),
          domain === undefined ? [] : [`${domain} must lead to it: ${dnsRecord(domain, address)}`],
        )
      const path = 'jsonpath={.status.loadBalancer.ingress}'
      // Where none comes, the cloud says why in events of the Service.
      const wait = sh`kubectl wait service/${service} -n ${namespace} --for=${path} --timeout=${`${timeoutSeconds}s`} && exit 0
kubectl get events -n ${namespace} --field-selector ${`involvedObject.kind=Service,involvedObject.name=${service},type=Warning`} --sort-by=.metadata.creationTimestamp --no-headers -o ${'custom-columns=M:.message'} | tail -n 1 | sed ${'s/^/the cloud says: /'} >&2
exit 1`
      const explain = ({ stderr }: Output): Explained => ({
        cause: `no load balancer came in ${timeoutSeconds} seconds${/^the cloud says: (.*)$/m.exec(stderr)?.[0].replace(/^/, '; ') ?? ''}`,
        remedy,
      })
      return changes([update(`load balancer of ${service} (${price})`, wait, { explain })], '')
    },
  })
}

/**
 * No load balancer of a Service. It goes with the Service, or with its type, which an earlier step changes: this one tells
 * what goes with it. A name that still leads to its address leads to whoever gets that next.
 */
export function noLoadBalancer(
  on: Target,
  options: Pick<LoadBalancerOptions, 'namespace' | 'service' | 'domain' | 'timeoutSeconds' | 'dependsOn'>,
): Step {
  const { namespace, service, domain, timeoutSeconds, dependsOn } = options
  return step({
    id: `no load balancer of ${service}`,
    on,
    dependsOn,
    ask: { now: serviceAddress(namespace, service) },
    plan({ now }) {
      if (now?.type !== 'LoadBalancer') return converged('there is none')
      const [address] = now.addresses
      const path = 'jsonpath={.spec.type}=ClusterIP'
      const wait = sh`kubectl wait service/${service} -n ${namespace} --for=${path} --timeout=${`${timeoutSeconds}s`}`
      const what = `load balancer of ${service}${address === undefined ? '' : `, with its address ${address}`}`
      return noting(
        changes([remove(what, wait, { risk: 'downtime', explain: explainKubectl })], ''),
        address === undefined || domain === undefined
          ? []
          : [`if there is a record ${dnsRecord(domain, address)}, delete it: the address will be somebody else's`],
      )
    },
  })
}

/** The DNS record that leads a name to an address: `stoat.example.com. A 203.0.113.7`. */
export function dnsRecord(domain: string, address: string): string {
  const type = address.includes(':') ? 'AAAA' : /^[\d.]+$/.test(address) ? 'A' : 'CNAME'
  return `${domain}. ${type} ${address}${type === 'CNAME' ? '.' : ''}`
}
