import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { project } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'
import { until } from '../../support/wait.ts'

test('a worker ends when the run of its tests was killed, with what it was about to take away', async () => {
  const root = tempFolder()
  const pid = join(root, 'pid')
  const setup = join(project, 'tests/support/orphan.ts')
  writeFileSync(
    join(root, 'vitest.config.mjs'),
    `export default { test: { globals: true, setupFiles: [${JSON.stringify(setup)}] } }`,
  )
  writeFileSync(
    join(root, 'long.test.mjs'),
    `import { rmSync, writeFileSync } from 'node:fs'
test('long', async () => {
  writeFileSync('tidy', '')
  process.on('exit', () => rmSync('tidy'))
  // One that has something to tell vitest, such as that a test began, ends by itself when it cannot.
  setTimeout(() => writeFileSync('pid', String(process.pid)), 2000)
  await new Promise(() => setInterval(() => {}, 600_000))
}, 600_000)`,
  )
  const run = spawn(process.execPath, [join(project, 'node_modules/vitest/vitest.mjs'), 'run'], { cwd: root })
  const worker = await until('the test to run', 30_000, () =>
    existsSync(pid) ? readFileSync(pid, 'utf8') || undefined : undefined,
  )
  run.kill('SIGKILL')
  try {
    await until('its worker to end', 3000, () => !isAlive(Number(worker)) || undefined)
  } finally {
    if (isAlive(Number(worker))) process.kill(Number(worker), 'SIGKILL')
  }
  expect(existsSync(join(root, 'tidy'))).toBe(false)
})

// Whoever takes over orphans may not have buried it yet.
const isAlive = (pid: number) =>
  existsSync(`/proc/${pid}`) && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
