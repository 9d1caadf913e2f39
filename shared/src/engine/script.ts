import type { Step } from './step.ts'

/** An ordered part of a workspace: what shall be true, as a list of steps. `C` is what the workspace gives its scripts. */
export interface Script<C> {
  readonly name: string
  readonly about: string
  readonly tags: readonly string[]
  steps(context: C): readonly Step[]
}

/** Makes a {@link Script}. It answers to its name and to its tags (`--tags db`). */
export function script<C>(
  name: string,
  options: { about: string; tags?: readonly string[] },
  steps: (context: C) => readonly Step[],
): Script<C> {
  return { name, about: options.about, tags: [name, ...(options.tags ?? [])], steps }
}
