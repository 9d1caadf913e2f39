import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { raw } from '@infra/shared/command/sh'
import { Failure } from '@infra/shared/engine/failure'
import { changesOf } from '@infra/shared/engine/plan'
import { changes, create, type Question, refuse, step, update } from '@infra/shared/engine/step'
import type { LockRequest, Target } from '@infra/shared/engine/target'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { localTarget } from '../../support/local-target.ts'
import { note } from '../../support/notes.ts'
import { deployed, only, work } from '../../support/record.ts'
import { tempFolder } from '../../support/temp.ts'

describe('plan first, lock late', () => {
  test('the lock is taken after the yes, the facts are asked again, and it is released at the end', async () => {
    const here = localTarget(tempFolder())
    const agreed: string[] = []
    const { made, events } = await deployed(work(note(here, 'a', '1')), {
      agree: async (plan, moved) => {
        agreed.push(`${plan.steps.flatMap(changesOf).map(({ say }) => say)} ${moved} ${here.order}`)
      },
    })
    expect(made).toBe(1)
    expect(agreed).toEqual(['note a false ask'])
    expect(here.order).toEqual(['ask', 'lock', 'ask', 'run', 'ask', 'release'])
    expect(only(events, 'lock.released')).toHaveLength(1)
    expect(readdirSync(here.folder)).toEqual(['a'])
  })

  test('with nothing to change there is no question to the user, no lock and no second look', async () => {
    const here = localTarget(tempFolder())
    const { made } = await deployed(work(note(here, 'a', null)), {
      agree: async () => {
        throw new Error('asked')
      },
    })
    expect([made, here.order]).toEqual([0, ['ask']])
  })

  test('a no leaves everything as it is', async () => {
    const here = localTarget(tempFolder())
    const { failure } = await deployed(work(note(here, 'a', '1')), {
      agree: async () => {
        throw new Failure('interrupted', 'no')
      },
    })
    expect(failure?.message).toBe('no')
    expect(here.order).toEqual(['ask'])
  })

  test('a refusal stops before the question to the user', async () => {
    const here = localTarget(tempFolder())
    const no = step({ id: 'no', on: here, ask: {}, plan: () => refuse('it must not be', 'do otherwise') })
    const { failure } = await deployed(work(note(here, 'a', '1'), no), {
      agree: async () => {
        throw new Error('asked')
      },
    })
    expect(failure?.message).toBe('no: it must not be')
    expect(here.order).toEqual(['ask'])
  })

  test('a blank target cannot be deployed to', async () => {
    const { failure } = await deployed(work(note(blank('a new host'), 'a', '1')))
    expect(failure).toMatchObject({ kind: 'error', message: 'nothing to deploy to: a new host' })
  })

  test('only targets that something changes on are locked; one that has no lock needs none', async () => {
    const [here, there, cloud] = [
      localTarget(tempFolder()),
      localTarget(tempFolder(), { name: 'there' }),
      localTarget(tempFolder(), { name: 'cloud', lockless: true }),
    ]
    const { made } = await deployed(work(note(here, 'a', '1'), note(there, 'a', null), note(cloud, 'a', '1')))
    expect(made).toBe(2)
    expect([here.order.includes('lock'), there.order.includes('lock')]).toEqual([true, false])
  })

  test('a target is locked as well where a change elsewhere may lead to one on it', async () => {
    const [here, there] = [localTarget(tempFolder()), localTarget(tempFolder(), { name: 'there' })]
    const first = note(here, 'a', '1')
    const { made } = await deployed(work(first, { ...note(there, 'b', null), dependsOn: [first] }))
    expect(made).toBe(1)
    expect(there.order).toContain('lock')
  })
})

describe('what a target keeps of a run', () => {
  const keeping = (on: ReturnType<typeof localTarget>) => {
    const kept: (string | undefined)[] = []
    const lock: NonNullable<Target['lock']> = async ({ entry }) => ({
      release: async (result) => void kept.push(result && `${entry}; ${result}`),
    })
    return { target: { ...on, lock }, kept }
  }
  const entry = 'deploy pod; ana; commit 0123456789ab'

  test('ends with how many changes were made, or after how many it ended otherwise', async () => {
    const { target, kept } = keeping(localTarget(tempFolder()))
    await deployed(work(note(target, 'a', '1'), note(target, 'b', '2')), { entry })
    const broken = step({
      id: 'broken',
      on: target,
      ask: {},
      plan: () => changes([create('what cannot be', raw('exit 3'))], ''),
    })
    await deployed(work(note(target, 'c', '3'), broken), { entry })
    expect(kept).toEqual([`${entry}; 2 changes made`, `${entry}; error after 1 change made`])
  })

  test('is nothing where no change was begun', async () => {
    const here = localTarget(tempFolder())
    const { target, kept } = keeping(here)
    const moving = {
      ...target,
      lock: async (request: LockRequest) => {
        writeFileSync(join(here.folder, 'a'), '1')
        return target.lock(request)
      },
    }
    await deployed(work(note(moving, 'a', '1')), { entry })
    expect(kept).toEqual([undefined])
  })
})

