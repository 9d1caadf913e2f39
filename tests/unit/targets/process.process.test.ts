import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { byLine, runLocal, start } from '@infra/shared/targets/process'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../support/temp.ts'
import { awaits } from '../../support/wait.ts'

describe('runLocal', () => {
  test('gives exit code, stdout and stderr, and feeds stdin', async () => {
    expect(await runLocal('cat; echo bad >&2; exit 3', 'größe\n')).toEqual({
      code: 3,
      stdout: 'größe\n',
      stderr: 'bad\n',
    })
  })
  test('a program that is not there is 127, one that was killed is not 0', async () => {
    expect((await runLocal('exec no-such-program', '')).code).toBe(127)
    expect((await runLocal('kill -9 $$', '')).code).not.toBe(0)
  })
  test('a program that does not read is not an error, however much there is', async () => {
    expect(await runLocal('exit 0', 'x'.repeat(1_000_000))).toMatchObject({ code: 0 })
  })
  test('sets and unsets variables', async () => {
    const { stdout } = await runLocal('echo "$A-$HOME."', '', { A: 'x y', HOME: undefined })
    expect(stdout).toBe('x y-.\n')
  })
  test('is heard line by line while it runs', async () => {
    const heard: string[] = []
    await runLocal(String.raw`printf 'a\r10%%\r20%%\n\nb'; printf '\n' `, '', {}, (line) => heard.push(line))
    expect(heard).toEqual(['a', '10%', '20%', 'b'])
  })
  test('letters cut in two between chunks are whole', async () => {
    // The first chunk is heard before the second one is written.
    const go = join(tempFolder(), 'go')
    const halves = String.raw`printf 'first\ngr\303'; ${awaits(go)}; printf '\266\303\237e'`
    const { stdout } = await runLocal(halves, '', {}, (line) => line === 'first' && writeFileSync(go, ''))
    expect(stdout).toBe('first\ngröße')
  })
})

test('byLine keeps an unfinished line until it is finished', () => {
  const heard: string[] = []
  const feed = byLine((line) => heard.push(line))
  for (const chunk of ['on', 'e\ntwo\r', '\nth', 'ree']) feed(chunk)
  expect(heard).toEqual(['one', 'two'])
  feed('\n')
  expect(heard).toEqual(['one', 'two', 'three'])
})

describe('start', () => {
  test('gives arguments unchanged, and a group of its own, out of the reach of Ctrl-C', async () => {
    let stdout = ''
    const take = (chunk: string) => {
      stdout += chunk
    }
    const running = start(['sh', '-c', 'echo "$1"; ps -o pgid= -p $$; cat', 'x', "it's $HOME"], {
      stdout: take,
      stderr: () => {},
    })
    running.write('still')
    running.write(' here\n')
    running.end()
    expect(await running.ended).toBe(0)
    const [first, group, last] = stdout.split('\n')
    expect([first, last]).toEqual(["it's $HOME", 'still here'])
    const ours = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ')[2]
    expect(group?.trim()).not.toBe(ours)
  })
  test('ends when its stdin does, and when it is killed', async () => {
    let begun = () => {}
    const isRunning = new Promise<void>((resolve) => {
      begun = resolve
    })
    const running = start(['sh', '-c', 'echo begun; exec sleep 600'], { stdout: begun, stderr: () => {} })
    await isRunning
    running.kill('SIGTERM')
    expect(await running.ended).not.toBe(0)
  })
})

test('what runs out of time is ended with all that it started, and says so', async () => {
  const pids: string[] = []
  const hang = 'sleep 1000 & echo $!; wait'
  const output = await runLocal(hang, '', {}, (line) => void pids.push(line), 1)
  expect(output).toEqual({ code: 124, stdout: `${pids[0]}\n`, stderr: 'no answer within 1 seconds\n' })
  // Whoever takes over orphans may not have buried it yet.
  expect((await runLocal(`ps -o stat= -p ${pids[0]}`, '')).stdout).toMatch(/^(Z.*\n)?$/)
  expect(await runLocal('exit 3', '', {}, () => {}, 60)).toEqual({ code: 3, stdout: '', stderr: '' })
})
