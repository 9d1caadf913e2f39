import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { all, raw, sh, withStdin } from '@infra/shared/command/sh'
import { changes, create, step, update } from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import { describe, expect, test } from 'vitest'
import { localTarget } from '../../support/local-target.ts'
import { note, noteContent } from '../../support/notes.ts'
import { deployed, only, work } from '../../support/record.ts'
import { tempFolder } from '../../support/temp.ts'

describe('a change that fails', () => {
  const value = 'sentinel-not-in-a-failure'
  const password = secret(value)

  test('ends the run: what, where, why, the command and its last lines; what came before stays', async () => {
    const here = localTarget(tempFolder())
    const broken = step({
      id: 'broken',
      on: here,
      ask: { b: noteContent('b') },
      plan: () => changes([create('thing b', [raw('echo ok'), raw('seq 30 >&2; exit 7'), raw('touch b')])], ''),
    })
    const { failure, events } = await deployed(work(note(here, 'a', '1'), broken, note(here, 'c', '3')))
    expect(failure).toMatchObject({
      kind: 'error',
      message: 'broken on here: could not create thing b (exit code 7)',
      detail: ['$ seq 30 >&2; exit 7', ...Array.from({ length: 15 }, (_, line) => String(line + 16))],
      remedy: expect.stringContaining('run again'),
    })
    expect(readdirSync(here.folder)).toEqual(['a'])
    expect(only(events, 'change.end').map(({ say, outcome }) => [say, outcome])).toEqual([
      ['note a', 'done'],
      ['thing b', 'failed'],
    ])
    expect(here.order.at(-1)).toBe('release')
  })

  test('is explained by the step, and a full disk by the engine', async () => {
    const fails = (on: Target, says: string) =>
      step({
        id: 'x',
        on,
        ask: {},
        plan: () =>
          changes(
            [
              create('x', sh`echo ${says}; exit 100`, {
                explain: ({ stdout }) =>
                  stdout.includes('locked')
                    ? 'another one is at work'
                    : stdout.includes('quota')
                      ? { cause: 'the quota is used up', remedy: 'Have it raised.' }
                      : undefined,
              }),
            ],
            '',
          ),
      })
    const message = async (says: string) =>
      (await deployed(work(fails(localTarget(tempFolder()), says)))).failure?.message
    expect(await message('it is locked')).toBe('x on here: another one is at work (exit code 100)')
    const { failure } = await deployed(work(fails(localTarget(tempFolder()), 'over quota')))
    expect([failure?.message, failure?.remedy]).toEqual([
      'x on here: the quota is used up (exit code 100)',
      'Have it raised.',
    ])
    expect(await message('something else')).toBe('x on here: could not create x (exit code 100)')
    expect(await message('cp: error writing: No space left on device')).toBe(
      'x on here: the disk is full (exit code 100)',
    )
  })

  test('undoes itself where it can, and says how that went', async () => {
    const run = async (undo: string) => {
      const here = localTarget(tempFolder())
      const change = update('config', [raw('echo new >config'), raw('exit 1')], { undo: [raw(undo)] })
      const { failure } = await deployed(
        work(
          note(here, 'config', 'x', { id: 'before' }),
          step({ id: 'y', on: here, ask: {}, plan: () => changes([change], '') }),
        ),
      )
      return [failure?.message, readFileSync(join(here.folder, 'config'), 'utf8')]
    }
    expect(await run('echo old >config')).toEqual(['y on here: could not update config (exit code 1); undone', 'old\n'])
    expect(await run('exit 1')).toEqual([
      'y on here: could not update config (exit code 1); undoing it failed too',
      'new\n',
    ])
  })

  test('tells no secret, whatever the program printed', async () => {
    const here = localTarget(tempFolder())
    const leaky = step({
      id: 'leaky',
      on: here,
      ask: {},
      plan: () =>
        changes(
          [
            create(
              'role',
              withStdin(raw('read -r x; echo "got $x"; echo "bad: $x" >&2; exit 1'), text`${password}\n`),
              {
                explain: ({ stderr }) => `psql says ${stderr}`,
              },
            ),
          ],
          '',
        ),
    })
    const { failure, events } = await deployed(work(leaky))
    expect(failure?.message).toContain('psql says bad: [secret]')
    const told = JSON.stringify([events, failure, failure?.message, failure?.detail, failure?.stack])
    expect(told).toContain('got [secret]')
    expect(told).not.toContain(value)
  })

  test('has its output heard while it runs', async () => {
    const here = localTarget(tempFolder())
    const slow = step({
      id: 'slow',
      on: here,
      ask: { a: noteContent('a') },
      plan: ({ a }) => changes(a === null ? [create('a', all(raw('echo one; echo two >&2'), raw('touch a')))] : [], ''),
    })
    const { events } = await deployed(work(slow))
    expect(
      only(events, 'change.output')
        .map(({ line }) => line)
        .sort(),
    ).toEqual(['one', 'two'])
  })
})

describe('a step that lets the rest go on', () => {
  const failing = (on: Target, says = 'no luck') =>
    step({
      id: 'certificate',
      on,
      continueOnError: true,
      ask: { there: noteContent('certificate') },
      plan: ({ there }) =>
        changes(
          there === null
            ? [create('certificate', raw(`echo '${says}' >&2; exit 3`), { explain: ({ stderr }) => stderr.trim() })]
            : [],
          '',
        ),
    })

  test('fails the run when all else is done; what comes after it waits, and is told', async () => {
    const here = localTarget(tempFolder())
    const certificate = failing(here)
    const site = note(here, 'site', '1', { dependsOn: [certificate] })
    const behind = note(here, 'behind', '2', { dependsOn: [site] })
    const { failure, events } = await deployed(
      work(note(here, 'a', '1'), certificate, site, behind, note(here, 'rest', '3')),
    )
    expect(readdirSync(here.folder).sort()).toEqual(['a', 'rest'])
    expect(failure).toMatchObject({
      kind: 'error',
      message: 'certificate on here: no luck (exit code 3)',
      remedy: expect.stringContaining('run again'),
    })
    expect(failure?.detail.at(-1)).toBe('everything else is done, except what depends on it: note site, note behind')
    expect(only(events, 'message').map(({ text }) => text)).toEqual([
      'certificate on here: no luck (exit code 3); the deploy continues with the rest',
    ])
    expect(here.order.at(-1)).toBe('release')
  })

  test('says nothing more where the rest fails too: that ends the run', async () => {
    const here = localTarget(tempFolder())
    const broken = step({ id: 'broken', on: here, ask: {}, plan: () => changes([create('b', raw('exit 1'))], '') })
    const { failure } = await deployed(work(failing(here), broken, note(here, 'rest', '3')))
    expect(failure?.message).toBe('broken on here: could not create b (exit code 1)')
    expect(readdirSync(here.folder)).toEqual([])
  })
})
