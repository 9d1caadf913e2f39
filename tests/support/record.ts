import { type DeployOptions, deploy } from '@infra/shared/engine/deploy'
import type { Event } from '@infra/shared/engine/events'
import { Failure } from '@infra/shared/engine/failure'
import type { Work } from '@infra/shared/engine/plan'
import type { Step } from '@infra/shared/engine/step'

/** What a run told, and a way to tell it. */
export function recorder() {
  const events: Event[] = []
  return { events, emit: (event: Event) => void events.push(event) }
}

/** The events of one type. */
export function only<T extends Event['type']>(events: readonly Event[], type: T): Extract<Event, { type: T }>[] {
  return events.filter((event): event is Extract<Event, { type: T }> => event.type === type)
}

/** Steps as the work of one script. */
export const work = (...steps: Step[]): Work[] => [{ script: 'one', steps }]

/** A deployment that everybody agrees to, with what it told and how it ended. */
export async function deployed(steps: readonly Work[], options: Partial<DeployOptions> = {}) {
  const { events, emit } = recorder()
  const run = deploy(steps, {
    emit,
    stopping: () => false,
    holder: 'a test',
    lockTimeout: 0,
    agree: async () => {},
    ...options,
  })
  const outcome = await run.then(
    (made) => ({ made, failure: undefined }),
    (error) => {
      if (error instanceof Failure) return { made: undefined, failure: error }
      throw error
    },
  )
  return { ...outcome, events }
}
