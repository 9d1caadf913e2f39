import { existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { raw, sh } from '@infra/shared/command/sh'
import { type Running, start } from '@infra/shared/targets/process'
import { entryOf, readEntries } from '@infra/shared/targets/run-entry'
import { breakLock, lockFence, lockProgram } from '@infra/shared/targets/ssh/lock'
import { changeProgram } from '@infra/shared/targets/ssh/program'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'
import { awaits, until as poll } from '../../../support/wait.ts'

/** The host's folder of locks, which is another one here. */
const there = '/run/infra'

interface Session {
  readonly running: Running
  /** What it printed so far. */
  said(): string
  /** The same on stderr: which of two streams is read first is chance. */
  complained(): string
  until(text: string): Promise<unknown>
}

/** Runs a program of the host's in a real shell, as ssh does: its stdin stays open. */
function session(folder: string, source: string): Session {
  const printed = { stdout: '', stderr: '' }
  const running = start(['sh', '-s'], {
    stdout: (chunk) => {
      printed.stdout += chunk
    },
    stderr: (chunk) => {
      printed.stderr += chunk
    },
  })
  running.write(source.replaceAll(there, folder).replaceAll('/var/lib/infra', join(folder, 'kept')))
  return {
    running,
    said: () => printed.stdout,
    complained: () => printed.stderr,
    until: (text) => until(() => printed.stdout.includes(text)),
  }
}

/** Waits for what is sure to come, however busy the machine is: the test's own time is the limit. */
const until = (holds: () => boolean) => poll('what is sure to come', 60_000, () => holds() || undefined)

const lock = (folder: string, id: string, holder: string, timeout = 0, entry?: string) =>
  session(folder, lockProgram(id, holder, timeout, entry).source)

const kept = (folder: string) => {
  const path = join(folder, 'kept/runs.log')
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

const change = (folder: string, id: string, command = raw('echo made')) =>
  session(folder, changeProgram([command], lockFence(id)).source)

async function end({ running }: Session): Promise<void> {
  running.end()
  await running.ended
}

describe.concurrent('the lock on a host', () => {
  test('is taken by one, who is told to the next, and is free when the connection of the first ends', async () => {
    const folder = join(tempFolder(), 'infra')
    const first = lock(folder, 'id-1', "ana's $(laptop) pid 1")
    await first.until('TAKEN\n')
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    const second = lock(folder, 'id-2', 'bob')
    await second.until('TIMEOUT\n')
    expect(second.said()).toMatch(/^HELD ana's \$\(laptop\) pid 1 \d{4}-\d\d-\d\dT[\d:]{8}Z \nTIMEOUT\n$/)
    await end(first)
    expect(existsSync(join(folder, 'lock'))).toBe(false)
    const third = lock(folder, 'id-3', 'bob')
    await third.until('TAKEN\n')
    expect(third.said()).toBe('TAKEN\n')
    await end(third)
  })

  test('is waited for, and taken as soon as it is free', async () => {
    const folder = tempFolder()
    const first = lock(folder, 'id-1', 'ana')
    await first.until('TAKEN\n')
    const second = lock(folder, 'id-2', 'bob', 30)
    await second.until('HELD ana')
    await end(first)
    await second.until('TAKEN\n')
    expect(readFileSync(join(folder, 'lock/holder'), 'utf8')).toMatch(/^id-2\nbob\n/)
    await end(second)
  })

  test('is taken by one only, however many come at once', async () => {
    const folder = tempFolder()
    const all = Array.from({ length: 8 }, (_, index) => lock(folder, `id-${index}`, `run ${index}`))
    await Promise.all(all.map((one) => until(() => /^(TAKEN|TIMEOUT)$/m.test(one.said()))))
    expect(all.filter((one) => one.said().includes('TAKEN'))).toHaveLength(1)
    await Promise.all(all.map(end))
  })

  test('is released when its holder is ended by a signal', async () => {
    const folder = tempFolder()
    const first = lock(folder, 'id-1', 'ana')
    await first.until('TAKEN\n')
    first.running.kill('SIGTERM')
    await end(first)
    expect(existsSync(join(folder, 'lock'))).toBe(false)
  })

  test('of a holder that gave no sign of life expires; one that does is kept', async () => {
    const folder = tempFolder()
    const first = lock(folder, 'id-1', 'ana')
    await first.until('TAKEN\n')
    const longAgo = Date.now() / 1000 - 300
    utimesSync(join(folder, 'lock'), longAgo, longAgo)
    first.running.write('\n')
    await until(() => statSync(join(folder, 'lock')).mtimeMs > Date.now() - 60_000)
    const second = lock(folder, 'id-2', 'bob')
    await second.until('TIMEOUT')
    utimesSync(join(folder, 'lock'), longAgo, longAgo)
    const third = lock(folder, 'id-3', 'eve')
    await third.until('TAKEN\n')
    await end(first)
    expect(existsSync(join(folder, 'lock')), 'the lock of another is not dropped').toBe(true)
    await end(third)
  })

  test('fences changes: one whose lock was lost does nothing', async () => {
    const folder = tempFolder()
    const first = lock(folder, 'id-1', 'ana')
    await first.until('TAKEN\n')
    const mine = change(folder, 'id-1')
    await mine.until('made')
    await end(mine)
    const other = change(folder, 'id-2', sh`touch ${join(folder, 'done')}`)
    await end(other)
    expect(other.complained()).toBe('the lock was lost\n')
    expect(other.said()).toMatch(/^\n:\w+:died\n$/)
    expect(await other.running.ended).toBe(75)
    expect(existsSync(join(folder, 'done'))).toBe(false)
    await end(first)
  })

  test('keeps a line of a run that changed something, of its owner alone, and none of another', async () => {
    const folder = tempFolder()
    const entry = entryOf({
      what: 'deploy pod --tags db',
      by: "ana;\n$(id)'\u202e@laptop pid 1",
      commit: '0123456789ab',
    })
    const idle = lock(folder, 'id-0', 'ana', 0, entry)
    await idle.until('TAKEN\n')
    await end(idle)
    expect(kept(folder)).toBe('')

    const first = lock(folder, 'id-1', 'ana', 0, entry)
    await first.until('TAKEN\n')
    const mine = change(folder, 'id-1')
    await mine.until('made')
    await end(mine)
    first.running.write('\n')
    first.running.write('END 3 changes made\n')
    await end(first)
    const cut = lock(folder, 'id-2', 'ana', 0, entry)
    await cut.until('TAKEN\n')
    await end(change(folder, 'id-2'))
    cut.running.kill('SIGTERM')
    await end(cut)
    // The backup on a timer takes the lock as well.
    const silent = lock(folder, 'id-3', 'a timer')
    await silent.until('TAKEN\n')
    await end(change(folder, 'id-3'))
    await end(silent)

    const [one, two, ...more] = kept(folder).split('\n')
    expect(one).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:]{8}Z; deploy pod --tags db; ana,\?\$\(id\)'\?@laptop pid 1; commit 0123456789ab; 3 changes made$/,
    )
    expect([two, more]).toEqual([expect.stringMatching(/; cut off$/), ['']])
    expect(readEntries(kept(folder)).map(({ what, commit, result }) => [what, commit, result])).toEqual([
      ['deploy pod --tags db', '0123456789ab', '3 changes made'],
      ['deploy pod --tags db', '0123456789ab', 'cut off'],
    ])
    expect(statSync(join(folder, 'kept')).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, 'kept/runs.log')).mode & 0o777).toBe(0o600)
  })

  test('what it keeps has an end: of too many lines the newest stay', async () => {
    const folder = tempFolder()
    mkdirSync(join(folder, 'kept'))
    writeFileSync(join(folder, 'kept/runs.log'), `${'x'.repeat(199)}\n`.repeat(1400))
    const first = lock(folder, 'id-1', 'ana', 0, 'deploy pod; ana; no commit')
    await first.until('TAKEN\n')
    await end(change(folder, 'id-1'))
    await end(first)
    const lines = kept(folder).trimEnd().split('\n')
    expect([lines.length, lines.at(-1)]).toEqual([
      1000,
      expect.stringMatching(/; deploy pod; ana; no commit; cut off$/),
    ])
  })

  test('waits for a change that an interrupted run left running', async () => {
    const folder = tempFolder()
    const first = lock(folder, 'id-1', 'ana')
    await first.until('TAKEN\n')
    const [go, over] = [join(folder, 'go'), join(folder, 'over')]
    const slow = change(folder, 'id-1', raw(`echo begun; ${awaits(go)}; touch ${over}`))
    await slow.until('begun')
    await end(first)
    const second = lock(folder, 'id-2', 'bob')
    await second.until('HELD a change that an interrupted run left running')
    expect(existsSync(over)).toBe(false)
    writeFileSync(go, '')
    await second.until('TAKEN\n')
    expect(existsSync(over)).toBe(true)
    await Promise.all([end(second), end(slow)])
  })

  test('is removed by unlock, whoever holds it', async () => {
    const folder = tempFolder()
    mkdirSync(join(folder, 'lock'))
    writeFileSync(join(folder, 'lock/holder'), 'id-1\nana\n2026-01-01T00:00:00Z\n')
    const unlock = session(folder, breakLock.line)
    await end(unlock)
    expect(unlock.said()).toBe('ana 2026-01-01T00:00:00Z ')
    expect(existsSync(join(folder, 'lock'))).toBe(false)
  })
})
