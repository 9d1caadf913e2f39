import { sh } from '@infra/shared/command/sh'
import { changes, converged, refuse, type Step, step, update } from '@infra/shared/engine/step'
import { serviceAddress } from '@infra/shared/facts/kubernetes/load-balancer'
import { namespace, redisService } from '@infra/shared/platform/names'
import type { StoatContext } from '../context.ts'

/** Redis is there, which the workspace cluster deploys: in the same run, or before. */
export function redisPresent({ kube, env, afterCluster }: StoatContext): Step {
  const { name } = redisService
  const wait = sh`kubectl rollout status statefulset/${name} -n ${namespace} --timeout=${`${env.ROLLOUT_TIMEOUT}s`}`
  return step({
    id: 'Redis of the cluster',
    on: kube,
    ask: { service: serviceAddress(namespace, name) },
    plan({ service }) {
      if (service || kube.blank) return converged(service ? 'there' : 'made by the workspace cluster')
      const explain = () => 'the workspace cluster has not made Redis'
      if (afterCluster) return changes([update('redis, after cluster', wait, { explain })], '')
      return refuse(
        'there is no Redis in the cluster yet',
        'npm run deploy -w cluster makes it (npm run deploy does both); or set STOAT_REDIS_URL to your own Redis.',
      )
    },
  })
}
