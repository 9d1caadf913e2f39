import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { place, startCli } from '../../support/fixture-workspace.ts'

const notes = (folder: string) => readdirSync(folder).sort()

describe.concurrent('a signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s lets the change under way finish, makes no other, releases the lock: exit %i',
    async (signal, code) => {
      const here = place({ trouble: 'slow' })
      const run = startCli(here, ['deploy', '--yes', '-v'])
      await run.until('half way')
      run.kill(signal)
      await run.until('stopping: finishing "service started" first; once more to stop at once')
      writeFileSync(join(here.folder, 'go'), '')
      const ran = await run.ended
      expect(ran.code).toBe(code)
      expect(ran.stderr).toMatch(
        /✓ service started[\s\S]*error: stopped as requested, after 4 changes\n.*same command again/,
      )
      expect(notes(here.folder)).toEqual(['config', 'motd', 'password', 'running'])
    },
  )

  test('a second one stops at once and says what is uncertain', async () => {
    const here = place({ trouble: 'slow' })
    const run = startCli(here, ['deploy', '--yes', '-v'])
    await run.until('half way')
    run.kill('SIGINT')
    await run.until('once more')
    run.kill('SIGINT')
    const ran = await run.ended
    writeFileSync(join(here.folder, 'go'), '')
    expect(ran.code).toBe(130)
    expect(ran.stderr).toMatch(/stopped at once: "service started" may be done, half done or not done/)
    expect(ran.stderr).not.toContain('✓ service started')
  })

  test('while it waits for the lock ends the run at once: nothing was changed', async () => {
    const here = place()
    mkdirSync(join(here.folder, '.lock'))
    writeFileSync(join(here.folder, '.lock/holder'), 'ana@laptop')
    const run = startCli(here, ['deploy', '--yes', '--lock-timeout', '600'])
    await run.until('waiting for the lock on here, held by ana@laptop')
    run.kill('SIGINT')
    const ran = await run.ended
    expect(ran).toMatchObject({ code: 130, stderr: expect.stringContaining('stopped; nothing was changed') })
    expect(notes(here.folder)).toEqual(['.lock'])
  })
})
