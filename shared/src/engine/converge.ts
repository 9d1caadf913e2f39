import { setTimeout as pause } from 'node:timers/promises'
import type { Emit } from './events.ts'
import { Failure } from './failure.ts'
import { changesOf, isConverged, makePlan, type Plan, type PlannedStep, type Work } from './plan.ts'
import type { Target } from './target.ts'

/**
 * Asks everything again: nothing may be left to do. Where a target's answers lag behind its changes they are waited for,
 * with a word of it; `stopIfAsked` throws to end that. Throws a Failure that names the steps that still differ.
 */
export async function assertConverged(work: readonly Work[], emit: Emit, stopIfAsked: () => void): Promise<void> {
  for (let looks = 0; ; looks += 1) {
    const again = await makePlan(work, emit)
    if (isConverged(again)) return
    const open = again.steps.filter(({ decision }) => decision?.kind !== 'converged')
    const late = lagging(open)
    const seconds = late?.lag?.waits[looks]
    if (!late || seconds === undefined) throw unconverged(again, open, late)
    const when = `in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`
    const what = open.length > 3 ? `${open.length} steps` : open.map(({ step }) => step.id).join(', ')
    const text = `${late.name} does not show the change yet (${what}): checking again ${when}`
    emit({ type: 'message', level: 'info', text })
    for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
      stopIfAsked()
      await pause(Math.min(end - Date.now(), 500))
    }
  }
}

/** The target whose late answers may be all that is behind these open steps: any other one comes after one of its. */
function lagging(open: readonly PlannedStep[]): Target | undefined {
  const isExcused = ({ step, pending }: PlannedStep) => step.on.lag !== undefined || pending.length > 0
  return open.every(isExcused) ? open.find(({ step }) => step.on.lag)?.step.on : undefined
}

function unconverged(again: Plan, open: readonly PlannedStep[], late: Target | undefined): Failure {
  const lines = open.map((planned) => {
    const what = changesOf(planned).map(({ say }) => say)
    if (planned.decision?.kind === 'refused') what.push(planned.decision.reason)
    return `${planned.step.id}: ${planned.unknown ?? what.join(', ')}`
  })
  const known = new Set(open.flatMap(({ step }) => step.unsettled ?? []))
  const remedy =
    open.length > 0 && open.every(({ step }) => step.unsettled !== undefined)
      ? `${[...known].join('\n')}\nRun plan to see what differs.`
      : 'Run plan to see what differs. If nothing else on the target changes it back, this is a defect of the step.'
  return new Failure(
    'error',
    `did not converge: after its changes, ${open.length} of ${again.steps.length} steps still differ`,
    { detail: lines, remedy: late?.lag ? `${late.lag.remedy} ${remedy}` : remedy },
  )
}
