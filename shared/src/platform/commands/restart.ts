import { tellTargets } from '../../cli/commands.ts'
import { open, type Session } from '../../cli/session.ts'
import { runWork } from '../../cli/work.ts'
import { restarted } from '../../steps/kubernetes/restart.ts'
import type { Doks } from '../doks.ts'
import { assertInside } from '../kubernetes.ts'
import { namespace } from '../names.ts'
import type { WorkloadContext } from '../workload.ts'
import { type Services, serviceOf } from './services.ts'

/** `restart [SERVICE...]`: new pods for all services of a workspace, or some of them, waited for. */
export async function runRestart(session: Session, services: Services): Promise<number> {
  const { args } = session
  const chosen = args.length > 0 ? args.map((word) => serviceOf(services, word)) : Object.values(services.services)
  const context = open(session, 'access').context as WorkloadContext & { doks: Doks | undefined }
  const { kube, env, workspace } = context
  await assertInside(context)
  await tellTargets(session, { targets: [kube] })
  const since = Date.now()
  const steps = [...new Set(chosen)].map((service) =>
    restarted(kube, { ...service, workspace, namespace, since, seconds: env.ROLLOUT_TIMEOUT }),
  )
  await runWork(session, [{ script: 'restart', steps }], [kube])
  return 0
}
