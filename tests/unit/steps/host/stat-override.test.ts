import { factOf } from '@infra/shared/engine/ask'
import { statOverride } from '@infra/shared/steps/host/stat-override'
import { blank } from '@infra/shared/targets/blank'
import { expect, test } from 'vitest'
import { told } from '../told.ts'

const step = statOverride(blank('a new host'), '/etc/matrix-synapse', { owner: 'root', group: 'root', mode: '0755' })
const decided = (code: number, stdout: string, stderr = '') => {
  const now = factOf(step.ask.now as Parameters<typeof factOf>[0], { code, stdout, stderr })
  return told(step.plan({ now }, { pending: [] }))
}

test("a package's path is given to whom it shall belong", () => {
  expect(decided(1, '')).toEqual(['+ /etc/matrix-synapse is root root 0755 for its package'])
  expect(decided(0, 'root root 755 /etc/matrix-synapse\n')).toEqual(['= root root 0755'])
  expect(decided(0, 'matrix-synapse matrix-synapse 755 /etc/matrix-synapse\n')).toEqual([
    '~ /etc/matrix-synapse is matrix-synapse matrix-synapse 0755 → root root 0755 for its package',
  ])
})

test('a dpkg that does not tell has not said that there is none', () => {
  expect(() => decided(2, '', 'dpkg-statoverride: error: statoverride file contains empty line\n')).toThrow(
    'empty line',
  )
  expect(() => decided(1, '', 'dpkg-statoverride: error\n')).toThrow('error')
})
