import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from '@infra/shared/command/command'
import { raw, sh, withStdin } from '@infra/shared/command/sh'
import { changesOf, type Work } from '@infra/shared/engine/plan'
import { changes, converged, create, type Dependency, refuse, step, update } from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import { sayEvent } from '@infra/shared/report/messages'
import { describe, expect, test } from 'vitest'
import { localTarget } from '../../support/local-target.ts'
import { note, noteContent } from '../../support/notes.ts'
import { deployed, only, work } from '../../support/record.ts'
import { tempFolder } from '../../support/temp.ts'

const read = (folder: string, name: string) => readFileSync(join(folder, name), 'utf8')

/** A step that copies a note as it is when it decides: it reads what an earlier step writes. */
const copy = (on: Target, from: string, to: string, dependsOn: readonly Dependency[] = []) =>
  step({
    id: `copy ${to}`,
    on,
    dependsOn,
    ask: { source: noteContent(from), now: noteContent(to) },
    plan: ({ source, now }) =>
      changes(source === now ? [] : [update(`copy ${to}`, withStdin(sh`cat >${to}`, text`${source ?? ''}`))], 'equal'),
  })

/** Makes both notes a and b, so that there is nothing left to do for a step of b. */
const both = (on: Target) =>
  step({
    id: 'both',
    on,
    ask: { a: noteContent('a') },
    plan: ({ a }) => changes(a === null ? [create('a and b', raw('echo 1 >a; echo 2 >b'))] : [], ''),
  })

describe('applying', () => {
  test('makes the changes in order, and a second run has nothing to do', async () => {
    const here = localTarget(tempFolder())
    const steps: Work[] = [
      { script: 'first', steps: [note(here, 'a', '1'), note(here, 'b', '2')] },
      { script: 'second', steps: [note(here, 'c', '3')] },
    ]
    const { made, events } = await deployed(steps)
    expect(made).toBe(3)
    expect(here.ran).toEqual([['cat >a <<< 1'], ['cat >b <<< 2'], ['cat >c <<< 3']])
    expect(['a', 'b', 'c'].map((name) => read(here.folder, name))).toEqual(['1', '2', '3'])
    expect(only(events, 'change.end').map(({ say, outcome }) => `${say} ${outcome}`)).toEqual([
      'note a done',
      'note b done',
      'note c done',
    ])
    expect(only(events, 'script.start').map(({ script }) => script)).toEqual(['first', 'second'])

    here.asked.length = 0
    const again = await deployed(steps)
    expect(again.made).toBe(0)
    expect([here.asked.length, here.ran.length, here.order.filter((what) => what === 'lock').length]).toEqual([1, 3, 1])
    expect(again.events.map(({ type }) => type)).toEqual(['ask.start', 'ask.end', 'plan'])
  })

  test('a step is asked again right before it decides, once something was changed on its target', async () => {
    const here = localTarget(tempFolder())
    writeFileSync(join(here.folder, 'from'), 'old')
    writeFileSync(join(here.folder, 'to'), 'older')
    const { made } = await deployed(work(note(here, 'from', 'new'), copy(here, 'from', 'to')))
    expect(made).toBe(2)
    expect(read(here.folder, 'to')).toBe('new')
  })

  test('a step that the change before it made needless does nothing', async () => {
    const here = localTarget(tempFolder())
    const { made, failure, events } = await deployed(work(both(here), note(here, 'b', '2\n')))
    expect([made, failure]).toEqual([1, undefined])
    expect(here.ran).toHaveLength(1)
    expect(only(events, 'applied')).toEqual([{ type: 'applied', planned: 2, made: 1, unneeded: ['note b'], more: [] }])
  })

  test('how many were made goes with how many were planned, in the events and in words', async () => {
    const here = localTarget(tempFolder())
    for (const name of ['source', 'copied']) writeFileSync(join(here.folder, name), 'old')
    const { events, made } = await deployed(
      // The copy is converged in the plan, and has to be made once its source is another.
      work(both(here), note(here, 'b', '2\n'), note(here, 'source', 'new'), copy(here, 'source', 'copied')),
    )
    const announced = only(events, 'plan').at(-1)?.plan.steps.flatMap(changesOf).length ?? 0
    const [told] = only(events, 'applied')
    expect(told).toEqual({ type: 'applied', planned: 3, made: 3, unneeded: ['note b'], more: ['copy copied'] })
    expect([announced, made]).toEqual([told?.planned, told?.made])
    expect(only(events, 'change.end')).toHaveLength(announced - 1 + 1)
    expect(told && sayEvent(told).text).toBe('3 changes made, converged; 1 of the 3 planned was not needed, 1 more was')
  })

  test('what is unknown at first is asked once an earlier step has changed something', async () => {
    const here = localTarget(tempFolder())
    const needs = step({
      id: 'needs up',
      on: here,
      ask: {
        up: {
          command: raw('cat up'),
          parse({ code, stdout }) {
            if (code !== 0) throw new Error('it is down')
            return stdout
          },
        },
        role: noteContent('role'),
      },
      plan: ({ up, role }) =>
        changes(role === up ? [] : [create('role', withStdin(raw('cat >role'), text`${up}`))], ''),
    })
    const { made } = await deployed(work(note(here, 'up', 'yes'), needs))
    expect(made).toBe(2)
    expect(read(here.folder, 'role')).toBe('yes')
  })

  test('a step after one on another target is asked again too, even in a script that was all converged', async () => {
    const [here, there] = [localTarget(tempFolder()), localTarget(tempFolder(), { name: 'there' })]
    const source = join(here.folder, 'source')
    writeFileSync(source, 'old')
    writeFileSync(join(there.folder, 'to'), 'old')
    const first = note(here, 'source', 'new')
    const { made, failure } = await deployed([
      { script: 'one', steps: [first] },
      { script: 'two', steps: [copy(there, source, 'to', [first])] },
    ])
    expect([made, failure]).toEqual([2, undefined])
    expect(read(there.folder, 'to')).toBe('new')
  })

  test('a refusal that shows up on the way stops there', async () => {
    const here = localTarget(tempFolder())
    const picky = step({
      id: 'picky',
      on: here,
      ask: { a: noteContent('a') },
      plan: ({ a }) => (a === null ? converged('') : refuse('a is there', 'remove it')),
    })
    const { failure } = await deployed(work(note(here, 'a', '1'), picky, note(here, 'b', '2')))
    expect(failure).toMatchObject({ message: 'picky: a is there', remedy: 'remove it' })
    expect(existsSync(join(here.folder, 'b'))).toBe(false)
  })
})

