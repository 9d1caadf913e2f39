import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sshdEntrance } from '@infra/shared/facts/host/sshd-entrance'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

test('sshd is asked for the connection that asks, found past sudo, and by name where sshd looks names up', () => {
  const bin = tempFolder()
  const program = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  program('sshd', `printf 'usedns yes\\nallowusers %s\\nx11forwarding no\\n' "$3"`)
  program('getent', `echo "$2 client.example"`)
  const { command, parse } = sshdEntrance(['root'])
  // As sudo leaves it: no SSH_CONNECTION but in the environment of a process above.
  const sudo = `env -u SSH_CONNECTION PATH="$PATH" sh -c "$1"; true`
  const env = { PATH: `${bin}:${process.env.PATH}`, SSH_CONNECTION: '198.51.100.7 40000 203.0.113.10 2222' }
  const { stdout, stderr } = spawnSync('sh', ['-c', sudo, 'sh', command.line], { env, encoding: 'utf8' })
  expect(parse({ code: 0, stdout, stderr })).toMatchObject({
    connection: { from: '198.51.100.7', host: 'client.example', to: '203.0.113.10', port: 2222 },
    users: {
      root: { allowusers: ['user=root,host=client.example,addr=198.51.100.7,laddr=203.0.113.10,lport=2222'] },
    },
  })
  expect(stdout).not.toContain('x11forwarding')
})
