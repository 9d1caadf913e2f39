import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'

test('a plan of sample values says so on its page and when it is shown, and no deployment is offered', async () => {
  const root = tempFolder()
  const [file, page] = [join(root, 'pod.plan'), join(root, 'pod.html')]
  const made = await runCli('pod', ['plan', '--offline', '--out', file, '--html', page], { root, env: { HOME: root } })
  expect([made.code, made.stderr]).toEqual([0, expect.stringContaining(`saved to ${file}, for reading only`)])
  expect(made.stderr).not.toContain('npm run deploy')
  expect(readFileSync(page, 'utf8')).toContain('This is a plan for sample values')
  const shown = await runCli('pod', ['show', file], { root, env: { HOME: root }, file: 'infra.ts' })
  expect(shown.stdout, shown.stderr).toContain('This is a plan for sample values')
})
