import type { Step } from './step.ts'

/** An ordered part of a workspace: what shall be true, step by step. `C` is what the workspace gives its scripts. */
export interface Script<C> {
  readonly name: string
  readonly about: string
  readonly tags: readonly string[]
  /** The steps that it adds, in order. */
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
  return {
    name,
    about: options.about,
    tags: [name, ...(options.tags ?? [])],
    steps(context) {
      const added: Step[] = []
      declare(context, (steps) => {
        added.push(...[steps].flat())
        return steps
      })
      return added
    },
  }
}
