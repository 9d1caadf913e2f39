import { tellTargets } from '@infra/shared/cli/commands'
import { open, type Session } from '@infra/shared/cli/session'
import { runWork } from '@infra/shared/cli/work'
import { restarted } from '@infra/shared/steps/kubernetes/restart'
import type { ClusterContext } from '../context.ts'
import { namespace } from '../manifests/pod.ts'
import { assertInside } from '../parts/kubernetes.ts'
import { type Service, serviceOf, services } from './services.ts'

/** `restart [SERVICE...]`: new pods for the bot, the sandbox and Redis, or some of them, waited for. */
export async function runRestart(session: Session): Promise<number> {
  const { words } = session
  const chosen = words.length > 0 ? words.map(serviceOf) : (Object.keys(services) as Service[])
  const context = open(session, 'verify').context as ClusterContext
  const { kube, env } = context
  await assertInside(context)
  await tellTargets(session, { targets: [kube] })
  const since = Date.now()
  const steps = [...new Set(chosen)].map((name) =>
    restarted(kube, { ...services[name], namespace, since, seconds: env.ROLLOUT_TIMEOUT }),
  )
  await runWork(session, [{ script: 'restart', steps }], [kube])
  return 0
}