describe('facts that moved between the plan and the lock', () => {
  /** Changes the folder right after the first look, as another run would. */
  const actingMeanwhile = (on: ReturnType<typeof localTarget>, act: () => void) => ({
    ...on,
    async lock(request: Parameters<NonNullable<Target['lock']>>[0]) {
      act()
      return (await on.lock?.(request)) ?? { release: async () => {} }
    },
  })

  test('make a new plan, which has to be agreed to again', async () => {
    const here = localTarget(tempFolder())
    const target = actingMeanwhile(here, () => writeFileSync(join(here.folder, 'a'), 'foreign'))
    const agreed: string[] = []
    const { made, events } = await deployed(work(note(target, 'a', '1')), {
      agree: async (plan, moved) => {
        agreed.push(`${changesOf(plan.steps[0] as never)[0]?.verb} ${moved}`)
      },
    })
    expect(agreed).toEqual(['create false', 'update true'])
    expect(made).toBe(1)
    expect(events.map(({ type }) => type).filter((type) => type.startsWith('plan'))).toEqual([
      'plan',
      'plan.moved',
      'plan',
    ])
  })

  test('and a no to it releases the lock and changes nothing', async () => {
    const here = localTarget(tempFolder())
    const target = actingMeanwhile(here, () => writeFileSync(join(here.folder, 'a'), 'foreign'))
    const { failure } = await deployed(work(note(target, 'a', '1')), {
      agree: async (_plan, moved) => {
        if (moved) throw new Failure('interrupted', 'no')
      },
    })
    expect(failure?.message).toBe('no')
    expect([here.ran, here.order.at(-1)]).toEqual([[], 'release'])
  })

  test('by what we wanted anyway leave nothing to do', async () => {
    const here = localTarget(tempFolder())
    const target = actingMeanwhile(here, () => writeFileSync(join(here.folder, 'a'), '1'))
    const { made } = await deployed(work(note(target, 'a', '1')))
    expect([made, here.ran, here.order.at(-1)]).toEqual([0, [], 'release'])
  })

  test('are stale for a saved plan, before and after the lock', async () => {
    const here = localTarget(tempFolder())
    const stale = new Failure('stale', 'it moved')
    const at = async (call: number) => {
      let calls = 0
      const target = actingMeanwhile(here, () => writeFileSync(join(here.folder, 'a'), String(call)))
      const { failure } = await deployed(work(note(target, 'a', 'desired')), {
        expect: () => {
          calls += 1
          if (calls === call) throw stale
        },
      })
      return failure
    }
    expect(await at(1)).toBe(stale)
    expect(here.order).toEqual(['ask'])
    expect(await at(2)).toBe(stale)
    expect([here.ran, here.order.at(-1)]).toEqual([[], 'release'])
  })

  test('that never stand still end the run instead of going round for ever', async () => {
    const here = localTarget(tempFolder())
    const clock: Question<string> = { command: raw('date +%N'), parse: ({ stdout }) => stdout }
    const keepsChanging = step({
      id: 'keeps-changing',
      on: here,
      ask: { clock },
      plan: () => changes([update('it', raw('true'))], ''),
    })
    const { failure } = await deployed(work(keepsChanging))
    expect(failure).toMatchObject({ kind: 'stale', detail: ['keeps-changing'] })
    expect([here.ran, here.order.at(-1)]).toEqual([[], 'release'])
  })
})

describe('the lock', () => {
  test('of another run stops this one, named, and what was locked before is released', async () => {
    const [here, there] = [localTarget(tempFolder()), localTarget(tempFolder(), { name: 'there' })]
    mkdirSync(join(there.folder, '.lock'))
    writeFileSync(join(there.folder, '.lock', 'holder'), 'ana@laptop')
    const { failure, events } = await deployed(work(note(here, 'a', '1'), note(there, 'a', '1')))
    expect(failure).toMatchObject({ kind: 'locked', message: 'another run holds the lock: ana@laptop' })
    expect(only(events, 'lock.wait')).toMatchObject([{ target: 'there', holder: 'ana@laptop' }])
    expect([here.ran, there.ran, here.order.at(-1)]).toEqual([[], [], 'release'])
  })

  test('that cannot be released does not hide why the run failed', async () => {
    const here = localTarget(tempFolder())
    const broken = {
      ...here,
      lock: async () => ({
        release: async () => {
          throw new Error('the connection is gone')
        },
      }),
    }
    const fails = step({ id: 'x', on: broken, ask: {}, plan: () => changes([update('x', raw('exit 9'))], '') })
    const { failure, events } = await deployed(work(fails))
    expect(failure?.message).toContain('exit code 9')
    expect(only(events, 'lock.released')).toEqual([])
  })
})
