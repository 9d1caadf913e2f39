import { raw } from '@infra/shared/command/sh'
import type { Failure } from '@infra/shared/engine/failure'
import { assertSound, makePlan } from '@infra/shared/engine/plan'
import { changes, converged, create, type Decision, refuse, step } from '@infra/shared/engine/step'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'

const quiet = () => {}

describe('a step that depends on one of an earlier script', () => {
  const on = blank('a host')
  const makes = (done: boolean) =>
    step({ id: 'makes', on, ask: {}, plan: () => changes(done ? [] : [create('it', raw('true'))], '') })
  const planned = async (done: boolean, decision: Decision, unknownWhilePending = true) => {
    const reads = step({ id: 'reads', on, ask: {}, dependsOn: ['makes'], unknownWhilePending, plan: () => decision })
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

  test('and reads what that makes has nothing to do only once it is made', async () => {
    expect(await planned(true, converged('all there'))).toMatchObject({ pending: [], unknown: undefined })
    expect(await planned(false, converged('all there'))).toMatchObject({
      decision: undefined,
      unknown: 'depends on changes that are not applied yet',
      pending: ['makes'],
    })
  })

  test('and reads what that makes is not refused for what is there before', async () => {
    expect(await planned(false, refuse('it is bad', 'mend it'))).toMatchObject({ decision: undefined })
    await expect(planned(true, refuse('it is bad', 'mend it'))).rejects.toThrow('it is bad')
  })

  test('may do other than it is planned to', async () => {
    const decision = changes([create('more', raw('true'))], '')
    expect(await planned(false, decision)).toMatchObject({ decision, pending: ['makes'] })
  })

  test('and reads nothing of it is decided by what is there: a refusal stops the run before anything is changed', async () => {
    await expect(planned(false, refuse('it is not ours', 'leave it'), false)).rejects.toThrow('it is not ours')
    const decision = converged('kept')
    expect(await planned(false, decision, false)).toMatchObject({ decision, unknown: undefined, pending: ['makes'] })
  })
})

describe('refusals of a plan', () => {
  const on = blank('a host')
  const one = (id: string, decision: Decision) => step({ id, on, ask: {}, plan: () => decision })
  const told = async (...steps: ReturnType<typeof one>[]) => {
    const plan = await makePlan([{ script: 'only', steps }], quiet)
    try {
      assertSound(plan)
    } catch (failure) {
      const { message, remedy, detail } = failure as Failure
      return { message, remedy, detail }
    }
    return undefined
  }
  const other = one('other', refuse('it is bad', 'mend it'))

  test('are told together', async () => {
    expect(await told(other, one('last', refuse('it is old', 'renew it')))).toEqual({
      ...{ message: 'other: it is bad', remedy: 'mend it\nrenew it', detail: ['last: it is old'] },
    })
  })

  test('what a shell needs for their commands is said once, before them', async () => {
    const there = { ...on, remedyToType: (remedy: string) => `First: export A=b\n${remedy}` }
    const two = ['delete one', 'delete two'].map((remedy, at) =>
      step({ id: `${at}`, on: there, ask: {}, plan: () => refuse('it is not ours', remedy) }),
    )
    expect((await told(...two))?.remedy).toBe('First: export A=b\ndelete one\ndelete two')
  })

  test('are not told beside one whose remedy changes what they are about', async () => {
    expect(await told(other, one('last', refuse('it is another', 'take it over', { alone: true })))).toEqual({
      ...{ message: 'last: it is another', remedy: 'take it over', detail: [] },
    })
  })
})
