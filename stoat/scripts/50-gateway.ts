import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { balancerAddress } from '@infra/shared/facts/kubernetes/load-balancer'
import { namespace } from '@infra/shared/platform/names'
import { deployment } from '@infra/shared/platform/workload'
import { addressRecord } from '@infra/shared/steps/digitalocean/dns'
import { loadBalancer, noLoadBalancer } from '@infra/shared/steps/kubernetes/load-balancer'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import type { StoatContext } from '../context.ts'
import { caddyObjects, claimVariables, entranceObjects, httpRoutes } from '../manifests/gateway.ts'
import { caddyService } from '../services.ts'

/** Of a load balancer of DigitalOcean's smallest size: https://www.digitalocean.com/pricing/load-balancers. */
const price = '$12 a month at DigitalOcean'

const noneCame = `Can the cluster make load balancers, and may the account have one more? kubectl describe service ${caddyService.name} -n ${namespace} tells. Wait longer with a higher ROLLOUT_TIMEOUT, or set STOAT_GATEWAY=cluster-ip. What was made stays; deploy again.`

export default script(
  'gateway',
  { about: 'Caddy, and how it is reached from outside', tags: ['workloads'] },
  (context: StoatContext, add) => {
    const { env, kube, dns, prune } = context
    const { name } = caddyService
    const options = { script: 'gateway-entrance', workspace: 'stoat', prune, extension: httpRoutes }
    const entrance = add(manifests(kube, entranceObjects(env), options))
    // Where a proxy has the certificate, the domain leads there.
    const domain = env.STOAT_TLS === 'upstream' ? undefined : env.STOAT_DOMAIN
    const timeoutSeconds = env.ROLLOUT_TIMEOUT
    const balancer = { namespace, service: name, domain, timeoutSeconds, dependsOn: [entrance] }
    const address =
      env.STOAT_GATEWAY === 'load-balancer' ? [add(loadBalancer(kube, { ...balancer, price, remedy: noneCame }))] : []
    if (address.length === 0) add(noLoadBalancer(kube, balancer))
    const holder = { what: 'the load balancer', address: balancerAddress(namespace, name), dependsOn: address }
    const isOurs = address.length > 0 && env.STOAT_TLS === 'gateway'
    const record = dns && isOurs ? [add(addressRecord(dns, env.STOAT_DOMAIN, holder))] : []
    const before = [entrance, ...address, ...record]
    const workloads = [`deployment/${name}`] as const
    add(deployment(context, 'gateway', { objects: caddyObjects(env), workloads, claimVariables, dependsOn: before }))
  },
)

standalone(import.meta.url)
