import { spawnSync } from 'node:child_process'
import { isGone, processIdentity } from '@infra/shared/targets/holder'
import { expect, it } from 'vitest'

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
