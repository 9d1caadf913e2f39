import { expect, test } from 'vitest'
import { podFinding } from '../../support/pod.ts'

test.each([
  ['', 'ok none'],
  [
    'fail2ban.service loaded failed failed Fail2Ban\nx.timer loaded failed failed X\n',
    'warn fail2ban.service, x.timer',
  ],
  [{ code: 1, stderr: 'Failed to connect to bus\n' }, 'warn failed: Failed to connect to bus'],
])('failed units: %j', async (answer, found) => {
  expect(await podFinding('system.units', answer)).toBe(found)
})

test('a check that there is none of is an error', async () => {
  await expect(podFinding('system.nothing', '')).rejects.toThrow('the pod has 0 checks system.nothing')
})
