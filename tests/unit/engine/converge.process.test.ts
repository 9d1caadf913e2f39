import { raw } from '@infra/shared/command/sh'
import { changes, step, update } from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import { describe, expect, test } from 'vitest'
import { type LocalTarget, localTarget } from '../../support/local-target.ts'
import { note, noteContent } from '../../support/notes.ts'
import { deployed, only, work } from '../../support/record.ts'
import { tempFolder } from '../../support/temp.ts'

const nothing = { code: 127, stdout: '', stderr: '' }

/** A target that shows what was changed only when it has been asked so many times more. */
function late(here: LocalTarget, looks: number, waits: readonly number[]): Target {
  let left = 0
  return {
    ...here,
    name: 'the cloud',
    lag: { waits, remedy: 'It may be late.' },
    ask: async (questions) => {
      if (left === 0) return here.ask(questions)
      left -= 1
      return questions.map(() => nothing)
    },
    run: async (commands, hear) => {
      left = looks
      return here.run(commands, hear)
    },
  }
}

const waited = (events: Parameters<typeof only>[0]) => only(events, 'message').map(({ text }) => text)
const said = (seconds: number) =>
  `the cloud does not show the change yet (note a): checking again in ${seconds} seconds`

describe('a target whose answers lag behind its changes', () => {
  test.each<[looks: number, waits: number[]]>([
    [0, []],
    [1, [0.01]],
    [2, [0.01, 0.02]],
  ])('is asked again until they show: after %d looks', async (looks, waits) => {
    const here = localTarget(tempFolder())
    const { made, failure, events } = await deployed(work(note(late(here, looks, [0.01, 0.02, 0.03]), 'a', '1')))
    expect([made, failure]).toEqual([1, undefined])
    expect(waited(events)).toEqual(waits.map(said))
    expect(here.ran).toHaveLength(1)
  })

  test('is a failure in the end, with what may be behind it', async () => {
    const cloud = late(localTarget(tempFolder()), 9, [0.01, 0.02])
    const { failure, events } = await deployed(work(note(cloud, 'a', '1')))
    expect(failure?.message).toBe('did not converge: after its changes, 1 of 1 steps still differ')
    expect(failure?.remedy).toMatch(/^It may be late\. Run plan/)
    expect(waited(events)).toEqual([0.01, 0.02].map(said))
  })

  test('is no defect of a step that others can undo, which tells where to look', async () => {
    const here = localTarget(tempFolder())
    const open = (id: string, unsettled?: string) =>
      step({
        ...{ id, on: here, ask: { b: noteContent('b') }, ...(unsettled && { unsettled }) },
        plan: () => changes([update('pods', raw('true'))], ''),
      })
    const remedyOf = async (...steps: ReturnType<typeof open>[]) => (await deployed(work(...steps))).failure?.remedy
    expect(await remedyOf(open('rollout', 'kubectl get nodes'))).toBe(
      'kubectl get nodes\nRun plan to see what differs.',
    )
    expect(await remedyOf(open('rollout', 'kubectl get nodes'), open('other'))).toMatch(/a defect of the step/)
  })

  test('is waited for by what comes after it on another one', async () => {
    const [here, there] = [localTarget(tempFolder()), localTarget(tempFolder(), { name: 'there' })]
    const first = note(late(here, 1, [0.01]), 'a', '1')
    const second = step({
      id: 'second',
      on: there,
      dependsOn: [first],
      ask: { b: noteContent('b') },
      plan: ({ b }, { pending }) => changes(b === null || pending.length > 0 ? [update('b', raw('touch b'))] : [], ''),
    })
    const { failure, events } = await deployed(work(first, second))
    expect(failure).toBeUndefined()
    expect(waited(events)[0]).toContain('(note a, second)')
  })

  test('excuses nothing that another target says', async () => {
    const [here, there] = [localTarget(tempFolder()), localTarget(tempFolder(), { name: 'there' })]
    const never = step({
      id: 'never done',
      on: there,
      ask: { b: noteContent('b') },
      plan: () => changes([update('b', raw('touch b'))], ''),
    })
    const { failure, events } = await deployed(work(note(late(here, 1, [60]), 'a', '1'), never))
    expect(failure?.detail).toEqual(['note a: note a', 'never done: b'])
    expect(waited(events)).toEqual([])
  })

  test('is not waited for any longer once the user asks to stop', async () => {
    const here = localTarget(tempFolder())
    let stop = false
    const emit = ({ type }: { type: string }) => {
      stop ||= type === 'message'
    }
    const cloud = late(here, 9, [60])
    const { failure } = await deployed(work(note(cloud, 'a', '1')), { emit, stopping: () => stop })
    expect(failure).toMatchObject({ kind: 'interrupted', message: 'stopped as requested, after 1 change' })
  })
})
