import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { plainText } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { raw, sh, withStdin } from '@infra/shared/command/sh'
import { collect } from '@infra/shared/engine/declaration'
import { planWork } from '@infra/shared/engine/deploy'
import { Failure } from '@infra/shared/engine/failure'
import { assertSound, changesOf, isConverged, makePlan } from '@infra/shared/engine/plan'
import { script } from '@infra/shared/engine/script'
import { changes, converged, create, type Dependency, type Question, refuse, step } from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { localTarget } from '../../support/local-target.ts'
import { note, noteContent } from '../../support/notes.ts'
import { only, recorder, work } from '../../support/record.ts'
import { tempFolder } from '../../support/temp.ts'
import { awaits } from '../../support/wait.ts'

const quiet = () => {}

/** A question that throws unless the file `up` is there: a database that may be down. */
const database: Question<string> = {
  command: raw('cat up'),
  parse({ code, stdout, stderr }) {
    if (code !== 0) throw new Error(`the database is down: ${stderr.trim()}`)
    return stdout
  },
}

/** A step that needs the database, and is content with whatever it says. */
const needsDatabase = (on: Target, options: { dependsOn?: readonly Dependency[]; id?: string } = {}) =>
  step({
    id: options.id ?? 'role',
    on,
    dependsOn: options.dependsOn ?? [],
    ask: { database },
    plan: ({ database }) => converged(database),
  })

describe('questions', () => {
  test('equal ones are asked once, in one round trip, and each step parses for itself', async () => {
    const here = localTarget(tempFolder())
    writeFileSync(join(here.folder, 'a'), '12')
    const seen: unknown[] = []
    const reads = (id: string, parse: (text: string | null) => unknown) =>
      step({
        id,
        on: here,
        ask: { it: { command: noteContent('a').command, parse: (answer) => parse(noteContent('a').parse(answer)) } },
        plan: ({ it }) => {
          seen.push(it)
          return converged('')
        },
      })
    await makePlan(
      work(
        reads('one', Number),
        reads('two', String),
        reads('three', (text) => text?.length),
      ),
      quiet,
    )
    expect(here.asked).toEqual([['[ -e a ] || exit 127; cat a']])
    expect(seen).toEqual([12, '12', 2])
  })

  test('of the same line but another stdin are different ones', async () => {
    const here = localTarget(tempFolder())
    const asks = (id: string, input: string) =>
      step({
        id,
        on: here,
        ask: { it: { command: withStdin(raw('cat'), plainText(input)), parse: ({ stdout }) => stdout } },
        plan: ({ it }) => converged(it),
      })
    const plan = await makePlan(work(asks('a', '1'), asks('b', '2'), asks('c', '1')), quiet)
    expect(here.asked[0]).toHaveLength(2)
    expect(plan.steps.map(({ decision }) => decision)).toEqual([converged('1'), converged('2'), converged('1')])
  })

  test('all scripts go in one batch per target, targets at the same time', async () => {
    const [one, two] = [localTarget(tempFolder(), { name: 'one' }), localTarget(tempFolder(), { name: 'two' })]
    const meet = (on: Target, mine: string, other: string) =>
      step({
        id: `meet on ${on.name}`,
        on,
        // Answers only when the other target is being asked as well.
        ask: {
          met: {
            command: raw(`touch ${mine}; ${awaits(other)}`),
            parse: ({ code }) => code === 0,
          },
        },
        plan: ({ met }) => converged(String(met)),
      })
    const [a, b] = [join(one.folder, 'a'), join(two.folder, 'b')]
    const { events, emit } = recorder()
    const plan = await makePlan(
      [
        { script: 'first', steps: [meet(one, a, b), note(two, 'x', null)] },
        { script: 'second', steps: [meet(two, b, a), note(one, 'x', null)] },
      ],
      emit,
    )
    expect(plan.steps.map(({ decision }) => decision)).toEqual([
      converged('true'),
      converged('absent'),
      converged('true'),
      converged('absent'),
    ])
    expect([one.asked.length, two.asked.length]).toEqual([1, 1])
    expect(
      only(events, 'ask.end')
        .map(({ target, questions }) => [target, questions])
        .sort(),
    ).toEqual([
      ['one', 2],
      ['two', 2],
    ])
  })

  test('a plan writes nothing: no command but the questions is sent', async () => {
    const here = localTarget(tempFolder())
    await planWork(work(note(here, 'a', 'x'), note(here, 'b', 'y')), quiet)
    expect(here.ran).toEqual([])
  })
})

test('a blank target is planned as an empty machine', async () => {
  const nowhere = blank('a new host')
  const plan = await makePlan(work(note(nowhere, 'a', 'x'), note(nowhere, 'b', null)), quiet)
  expect(plan.steps.map((planned) => changesOf(planned).map(({ say }) => say))).toEqual([['note a'], []])
  expect(isConverged(plan)).toBe(false)
})

