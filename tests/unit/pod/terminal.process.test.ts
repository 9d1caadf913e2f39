import { expect, test } from 'vitest'
import { podCommand } from '../../support/pod.ts'

test('ssh runs a command on the host and passes its streams and exit code on', async () => {
  expect(await podCommand('ssh', 'echo out; echo err >&2; exit 7')).toMatchObject({
    code: 7,
    stdout: 'out\n',
    stderr: 'err\n',
  })
})
