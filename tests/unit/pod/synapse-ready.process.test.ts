import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { synapseReady } from '../../../pod/synapse/synapse.ts'

const ends = (curl: string, state: string) =>
  spawnSync('sh', ['-c', `curl() { ${curl}; }; systemctl() { echo ${state}; }; ${synapseReady.line}`], {
    encoding: 'utf8',
  })

test('a Synapse that does not answer is never ready', () => {
  expect(ends('true', 'active').status).toBe(0)
  expect(ends('false', 'failed')).toMatchObject({ status: 1, stderr: 'Synapse does not answer\n' })
})
