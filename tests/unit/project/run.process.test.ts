import { execFile } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launcher, plainEnv } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'

test('a checkout without its packages says what to do, and no stack', async () => {
  const folder = tempFolder()
  copyFileSync(launcher, join(folder, 'run.mjs'))
  writeFileSync(join(folder, 'cli.mjs'), "import 'a-package'\n")
  // A Node that takes TypeScript by itself or by tsx: the file is plain, and tsx is not there.
  const [code, said] = await new Promise<[unknown, string]>((resolve) => {
    execFile(process.execPath, ['run.mjs', 'cli.mjs'], { cwd: folder, env: plainEnv() }, (error, _, stderr) =>
      resolve([error?.code, stderr]),
    )
  })
  expect(code).toBe(1)
  expect(said).toMatch(/^error: .*(tsx|the package a-package is not installed).*npm ci/)
  expect(said.trim().split('\n')).toHaveLength(1)
})
