import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { revealText } from '@infra/shared/command/command'
import { authorized } from '@infra/shared/steps/host/user'
import { blank } from '@infra/shared/targets/blank'
import { runLocal } from '@infra/shared/targets/process'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

test('keys are added once, as they are written, behind lines that only name them', async () => {
  const home = tempFolder()
  const keys = ['ssh-ed25519 AAAA1 ana  of the laptop', 'ssh-rsa AAAA2', 'ssh-ed25519 AAAA3 -n']
  const step = authorized(
    blank('new'),
    'valence',
    keys.map((line) => ({ line, base64: line.split(' ')[1] ?? '' })),
  )
  const decision = step.plan({ now: null }, { pending: [] })
  const [command] = decision.kind === 'changes' ? (decision.changes[0]?.run ?? []) : []
  const line = (command?.line ?? '')
    .replace('runuser -u valence --', '')
    .replace('"$(getent passwd valence | cut -d: -f6)"', `'${home}'`)
  const file = join(home, '.ssh/authorized_keys')
  const before = 'cert-authority ssh-ed25519 AAAA1 ana\n# ssh-rsa AAAA2\nssh-rsa AAAA2'
  mkdirSync(join(home, '.ssh'))
  writeFileSync(file, before, { mode: 0o644 })
  for (const _ of ['first', 'second']) {
    const stdin = command?.stdin ? revealText(command.stdin) : ''
    expect(await runLocal(line, stdin)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(readFileSync(file, 'utf8').split('\n')).toEqual([...before.split('\n'), keys[0], keys[2], ''])
    expect(statSync(file).mode & 0o777).toBe(0o600)
  }
})
