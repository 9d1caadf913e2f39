import { changesOf, makePlan } from '@infra/shared/engine/plan'
import { changes, converged, step, update } from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import { expect, test } from 'vitest'
import { localTarget } from '../../support/local-target.ts'
import { tempFolder } from '../../support/temp.ts'

test('what mends the whole target is planned once for each target, in the place of the first', async () => {
  const mends = (id: string, on: Target, more: string[] = []) =>
    step({
      id,
      on,
      ask: {},
      plan: () =>
        changes([update('mended', [], { once: 'whole' }), ...more.map((say) => update(say, []))], 'nothing to mend'),
    })
  const [here, there] = [localTarget(tempFolder()), localTarget(tempFolder())]
  const steps = [mends('a', here), mends('b', here, ['own']), mends('c', here), mends('d', there)]
  const plan = await makePlan([{ script: 'one', steps }], () => {})
  expect(plan.steps.map((planned) => changesOf(planned).map(({ say }) => say))).toEqual([
    ['mended'],
    ['own'],
    [],
    ['mended'],
  ])
  expect(plan.steps[2]?.decision).toEqual(converged('an earlier step fixes it'))
})