describe('batches', () => {
  const packages = (on: Target, names: string[], dependsOn: readonly Dependency[] = []) => {
    const install = (items: readonly string[]) => [sh`touch ${items}`]
    return step({
      id: `packages ${names.join(' ')}`,
      on,
      dependsOn,
      ask: { there: { command: raw('ls'), parse: ({ stdout }) => stdout.split('\n') } },
      plan({ there }) {
        const missing = names.filter((name) => !there.includes(name))
        const batch = { key: 'packages', items: missing, run: install }
        return changes(missing.length ? [create(`packages ${missing.join(' ')}`, install(missing), { batch })] : [], '')
      },
    })
  }

  test('of several steps and scripts are made by one command, in the place of the first, and all are counted', async () => {
    const here = localTarget(tempFolder())
    const { made, events } = await deployed([
      { script: 'one', steps: [packages(here, ['a', 'b']), note(here, 'n', '1')] },
      { script: 'two', steps: [packages(here, ['b', 'c']), packages(here, ['d'])] },
    ])
    expect(here.ran).toEqual([['touch a b c d'], ['cat >n <<< 1']])
    expect(made).toBe(4)
    expect(only(events, 'change.end').map(({ say }) => say)).toEqual([
      'packages a b and 2 more of later steps',
      'note n',
      'packages b c',
      'packages d',
    ])
  })

  test('of one step are made by one command too, each told by itself', async () => {
    const here = localTarget(tempFolder())
    const touch = (items: readonly string[]) => [sh`touch ${items}`]
    const objects = step({
      id: 'objects',
      on: here,
      ask: { there: { command: raw('ls'), parse: ({ stdout }) => stdout.split('\n') } },
      plan: ({ there }) =>
        changes(
          ['a', 'b', 'c']
            .filter((name) => !there.includes(name))
            .map((name) => create(name, touch([name]), { batch: { key: 'o', items: [name], run: touch } })),
          '',
        ),
    })
    const { made, events } = await deployed(work(objects))
    expect([made, here.ran]).toEqual([3, [['touch a b c']]])
    expect(only(events, 'change.end').map(({ say, outcome }) => `${say} ${outcome}`)).toEqual([
      'a done',
      'b done',
      'c done',
    ])
  })

  test('leave out what waits for an earlier step: that is made in its own place, alone', async () => {
    const here = localTarget(tempFolder())
    const source = note(here, 'sources.list', 'x')
    const { made } = await deployed(work(packages(here, ['a']), source, packages(here, ['b'], [source])))
    expect(here.ran).toEqual([['touch a'], ['cat >sources.list <<< x'], ['touch b']])
    expect(made).toBe(3)
  })

  test('hold only what is still missing when they are made', async () => {
    const here = localTarget(tempFolder())
    await deployed(work(note(here, 'a', 'x'), packages(here, ['a', 'b'])))
    expect(here.ran).toEqual([['cat >a <<< x'], ['touch b']])
  })

  test('of different targets stay apart', async () => {
    const [here, there] = [localTarget(tempFolder()), localTarget(tempFolder(), { name: 'there' })]
    await deployed(work(packages(here, ['a']), packages(there, ['b']), packages(here, ['c'])))
    expect([here.ran, there.ran]).toEqual([[['touch a c']], [['touch b']]])
  })
})