describe('what cannot be answered', () => {
  test('is unknown where an earlier step will change something first', async () => {
    const here = localTarget(tempFolder())
    const plan = await makePlan(work(note(here, 'up', 'yes'), needsDatabase(here)), quiet)
    const [, role] = plan.steps
    expect(role).toMatchObject({ facts: undefined, decision: undefined, pending: ['note up'] })
    expect(role?.unknown).toMatch(/^database: the database is down: cat: up: No such file/)
    expect(() => assertSound(plan)).not.toThrow()
    expect(isConverged(plan)).toBe(false)
  })

  test('is an error where nothing earlier explains it, naming step, target and place', async () => {
    const here = localTarget(tempFolder())
    const planned = planWork(work(needsDatabase(here), note(here, 'up', 'yes')), quiet)
    const failure = await planned.catch((error) => error)
    expect(failure).toBeInstanceOf(Failure)
    expect(failure).toMatchObject({ kind: 'error', message: expect.stringMatching(/^role on here: database: the d/) })
    expect(here.ran).toEqual([])
  })

  test('is not explained by a pending change on another target', async () => {
    const [here, there] = [localTarget(tempFolder()), localTarget(tempFolder(), { name: 'there' })]
    const plan = await makePlan(work(note(there, 'up', 'yes'), needsDatabase(here)), quiet)
    expect(() => assertSound(plan)).toThrow(/role on here/)
  })

  test('unless it says that it comes after that one', async () => {
    const [here, there] = [localTarget(tempFolder()), localTarget(tempFolder(), { name: 'there' })]
    const first = note(there, 'up', 'yes')
    const plan = await makePlan(work(first, needsDatabase(here, { dependsOn: [first] })), quiet)
    expect(() => assertSound(plan)).not.toThrow()
    expect(plan.steps[1]?.pending).toEqual(['note up'])
  })

  test('makes what comes after it tentative in turn', async () => {
    const here = localTarget(tempFolder())
    const role = needsDatabase(here)
    const grant = needsDatabase(here, { id: 'grant', dependsOn: [role] })
    const plan = await makePlan(work(note(here, 'up', 'yes'), role, grant), quiet)
    expect(plan.steps.map(({ pending }) => pending)).toEqual([[], ['note up'], ['role']])
  })

  test('says no secret that the answer held', async () => {
    const here = localTarget(tempFolder())
    const value = 'sentinel-in-an-answer'
    secret(value)
    const leaky = step({
      id: 'leaky',
      on: here,
      ask: {
        it: {
          command: sh`echo ${value}`,
          parse({ stdout }): string {
            throw new Error(`cannot read ${stdout}`)
          },
        },
      },
      plan: () => converged(''),
    })
    const plan = await makePlan(work(leaky), quiet)
    expect(plan.steps[0]?.unknown).toBe('it: cannot read [secret]\n')
  })
})

describe('dependsOn', () => {
  test('makes a decision tentative only while the earlier step will change something', async () => {
    const here = localTarget(tempFolder())
    const config = note(here, 'config', 'x')
    const heard: (readonly string[])[] = []
    const service = step({
      id: 'service',
      on: here,
      dependsOn: [config],
      ask: {},
      plan(_now, { pending }) {
        heard.push(pending)
        return pending.length > 0 ? changes([create('restart', raw('true'))], '') : converged('running')
      },
    })
    const before = await makePlan(work(config, service), quiet)
    expect(before.steps[1]).toMatchObject({ pending: ['note config'], decision: { kind: 'changes' } })
    writeFileSync(join(here.folder, 'config'), 'x')
    const then = await makePlan(work(config, service), quiet)
    expect(then.steps[1]).toMatchObject({ pending: [], decision: converged('running') })
    expect(heard).toEqual([['note config'], []])
  })
})

describe('a refusal', () => {
  const refused = (on: Target, id: string) =>
    step({ id, on, ask: {}, plan: () => refuse(`${id} is no good`, `mend ${id}`) })

  test('stops the run after the plan was shown; all refusals are told', async () => {
    const here = localTarget(tempFolder())
    const { events, emit } = recorder()
    const failure = await planWork(work(note(here, 'a', 'x'), refused(here, 'one'), refused(here, 'two')), emit).catch(
      (error) => error,
    )
    expect(failure).toMatchObject({
      message: 'one is no good',
      remedy: 'mend one\nmend two',
      detail: ['two is no good'],
    })
    expect(only(events, 'plan')).toHaveLength(1)
    expect(here.ran).toEqual([])
  })
})

test('a step is told whether any before it changes its target, in whichever script', async () => {
  const here = localTarget(tempFolder())
  const heard: (boolean | undefined)[] = []
  const hears = (id: string, on: Target) =>
    step({
      id,
      on,
      ask: {},
      plan(_now, { earlierChanges }) {
        heard.push(earlierChanges)
        return converged('')
      },
    })
  await makePlan(
    [
      { script: 'one', steps: [hears('before', here), note(here, 'a', '')] },
      { script: 'two', steps: [hears('after', here), hears('elsewhere', localTarget(tempFolder()))] },
    ],
    quiet,
  )
  expect(heard).toEqual([false, true, false])
})

describe('collect', () => {
  test('gives every script its context, in order', () => {
    const here = localTarget(tempFolder())
    const one = script<{ word: string }>('one', { about: '' }, ({ word }, add) => add(note(here, word, '')))
    expect(collect([one], { word: 'w' })).toMatchObject([{ script: 'one', steps: [{ id: 'note w' }] }])
    expect(one.tags).toEqual(['one'])
  })

  test('refuses two steps of one id, across scripts: identity is all there is', () => {
    const here = localTarget(tempFolder())
    const make = (name: string) => script<null>(name, { about: '', tags: ['t'] }, (_, add) => add(note(here, 'a', '')))
    expect(() => collect([make('one'), make('two')], null)).toThrow('script two: two steps have the id "note a"')
  })
})
