import { assertOrder } from '../engine/declaration.ts'
import { deploy, planWork } from '../engine/deploy.ts'
import type { Work } from '../engine/plan.ts'
import type { Target } from '../engine/target.ts'
import { describeHolder } from '../targets/run-identity.ts'
import { seconds, targetNames } from './commands.ts'
import { canAsk, confirmPlan } from './confirm.ts'
import { runEntry } from './entries.ts'
import type { Session } from './session.ts'

/**
 * For a workspace's own command: shows the plan of some work and, unless it is only to be shown, has it agreed to and
 * makes it, as `deploy` does; the targets were told before. The command takes the options of {@link applyOptions}. Returns the
 * number of changes made.
 */
export async function runWork(session: Session, work: readonly Work[], targets: readonly Target[]): Promise<number> {
  const { options, emit, signals, processEnv } = session
  assertOrder(work)
  if (options.check || options['dry-run']) {
    await planWork(work, emit)
    return 0
  }
  return deploy(work, {
    emit,
    stopping: signals.stopping,
    holder: describeHolder(),
    entry: runEntry(session),
    lockTimeout: seconds(options['lock-timeout']),
    agree: async (plan) => {
      if (session.together?.agree) return session.together.agree(plan)
      if (!options.yes) await confirmPlan(plan, targetNames({ targets }), canAsk(options.json === true, processEnv))
    },
  })
}
