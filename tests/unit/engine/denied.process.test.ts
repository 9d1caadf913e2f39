import { raw } from '@infra/shared/command/sh'
import { askOf } from '@infra/shared/engine/ask'
import { planWork } from '@infra/shared/engine/deploy'
import { Failure } from '@infra/shared/engine/failure'
import { converged, type Dependency, type Question, step } from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import { planLines } from '@infra/shared/report/plan-text'
import { viewOf } from '@infra/shared/report/plan-view'
import { plainPaint } from '@infra/shared/report/style'
import { expect, test } from 'vitest'
import { localTarget } from '../../support/local-target.ts'
import { note } from '../../support/notes.ts'
import { only, recorder, work } from '../../support/record.ts'
import { tempFolder } from '../../support/temp.ts'

const ask: Record<'users', Question<string>> = {
  users: {
    command: raw('echo denied >&2; exit 1'),
    parse({ code, stdout, stderr }) {
      if (code !== 0) throw new Error(stderr.trim())
      return stdout
    },
  },
}

/** A target that tells what is denied. */
const strict = (): Target => ({
  ...localTarget(tempFolder()),
  denied: ({ stderr }) =>
    /denied/.test(stderr)
      ? new Failure('error', 'you may not', { remedy: 'be allowed', detail: ['denied'] })
      : undefined,
})

const user = (on: Target, id: string, dependsOn: readonly Dependency[] = []) =>
  step({ id, on, dependsOn, ask, plan: () => converged('there') })

test('what we may not ask is an error before anything is changed, and no matter of what comes before', async () => {
  const here = strict()
  const { events, emit } = recorder()
  const first = note(here, 'a', '1')
  const failure = await planWork(work(first, user(here, 'one'), user(here, 'two', [first])), emit).catch((one) => one)
  expect(failure).toMatchObject({ kind: 'error', message: 'you may not', remedy: 'be allowed', detail: ['denied'] })
  const [steps = []] = only(events, 'plan').map(({ plan }) => plan.steps)
  expect(steps.map(({ denied }) => denied?.message)).toEqual([undefined, 'you may not', 'you may not'])
  expect(planLines(viewOf({ steps }), { paint: plainPaint, diff: 'none', verbose: false }).slice(2)).toEqual([
    '  +  note a',
    '  ?  one  users: denied',
    '  ?  two  users: denied',
  ])
})

test('what we may not ask is told as that to a command as well', async () => {
  await expect(askOf(strict(), ask)).rejects.toMatchObject({ message: 'you may not', remedy: 'be allowed' })
  await expect(askOf(localTarget(tempFolder()), ask)).rejects.toThrow('denied')
})
