import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Step } from '@infra/shared/engine/step'
import { describe, expect, test } from 'vitest'
import { type LocalTarget, localTarget } from '../../support/local-target.ts'
import { note } from '../../support/notes.ts'
import { deployed, work } from '../../support/record.ts'
import { tempFolder } from '../../support/temp.ts'

const names = Array.from({ length: 60 }, (_, index) => `note${index}`)

/** Sixty notes that are as desired, but for those named. */
function sixty(...missing: string[]): { here: LocalTarget; steps: Step[] } {
  const here = localTarget(tempFolder())
  for (const name of names) if (!missing.includes(name)) writeFileSync(join(here.folder, name), name)
  return { here, steps: names.map((name) => note(here, name, name)) }
}

describe('after a change', () => {
  test('the steps that follow are not asked one by one as long as nothing is found', async () => {
    const { here, steps } = sixty('note0')
    expect((await deployed(work(...steps))).made).toBe(1)
    // The plan, once more under the lock, the end; in between 1, 2, 4 … steps at a time.
    expect(here.asked.length - 3).toBeLessThanOrEqual(6)
  })

  test('what was asked ahead counts only until the next change', async () => {
    const { here, steps } = sixty('note0', 'note40')
    // Note 40 takes away what note 50 wrote, long after note 50 may have been asked ahead.
    const spoil = note(here, 'note50', 'note50', { id: 'spoiled' })
    const cruel = { ...(steps[40] as Step) }
    cruel.plan = (now, ahead) => {
      const decision = (steps[40] as Step).plan(now, ahead)
      if (decision.kind !== 'changes') return decision
      return {
        ...decision,
        changes: decision.changes.map((one) => ({ ...one, run: [...one.run, { line: 'rm note50' }] })),
      }
    }
    const all = [...steps.slice(0, 40), cruel, ...steps.slice(41, 50), spoil, ...steps.slice(51)]
    const { made, failure } = await deployed(work(...all))
    expect(failure).toBeUndefined()
    expect(made).toBe(3)
    expect(readFileSync(join(here.folder, 'note50'), 'utf8')).toBe('note50')
  })
})
