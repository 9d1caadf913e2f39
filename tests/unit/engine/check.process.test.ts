import { secret } from '@infra/shared/command/secret'
import { raw } from '@infra/shared/command/sh'
import { type Check, check, fail, ok, runChecks, warn } from '@infra/shared/engine/check'
import type { Target } from '@infra/shared/engine/target'
import { describe, expect, test } from 'vitest'
import { localTarget } from '../../support/local-target.ts'
import { noteContent } from '../../support/notes.ts'
import { only, recorder } from '../../support/record.ts'
import { tempFolder } from '../../support/temp.ts'

const about = (id: string) => ({ id, about: `about ${id}`, remedy: `mend ${id}` })

const asks = (on: Target, id: string, judge: (note: string | null) => ReturnType<typeof ok>) =>
  check(on, { ...about(id), ask: { note: noteContent('a') }, judge: ({ note }) => judge(note) })

async function run(checks: readonly Check[]) {
  const { events, emit } = recorder()
  const counts = await runChecks(checks, emit)
  return { counts, told: only(events, 'check'), summary: only(events, 'check.summary') }
}

describe('checks', () => {
  test('that fail because another does are skipped by its name; those that pass all the same are not', async () => {
    const bad = (id: string, ...dependsOn: string[]): Check => ({
      ...about(id),
      dependsOn,
      probe: async () => fail('no answer'),
    })
    const { counts, told } = await run([
      bad('page', 'port'),
      bad('port', 'nginx'),
      bad('nginx'),
      { ...about('lucky'), dependsOn: ['nginx'], probe: async () => ok('cached') },
      bad('apart', 'not-run'),
    ])
    expect(told.map(({ id, outcome, detail, remedy }) => [id, outcome, detail, remedy])).toEqual([
      ['page', 'skipped', 'nginx failed: no answer', undefined],
      ['port', 'skipped', 'nginx failed: no answer', undefined],
      ['nginx', 'fail', 'no answer', 'mend nginx'],
      ['lucky', 'ok', 'cached', undefined],
      ['apart', 'fail', 'no answer', 'mend apart'],
    ])
    expect(counts).toEqual({ ok: 1, warn: 0, fail: 2, skipped: 2 })
  })

  test('come out as told, in order, questions in one batch, a remedy where one is needed', async () => {
    const here = localTarget(tempFolder())
    const { counts, told, summary } = await run([
      asks(here, 'good', (note) => ok(`note ${note}`)),
      asks(here, 'so-so', () => warn('12 days left')),
      { ...about('outside'), probe: async () => ok('port 22 is open') },
      asks(here, 'bad', () => fail('gone')),
    ])
    expect(here.asked).toHaveLength(1)
    expect(here.ran).toEqual([])
    expect(told.map(({ id, outcome, detail, remedy }) => [id, outcome, detail, remedy])).toEqual([
      ['good', 'ok', 'note null', undefined],
      ['so-so', 'warn', '12 days left', 'mend so-so'],
      ['outside', 'ok', 'port 22 is open', undefined],
      ['bad', 'fail', 'gone', 'mend bad'],
    ])
    expect(counts).toEqual({ ok: 2, warn: 1, fail: 1, skipped: 0 })
    expect(summary).toMatchObject([{ counts }])
  })

  test('may judge what was asked by what was probed meanwhile', async () => {
    const here = localTarget(tempFolder())
    const asked = { on: here, ask: { note: noteContent('a') } }
    const { told } = await run([
      {
        ...about('both'),
        asked,
        probe:
          async () =>
          ({ note }) =>
            ok(`seen with note ${note}`),
      },
      { ...about('neither'), asked },
    ])
    expect(told.map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ['ok', 'seen with note null'],
      ['fail', 'no answer'],
    ])
  })

  test('that cannot be answered, judged or probed fail one by one, without a secret', async () => {
    const here = localTarget(tempFolder())
    secret('sentinel-in-a-check')
    const boom = () => {
      throw new Error('cannot: sentinel-in-a-check')
    }
    const { told } = await run([
      check(here, { ...about('ask'), ask: { x: { command: raw('true'), parse: boom } }, judge: () => ok('') }),
      asks(here, 'judge', boom),
      { ...about('probe'), probe: async () => boom() },
      asks(here, 'fine', () => ok('')),
    ])
    expect(told.map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ['fail', 'x: cannot: [secret]'],
      ['fail', 'cannot: [secret]'],
      ['fail', 'cannot: [secret]'],
      ['ok', ''],
    ])
  })

  test('of one id are each judged by their own answers', async () => {
    const here = localTarget(tempFolder())
    const says = (word: string) =>
      check(here, {
        ...about('same'),
        ask: { it: { command: raw(`echo ${word}`), parse: ({ stdout }) => stdout.trim() } },
        judge: ({ it }) => ok(it),
      })
    const { told } = await run([says('one'), says('two')])
    expect(told.map(({ detail }) => detail)).toEqual(['one', 'two'])
  })

  test('that can only warn never fails, whether it is asked or probed', async () => {
    const here = localTarget(tempFolder())
    const { counts, told } = await run([
      check(here, { ...about('asked'), severity: 'warn', ask: { note: noteContent('a') }, judge: () => fail('odd') }),
      { ...about('probed'), severity: 'warn', probe: async () => fail('odd') },
      { ...about('full'), probe: async () => warn('odd') },
    ])
    expect(told.map(({ severity, outcome, remedy }) => [severity, outcome, remedy])).toEqual([
      ['warn', 'warn', 'mend asked'],
      ['warn', 'warn', 'mend probed'],
      ['fail', 'warn', 'mend full'],
    ])
    expect(counts).toMatchObject({ warn: 3, fail: 0 })
  })

  test('of one subject are told together, wherever they are declared', async () => {
    const good = (id: string): Check => ({ ...about(id), probe: async () => ok(id) })
    const { told } = await run(['synapse.unit', 'nginx.unit', 'synapse.api', 'disk', 'nginx.site'].map(good))
    expect(told.map(({ id, detail }) => [id, detail])).toEqual(
      ['synapse.unit', 'synapse.api', 'nginx.unit', 'nginx.site', 'disk'].map((id) => [id, id]),
    )
  })

  test('of nothing is nothing', async () => {
    expect((await run([])).counts).toEqual({ ok: 0, warn: 0, fail: 0, skipped: 0 })
  })
})
