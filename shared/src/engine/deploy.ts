import { sayMade } from './accounting.ts'
import { apply } from './apply.ts'
import { digestPlan } from './digest.ts'
import type { Emit } from './events.ts'
import { Failure } from './failure.ts'
import { assertSound, changesOf, isConverged, makePlan, type Plan, type Work } from './plan.ts'
import type { Lock, Target } from './target.ts'

export interface DeployOptions {
  readonly emit: Emit
  stopping(): boolean
  readonly holder: string
  /** What each target that is changed keeps of this run: {@link LockRequest.entry}. */
  readonly entry?: string | undefined
  /** Seconds to wait for a lock that another holds. */
  readonly lockTimeout: number
  /** Gets the user's yes, or throws. Asked again with `moved` when the facts changed while waiting for it. */
  agree(plan: Plan, moved: boolean): Promise<void>
  /** For a saved plan: throws when this is not the plan that was reviewed. */
  expect?(plan: Plan): void
}

/** How often facts may be found changed after the lock was taken, before the run gives up. */
const maxReplans = 3

/** Plans, and says so. Throws the plan's refusals after it was shown. */
export async function planWork(work: readonly Work[], emit: Emit): Promise<Plan> {
  const began = Date.now()
  const plan = await makePlan(work, emit)
  emit({ type: 'plan', plan, ms: Date.now() - began })
  assertSound(plan)
  return plan
}

/**
 * The whole flow: plan, agree, lock, ask again, apply. Nothing is locked or written unless there is something to change
 * and the user agreed. Returns the number of changes made.
 */
export async function deploy(work: readonly Work[], options: DeployOptions): Promise<number> {
  let made = 0
  let isTried = false
  const emit: Emit = (event) => {
    if (event.type === 'change.start') isTried = true
    if (event.type === 'change.end' && event.outcome === 'done') made += 1
    options.emit(event)
  }
  let result = 'cut off'
  let plan = await planWork(work, emit)
  options.expect?.(plan)
  if (isConverged(plan)) return 0
  assertReal(plan)
  await options.agree(plan, false)
  const locks = await lockAll(plan, options)
  try {
    for (let moves = 0; ; moves += 1) {
      const now = await makePlan(work, emit)
      assertSound(now)
      if (samePlan(plan, now)) break
      if (moves === maxReplans) throw factsKeepChanging(plan, now)
      emit({ type: 'plan.moved' })
      emit({ type: 'plan', plan: now, ms: 0 })
      options.expect?.(now)
      plan = now
      if (isConverged(plan)) return 0
      await options.agree(plan, true)
    }
    await apply(plan, work, { ...options, emit })
    result = sayMade(made)
    return made
  } catch (error) {
    result = `${error instanceof Failure ? error.kind : 'error'} after ${sayMade(made)}`
    throw error
  } finally {
    for (const { target, lock } of locks) {
      // A lock that cannot be released expires; the failure that led here is the one to tell.
      await lock.release(isTried ? result : undefined).then(
        () => emit({ type: 'lock.released', target: target.name }),
        () => {},
      )
    }
  }
}

function factsKeepChanging(before: Plan, after: Plan): Failure {
  const [one, other] = [digestPlan(before, ''), digestPlan(after, '')]
  return new Failure('stale', 'the facts keep changing, so there is no plan to confirm; nothing was done', {
    detail: Object.keys(other).filter((id) => one[id] !== other[id]),
    remedy: 'Find out what else changes the target, another run or a person, and run again afterwards.',
  })
}

function samePlan(one: Plan, other: Plan): boolean {
  return JSON.stringify(digestPlan(one, '')) === JSON.stringify(digestPlan(other, ''))
}

function assertReal(plan: Plan): void {
  const blank = plan.steps.find(({ step }) => step.on.blank)?.step.on
  if (blank)
    throw new Failure('error', `nothing to deploy to: ${blank.name}`, {
      remedy: 'A blank host can be planned for, not changed.',
    })
}

async function lockAll(plan: Plan, options: DeployOptions): Promise<{ target: Target; lock: Lock }[]> {
  const open = plan.steps.filter(
    (planned) => planned.unknown !== undefined || planned.pending.length > 0 || changesOf(planned).length > 0,
  )
  const taken: { target: Target; lock: Lock }[] = []
  for (const target of new Set(open.map(({ step }) => step.on))) {
    const warn = (text: string) => options.emit({ type: 'message', level: 'warn', text })
    const waiting = (holder: string) => options.emit({ type: 'lock.wait', target: target.name, holder })
    try {
      const lock = await target.lock?.({
        ...{ holder: options.holder, timeout: options.lockTimeout, waiting },
        ...{ entry: options.entry, warn },
      })
      if (!lock) continue
      taken.push({ target, lock })
    } catch (error) {
      for (const { lock } of taken) await lock.release()
      throw error
    }
    options.emit({ type: 'lock.taken', target: target.name })
  }
  return taken
}
