import { canAsk, confirm, confirmPlan } from '@infra/shared/cli/confirm'
import { describe, expect, test } from 'vitest'
import { calm } from '../report/plans.ts'

describe('where nobody can be asked', () => {
  test('a run is refused with exit code 64, and the flag is named', async () => {
    for (const asked of [confirm('Do it?', false), confirmPlan(calm, 'here', false)]) {
      await expect(asked).rejects.toMatchObject({ kind: 'usage', remedy: expect.stringMatching(/--yes.*--check/) })
    }
  })

  // Below vitest there is a terminal at times; that alone must not be enough.
  test.each([
    ['json', true, {}],
    ['turbo, whose prompts hang', false, { TURBO_HASH: 'x' }],
    ['continuous integration', false, { CI: '1' }],
  ])('%s', (_name, json, env) => expect(canAsk(json, env)).toBe(false))
})
