import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import type { Step } from '@infra/shared/engine/step'
import { balancerAddress } from '@infra/shared/facts/kubernetes/load-balancer'
import { namespace } from '@infra/shared/platform/names'
import { deployment } from '@infra/shared/platform/workload'
import { addressRecord } from '@infra/shared/steps/digitalocean/dns'
import { loadBalancer, noLoadBalancer } from '@infra/shared/steps/kubernetes/load-balancer'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import type { StoatContext } from '../context.ts'
import { caddyObjects, claimVariables, entranceObjects, httpRoutes } from '../manifests/gateway.ts'
import { loadBalancerPrice } from '../prices.ts'
import { caddyService } from '../services.ts'

const price = `$${loadBalancerPrice} a month at DigitalOcean`

const noneCame = `Can the cluster make load balancers, and may the account have one more? kubectl describe service ${caddyService.name} -n ${namespace} tells. Wait longer with a higher ROLLOUT_TIMEOUT, or set STOAT_GATEWAY=cluster-ip. What was made stays; deploy again.`

export default script(
  'gateway',
  { about: 'Caddy, and how it is reached from outside', tags: ['workloads'] },
  (context: StoatContext, add) => {
    const { env, kube, prune } = context
    const options = { script: 'gateway-entrance', workspace: 'stoat', prune, extension: httpRoutes }
    const entrance = add(manifests(kube, entranceObjects(env), options))
    const dependsOn = [entrance, ...add(addressSteps(context, entrance))]
    const workloads = [`deployment/${caddyService.name}`] as const
    add(deployment(context, 'gateway', { objects: caddyObjects(env), workloads, claimVariables, dependsOn }))
  },
)

/** What makes the domain lead to Caddy. Before that starts, since it asks for its certificate at once. */
function addressSteps({ env, kube, dns }: StoatContext, entrance: Step): Step[] {
  const { name } = caddyService
  // Where a proxy has the certificate, the domain leads there.
  const domain = env.STOAT_TLS === 'upstream' ? undefined : env.STOAT_DOMAIN
  const timeoutSeconds = env.ROLLOUT_TIMEOUT
  const balancer = { namespace, service: name, domain, timeoutSeconds, dependsOn: [entrance] }
  if (env.STOAT_GATEWAY !== 'load-balancer') return [noLoadBalancer(kube, balancer)]
  const made = loadBalancer(kube, { ...balancer, price, remedy: noneCame })
  if (!dns || env.STOAT_TLS !== 'gateway') return [made]
  const holder = { what: 'the load balancer', address: balancerAddress(namespace, name), dependsOn: [made] }
  return [made, addressRecord(dns, env.STOAT_DOMAIN, holder)]
}

standalone(import.meta.url)
