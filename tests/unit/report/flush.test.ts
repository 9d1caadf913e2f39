import { spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'

const module = new URL('../../../shared/src/report/flush.ts', import.meta.url).href

/** A program that prints far more than a pipe holds, and then ends as our command lines do. */
const program = `process.stdout.on('error', () => {})
const { flushed } = await import(${JSON.stringify(module)})
for (let line = 0; line < 20000; line++) process.stdout.write('a line of a long plan\\n')
await flushed()
process.exit(7)`

const start = () =>
  spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })

test('a reader that is slow gets all of it, and then the exit code', async () => {
  const child = start()
  await pause(1500)
  let length = 0
  child.stdout.on('data', (chunk: Buffer) => {
    length += chunk.length
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect([code, length]).toEqual([7, 20000 * 22])
})

test('a reader that goes away is not waited for', async () => {
  const child = start()
  await pause(1500)
  child.stdout.destroy()
  const code = await new Promise((resolve) => child.on('exit', resolve))
  expect(code).toBe(7)
})
