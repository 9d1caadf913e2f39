import { tellTargets } from '@infra/shared/cli/commands'
import { open, type Session } from '@infra/shared/cli/session'
import { runWork } from '@infra/shared/cli/work'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { adoptionSteps } from '../adoption/steps.ts'
import type { StoatContext } from '../context.ts'

/**
 * `adopt`: takes over what another program (the original's Terraform) made under Stoat's names, up to where `deploy` goes
 * on. Stoat is stopped in between.
 */
export async function runAdopt(session: Session): Promise<number> {
  const context = open(session, 'deploy').context as StoatContext
  const { kube } = context
  await assertInside(context)
  await tellTargets(session, { targets: [kube] })
  const made = await runWork(session, [{ script: 'original', steps: [...adoptionSteps(context)] }], [kube])
  const text = 'Stoat is stopped until npm run deploy -w stoat has come to its end'
  if (made > 0) session.emit({ type: 'message', level: 'info', text })
  return 0
}
