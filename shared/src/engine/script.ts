import { Failure } from './failure.ts'
import { where } from './plan.ts'
import { type Step, stepsMadeBy } from './step.ts'

/** An ordered part of a workspace: what shall be true, step by step. `C` is what the workspace gives its scripts. */
export interface Script<C> {
  readonly name: string
  readonly about: string
  readonly tags: readonly string[]
  /** The steps that it adds, in order. Throws a Failure for one that it makes and does not add. */
  steps(context: C): readonly Step[]
}

/** Adds a step, or several, to the script, and returns what it was given. What a step depends on is added before it. */
export type Add = <const S extends Step | readonly Step[]>(steps: S) => S

/** Makes a {@link Script}: `declare` adds its steps. It answers to its name and to its tags (`--tags db`). */
export function script<C>(
  name: string,
  options: { about: string; tags?: readonly string[] },
  declare: (context: C, add: Add) => void,
): Script<C> {
  const stepsOf = (context: C): readonly Step[] => {
    const added: Step[] = []
    const made = stepsMadeBy(() =>
      declare(context, (steps) => {
        added.push(...[steps].flat())
        return steps
      }),
    )
    const forgotten = made.find((step) => !added.includes(step))
    if (forgotten)
      throw new Failure('error', `script ${name}: "${forgotten.id}" is made and never added`, {
        remedy: 'Add it: add(…), or make it only where it is added.',
        ...where(forgotten),
      })
    return added
  }
  return { name, about: options.about, tags: [name, ...(options.tags ?? [])], steps: stepsOf }
}
