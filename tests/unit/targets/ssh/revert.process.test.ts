import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { revealText } from '@infra/shared/command/command'
import { sh } from '@infra/shared/command/sh'
import { armRevert } from '@infra/shared/targets/ssh/revert'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

test('what undoes a change is on the disk, and the next boot runs it before sshd and the firewall', () => {
  const root = tempFolder()
  for (const folder of ['etc/systemd/system', 'bin']) mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, 'bin/systemctl'), '#!/bin/sh\n', { mode: 0o755 })
  const here = (text: string) =>
    text.replaceAll('/etc/systemd/system', `${root}/etc/systemd/system`).replaceAll('/var/lib/infra', `${root}/infra`)
  const undo = sh`echo undone >${`${root}/said`}`
  const { line, stdin } = armRevert({ name: 'x', seconds: 60, undo })
  // The programs name the same places.
  const input = (stdin ? revealText(stdin) : '').split('\n').map((word) => {
    const program = here(Buffer.from(word, 'base64').toString()).replace(/^export .*$/m, '')
    return Buffer.from(program).toString('base64')
  })
  const env = { PATH: `${root}/bin:${process.env.PATH}` }
  const run = (script: string, text = '') => spawnSync('sh', ['-c', script], { encoding: 'utf8', input: text, env })
  expect(run(here(line), input.join('\n'))).toMatchObject({ status: 0, stderr: '' })

  const wanted = join(root, 'etc/systemd/system/multi-user.target.wants')
  const unit = 'infra-revert-x-at-boot.service'
  expect(readdirSync(wanted)).toEqual([unit])
  const text = readFileSync(realpathSync(join(wanted, unit)), 'utf8')
  expect(text).toMatch(/^Before=.*\bufw\.service ssh\.service ssh\.socket\b/m)
  expect(text).toMatch(/^After=local-fs\.target$/m)
  const [, program = ''] = text.match(/^ExecStart=(.*)$/m) ?? []
  expect(run(program)).toMatchObject({ status: 0, stderr: '' })
  expect(readFileSync(join(root, 'said'), 'utf8')).toBe('undone\n')
  // It is over, and does not come again at the boot after.
  expect([readdirSync(wanted), readdirSync(join(root, 'infra/revert'))]).toEqual([[], []])
  expect(existsSync(join(root, 'etc/systemd/system/infra-revert-x.timer'))).toBe(false)
})
