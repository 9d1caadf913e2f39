import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launcher } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'

const module = new URL('../../../shared/src/report/flush.ts', import.meta.url).href

/** A program that prints far more than a pipe holds, says so on stderr, and then ends as our command lines do. */
const program = `process.stdout.on('error', () => {})
const { flushed } = await import(${JSON.stringify(module)})
for (let line = 0; line < 20000; line++) process.stdout.write('a line of a long plan\\n')
process.stderr.write('printed')
await flushed()
process.exit(7)`

/** Starts it; resolves when it has printed all, and waits for its reader. */
async function printed() {
  const file = join(tempFolder(), 'program.mjs')
  writeFileSync(file, program)
  const child = spawn(process.execPath, [launcher, file], { stdio: ['ignore', 'pipe', 'pipe'] })
  await new Promise((resolve, reject) => {
    child.stderr.once('data', resolve)
    child.once('exit', (code) => reject(new Error(`ended with ${code} before all was printed`)))
  })
  return child
}

test('a reader that is slow gets all of it, and then the exit code', async () => {
  const child = await printed()
  let length = 0
  child.stdout.on('data', (chunk: Buffer) => {
    length += chunk.length
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect([code, length]).toEqual([7, 20000 * 22])
})

test('a reader that goes away is not waited for', async () => {
  const child = await printed()
  child.stdout.destroy()
  const code = await new Promise((resolve) => child.on('exit', resolve))
  expect(code).toBe(7)
})
