import { spawnSync } from 'node:child_process'
import { start } from '@infra/shared/targets/process'
import { isGone, processIdentity, startedBy } from '@infra/shared/targets/run-identity'
import { expect, it } from 'vitest'
import { until } from '../../support/wait.ts'

it.skipIf(process.platform !== 'linux')('a process is gone only when it would have to be here', () => {
  const me = processIdentity() ?? ''
  expect(me).toMatch(/^[0-9a-f-]{36} pid:\[\d+\] \d+$/)
  const { pid } = spawnSync('true')
  const ended = processIdentity(pid) ?? ''
  expect([isGone(me), isGone(ended)]).toEqual([false, true])
  // Of another boot, or of another container, nothing is known here.
  expect(isGone(ended.replace(/^[0-9a-f]/, (digit) => (digit === '0' ? '1' : '0')))).toBe(false)
  expect(isGone(ended.replace('pid:[', 'pid:[9'))).toBe(false)
  expect([isGone(''), isGone('x')]).toEqual([false, false])
})

it.skipIf(process.platform !== 'linux')('what a process has started is known, with what that started', async () => {
  const me = processIdentity() ?? ''
  let said = ''
  const running = start(['sh', '-c', 'sleep 60 & echo $!; read -r _; kill $!'], {
    stdout: (chunk) => {
      said += chunk
    },
    stderr: () => {},
  })
  await until('its number', 10_000, () => /^\d+\n$/.test(said) || undefined)
  expect(startedBy(me)).toContain(Number(said))
  expect(startedBy(`${me}0`)).toEqual([])
  running.end()
  await running.ended
  await until('it to be gone', 10_000, () => !startedBy(me).includes(Number(said)) || undefined)
})
