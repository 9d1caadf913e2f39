import { raw } from '@infra/shared/command/sh'
import { collect } from '@infra/shared/engine/declaration'
import { Failure } from '@infra/shared/engine/failure'
import { makePlan } from '@infra/shared/engine/plan'
import { type Script, script } from '@infra/shared/engine/script'
import { changes, create, type Dependency, type Step, step } from '@infra/shared/engine/step'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import type { FixtureContext } from '../../support/fixture/env.ts'
import service from '../../support/fixture/scripts/20-service.ts'

const on = blank('a host')
const makes = (id: string, dependsOn: readonly Dependency[] = []) =>
  step({ id, on, dependsOn, ask: {}, plan: () => changes([create(id, raw('true'))], '') })
const named = (name: string, steps: readonly Step[]) => script<null>(name, { about: '' }, (_, add) => add(steps))

function refusal(scripts: readonly Script<null>[], chosen?: readonly Script<null>[]): string[] {
  try {
    collect(scripts, null, chosen)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return [error.message, error.remedy ?? '', ...error.detail]
  }
  throw new Error('it was not refused')
}

const a = makes('a')
const b = makes('b', [a])
const c = makes('c', [b])

test('steps in the order of their dependencies are all made, each with what it depends on pending', async () => {
  const work = collect([named('one', [a, b]), named('two', [c])], null)
  const { steps } = await makePlan(work, () => {})
  expect(steps.map(({ script, step, pending }) => [script, step.id, pending])).toEqual([
    ['one', 'a', []],
    ['one', 'b', ['a']],
    ['two', 'c', ['b']],
  ])
})

test('add returns what it was given, a step or a list of them', () => {
  const given: unknown[] = []
  const one = script<null>('one', { about: '' }, (_, add) => given.push(add(a), add([b, c] as const)))
  expect(collect([one], null)).toEqual([{ script: 'one', steps: [a, b, c] }])
  expect(given).toEqual([a, [b, c]])
})

describe('refused, with the script, the step and what to do', () => {
  test('a dependency that is never added', () => {
    expect(refusal([named('one', [b, c])])).toEqual([
      'script one: "b" depends on "a", which no script adds',
      'Add "a" before "b": add(…).',
    ])
  })

  test('one that comes later in the script', () => {
    expect(refusal([named('one', [c, b, a])])).toEqual([
      'script one: "c" depends on "b", which is added after it',
      'Add "b" before "c".',
    ])
  })

  test('one of a later script', () => {
    expect(refusal([named('one', [b]), named('two', [a])])).toEqual([
      'script one: "b" depends on "a", which the script two adds later',
      'Add "a" before "b".',
    ])
  })

  test('an id that no script has', () => {
    expect(refusal([named('one', [a]), named('two', [makes('d', ['a', 'A'])])])).toEqual([
      'script two: "d" depends on "A", which no script adds',
      'Correct the id, or add such a step before this one.',
    ])
  })

  test('a circle', () => {
    const circle = [makes('x', ['z']), makes('y', ['x']), makes('z', ['y'])]
    expect(refusal([named('one', circle)])).toEqual([
      'script one: "x" depends on itself: "x" → "z" → "y" → "x"',
      'Take one of these dependencies out.',
    ])
    expect(refusal([named('one', [makes('x', ['x'])])])[0]).toBe('script one: "x" depends on itself: "x" → "x"')
  })

  test('two steps of one id, of whichever scripts: identity is all there is', () => {
    expect(refusal([named('one', [a]), named('two', [makes('a')])])).toEqual([
      'script two: two steps have the id "a"',
      'Add it once, or give one of them another name.',
    ])
    expect(refusal([named('one', [a, a])])[0]).toBe('script one: two steps have the id "a"')
  })

  test('whichever scripts are chosen', () => {
    const [good, bad] = [named('good', [a]), named('bad', [c])]
    expect(refusal([good, bad], [good])[0]).toBe('script bad: "c" depends on "b", which no script adds')
  })
})

test('a defect names the line of the script', () => {
  const context = { env: { FIXTURE_TROUBLE: 'none' }, here: on, extra: false } as unknown as FixtureContext
  const [config, ...others] = service.steps(context)
  const without = { ...service, steps: () => others }
  expect(config?.id).toBe('note config')
  expect(() => collect([without], context)).toThrow(
    expect.objectContaining({
      message: 'script service: "service" depends on "note config", which no script adds',
      detail: [
        expect.stringMatching(/^at fixture\/scripts\/20-service\.ts:\d+$/),
        expect.stringMatching(/^at fixture\/scripts\/20-service\.ts:\d+$/),
      ],
    }),
  )
})

test('what a script that is not chosen makes is of no account', async () => {
  const [one, two] = [named('one', [a]), named('two', [b])]
  const work = collect([one, two], null, [two])
  expect(work).toEqual([{ script: 'two', steps: [b] }])
  expect((await makePlan(work, () => {})).steps).toMatchObject([{ pending: [] }])
})

test('a step that is made and not added is told: nothing else would miss it', () => {
  const forgets = script<null>('one', { about: '' }, (_, add) => {
    add(makes('kept'))
    makes('lost')
  })
  expect(refusal([forgets])).toEqual([
    'script one: "lost" is made and never added',
    'Add it: add(…), or make it only where it is added.',
  ])
})