describe('what does not converge', () => {
  test('fails the run and is named, after its script, before the next one', async () => {
    const here = localTarget(tempFolder())
    const never = step({
      id: 'never done',
      on: here,
      ask: { a: noteContent('a') },
      plan: () => changes([update('it once more', raw('touch a'))], ''),
    })
    const { failure } = await deployed([
      { script: 'one', steps: [never, note(here, 'b', '2')] },
      { script: 'two', steps: [note(here, 'c', '3')] },
    ])
    expect(failure).toMatchObject({
      kind: 'error',
      message: 'did not converge: after its changes, 1 of 2 steps still differ',
      detail: ['never done: it once more'],
    })
    expect(readdirSync(here.folder)).toEqual(['a', 'b'])
  })

  test('a later script that undoes an earlier one is found at the end', async () => {
    const here = localTarget(tempFolder())
    const { failure } = await deployed([
      { script: 'one', steps: [note(here, 'a', '1')] },
      { script: 'two', steps: [note(here, 'a', '2', { id: 'note a, otherwise' })] },
    ])
    expect(failure?.detail).toEqual(['note a: note a'])
  })

  test('a step that cannot be asked any more is named with why', async () => {
    const here = localTarget(tempFolder())
    const fragile = step({
      id: 'fragile',
      on: here,
      ask: {
        x: {
          command: raw('[ ! -e a ] || { echo broken >&2; exit 1; }'),
          parse({ code, stderr }) {
            if (code !== 0) throw new Error(stderr)
            return ''
          },
        },
      },
      plan: () => converged(''),
    })
    const { failure } = await deployed(work(fragile, note(here, 'a', '1')))
    expect(failure?.detail).toEqual(['fragile: x: broken'])
  })
})

describe('stopping', () => {
  test('waits for the change that is under way, makes no other, and releases the lock', async () => {
    const here = localTarget(tempFolder())
    let asked = false
    const { failure, events } = await deployed(work(note(here, 'a', '1'), note(here, 'b', '2')), {
      stopping: () => {
        const now = asked
        asked = here.ran.length > 0
        return now || asked
      },
    })
    expect(failure).toMatchObject({
      kind: 'interrupted',
      message: 'stopped as requested, after 1 change',
      remedy: expect.stringContaining('same command again'),
    })
    expect(readdirSync(here.folder)).toEqual(['a'])
    expect(only(events, 'change.end')).toMatchObject([{ say: 'note a', outcome: 'done' }])
    expect(here.order.at(-1)).toBe('release')
  })

  test('after the last change is told as well: it was not looked at again', async () => {
    const here = localTarget(tempFolder())
    const { failure } = await deployed(work(note(here, 'a', '1')), { stopping: () => here.ran.length > 0 })
    expect(failure).toMatchObject({ kind: 'interrupted' })
  })
})
