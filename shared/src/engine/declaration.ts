import { Failure } from './failure.ts'
import { type Work, where } from './plan.ts'
import type { Script } from './script.ts'
import { idOf, type Step } from './step.ts'

/**
 * The steps of the chosen scripts, in order. All scripts of the workspace are judged first, as {@link assertOrder} says,
 * so that a defect of one is told whichever are chosen.
 */
export function collect<C>(scripts: readonly Script<C>[], context: C, chosen: readonly Script<C>[] = scripts): Work[] {
  const declared = scripts.map((script) => ({ script: script.name, steps: script.steps(context) }))
  assertOrder(declared)
  return declared.filter((_, index) => chosen.includes(scripts[index] as Script<C>))
}

interface Place {
  readonly script: string
  readonly step: Step
}

/**
 * Throws a Failure for a step that is there twice (identity is all there is instead of a state file), and for one that
 * depends on a step that comes later or is not there at all: it would be made before what it needs, and nothing would tell.
 */
export function assertOrder(work: readonly Work[]): void {
  const places = work.flatMap(({ script, steps }) => steps.map((step): Place => ({ script, step })))
  const known = new Map<string, Place>()
  for (const place of places) {
    const { id } = place.step
    const twin = known.get(id)
    if (twin)
      throw defect(place, `two steps have the id "${id}"`, 'Add it once, or give one of them another name.', [
        twin.step,
      ])
    known.set(id, place)
  }
  const earlier = new Set<string>()
  for (const place of places) {
    for (const dependency of place.step.dependsOn) {
      const id = idOf(dependency)
      if (earlier.has(id)) continue
      const there = known.get(id)
      const made = typeof dependency === 'string' ? [] : [dependency]
      throw there ? tooLate(place, there, known) : missing(place, id, made)
    }
    earlier.add(place.step.id)
  }
}

function missing(place: Place, id: string, made: readonly Step[]): Failure {
  const { step } = place
  const remedy =
    made.length > 0 ? `Add "${id}" before "${step.id}": add(…).` : 'Correct the id, or add such a step before this one.'
  return defect(place, `"${step.id}" depends on "${id}", which no script adds`, remedy, made)
}

function tooLate(place: Place, there: Place, known: ReadonlyMap<string, Place>): Failure {
  const { script, step } = place
  const circle = wayBack(there.step, step.id, known)
  if (circle) {
    const ids = [step.id, ...circle].map((id) => `"${id}"`).join(' → ')
    return defect(place, `"${step.id}" depends on itself: ${ids}`, 'Take one of these dependencies out.', [there.step])
  }
  const where = there.script === script ? 'is added after it' : `the script ${there.script} adds later`
  return defect(
    place,
    `"${step.id}" depends on "${there.step.id}", which ${where}`,
    `Add "${there.step.id}" before "${step.id}".`,
    [there.step],
  )
}

/** The chain of ids from `step` to `id`, which it depends on; undefined where it does not. */
function wayBack(
  step: Step,
  id: string,
  known: ReadonlyMap<string, Place>,
  seen = new Set<Step>(),
): string[] | undefined {
  if (step.id === id) return [id]
  if (seen.has(step)) return undefined
  seen.add(step)
  for (const dependency of step.dependsOn) {
    const next = known.get(idOf(dependency))
    const rest = next && wayBack(next.step, id, known, seen)
    if (rest) return [step.id, ...rest]
  }
  return undefined
}

const defect = ({ script, step }: Place, what: string, remedy: string, others: readonly Step[]): Failure =>
  new Failure('error', `script ${script}: ${what}`, {
    remedy,
    detail: [...new Set([step, ...others].flatMap((one) => where(one).detail))],
  })
