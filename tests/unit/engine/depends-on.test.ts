import { raw } from '@infra/shared/command/sh'
import { assertSound, makePlan } from '@infra/shared/engine/plan'
import { changes, converged, create, type Decision, refuse, step } from '@infra/shared/engine/step'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'

const quiet = () => {}

describe('a step that reads what a step of an earlier script makes', () => {
  const on = blank('a host')
  const makes = (done: boolean) =>
    step({ id: 'makes', on, ask: {}, plan: () => changes(done ? [] : [create('it', raw('true'))], '') })
  const planned = async (done: boolean, decision: Decision) => {
    const reads = step({ id: 'reads', on, ask: {}, dependsOn: ['makes'], plan: () => decision })
    const plan = await makePlan(
      [
        { script: 'first', steps: [makes(done)] },
        { script: 'second', steps: [reads] },
      ],
      quiet,
    )
    assertSound(plan)
    return plan.steps.at(-1)
  }

  test('has nothing to do only once that is made', async () => {
    expect(await planned(true, converged('all there'))).toMatchObject({ pending: [], unknown: undefined })
    expect(await planned(false, converged('all there'))).toMatchObject({
      decision: undefined,
      unknown: 'depends on changes that are not applied yet',
      pending: ['makes'],
    })
  })

  test('is not refused for what is there before', async () => {
    expect(await planned(false, refuse('it is bad', 'mend it'))).toMatchObject({ decision: undefined })
    await expect(planned(true, refuse('it is bad', 'mend it'))).rejects.toThrow('it is bad')
  })

  test('may do other than it is planned to', async () => {
    const decision = changes([create('more', raw('true'))], '')
    expect(await planned(false, decision)).toMatchObject({ decision, pending: ['makes'] })
  })
})
