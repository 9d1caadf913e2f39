import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { namespace } from '@infra/shared/platform/names'
import { deployment } from '@infra/shared/platform/workload'
import { loadBalancer } from '@infra/shared/steps/kubernetes/load-balancer'
import type { StoatContext } from '../context.ts'
import { gatewayObjects } from '../manifests/gateway.ts'
import { caddyService } from '../services.ts'

/** Of a load balancer of DigitalOcean's smallest size: https://www.digitalocean.com/pricing/load-balancers. */
const price = '$12 a month at DigitalOcean'

export default script(
  'gateway',
  { about: 'Caddy, and how it is reached from outside', tags: ['workloads'] },
  (context: StoatContext, add) => {
    const { env, kube } = context
    const { name } = caddyService
    const caddy = add(
      deployment(context, 'gateway', { objects: gatewayObjects(env), workloads: [`deployment/${name}`] }),
    )
    if (env.STOAT_GATEWAY !== 'load-balancer') return
    const timeoutSeconds = env.ROLLOUT_TIMEOUT
    add(
      loadBalancer(kube, {
        namespace,
        service: name,
        domain: env.STOAT_DOMAIN,
        price,
        timeoutSeconds,
        dependsOn: caddy,
      }),
    )
  },
)

standalone(import.meta.url)
