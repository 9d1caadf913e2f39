import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { revealText } from '@infra/shared/command/command'
import type { Change, Step } from '@infra/shared/engine/step'
import { installer } from '@infra/shared/steps/host/installer'
import { keyring } from '@infra/shared/steps/host/keyring'
import { blank } from '@infra/shared/targets/blank'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

const host = blank('a new host')

function firstOf(step: Step, now: object): Change {
  const decision = step.plan(now as never, { pending: [] })
  const [change] = decision.kind === 'changes' ? decision.changes : []
  if (!change) throw new Error('nothing to do')
  return change
}

/** Stands for curl(1): puts a text where it is told to. The home is the folder. */
function fetching(folder: string, content: string) {
  writeFileSync(join(folder, 'content'), content)
  const curl = `#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\ncp ${folder}/content "$2"\n`
  writeFileSync(join(folder, 'curl'), curl, { mode: 0o755 })
  return { PATH: `${folder}:${process.env.PATH}`, HOME: folder }
}

test.each([
  ['is run where it has the SHA-256 that was said', true, 0],
  ['is not run where it is another one', false, 6],
])('an installer %s', (_, isSame, code) => {
  const folder = tempFolder()
  const content = 'echo >"$HOME/tool"; chmod 755 "$HOME/tool"\n'
  const sha256 = createHash('sha256')
    .update(isSame ? content : 'another')
    .digest('hex')
  const options = { url: 'https://example.org/i', user: 'v', creates: 'tool', without: 'x', sha256 }
  const { run, explain } = firstOf(installer(host, 'Tool', options), { there: false })
  const text = run[0]?.stdin ? revealText(run[0].stdin) : ''
  // Without the home of that account.
  const script = text.replace(/^HOME=.*$/m, 'cd / || exit')
  const args = ['-s', '--', options.url, options.creates, sha256]
  const { status, stdout, stderr } = spawnSync('sh', args, {
    input: script,
    encoding: 'utf8',
    env: fetching(folder, content),
  })
  expect([status, existsSync(join(folder, 'tool'))]).toEqual([code, isSame])
  if (!isSame)
    expect(explain?.({ code, stdout, stderr })).toMatch(/has the SHA-256 [0-9a-f]{64}, not .*: it was not run/)
})

test.each([
  ['is taken by its whole fingerprint', 'A'.repeat(40), ['A'.repeat(40)], true],
  ['is not taken where it is another one', 'A'.repeat(40), ['B'.repeat(40)], false],
  ['is not taken with another one beside it', 'A'.repeat(40), ['A'.repeat(40), 'B'.repeat(40)], false],
])('the key of a package source %s', (_, fingerprint, found, isTaken) => {
  const folder = tempFolder()
  const path = join(folder, 'key.gpg')
  const env = fetching(folder, 'a key')
  // Stands for gpg(1), as it tells of keys.
  const told = found.map((one) => `pub:-:4096\\nfpr:::::::::${one}:\\n`).join('')
  writeFileSync(join(folder, 'gpg'), `#!/bin/sh\nprintf '${told}'\n`, { mode: 0o755 })
  const { run, explain } = firstOf(keyring(host, path, { url: 'https://example.org/k', fingerprint }), { now: null })
  const { status, stdout, stderr } = spawnSync('sh', ['-c', run[0]?.line ?? ''], { encoding: 'utf8', env })
  expect([status === 0, existsSync(path)]).toEqual([isTaken, isTaken])
  if (!isTaken)
    expect(explain?.({ code: 1, stdout, stderr })).toMatch(/is not the key A{40}, but .*B{40}: it was not taken/)
})
