import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { start } from '@infra/shared/targets/process'
import { type Framing, startFramed } from '@infra/shared/targets/ssh/frame'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

// What a .bashrc prints comes before the line that was asked for.
const welcome = 'echo welcome; echo "warning: no such locale" >&2'
const byLoginShell = (line: string) => ['sh', '-c', `${welcome}\n${line}`]

const both: Framing = { by: 'sh', stderr: true }

async function framed(line: string, by: Framing = both, argv = byLoginShell) {
  const said = { stdout: '', stderr: '' }
  const hear = (stream: keyof typeof said) => (chunk: string) => {
    said[stream] += chunk
  }
  const streams = { stdout: hear('stdout'), stderr: hear('stderr') }
  const running = startFramed(line, streams, by, (run, options) => start(argv(run), options))
  running.end()
  return { code: await running.ended, ...said }
}

describe('a program behind a login shell that prints', () => {
  test('has its own output on both streams, and its exit code', async () => {
    expect(await framed("echo 'it''s ünï'; echo told >&2; exit 3")).toEqual({
      code: 3,
      stdout: "it's ünï\n".replace("'", ''),
      stderr: 'told\n',
    })
  })

  test('has its own output also where the shell is not known, whose errors are its own', async () => {
    expect(await framed('echo out; echo told >&2', { by: 'any shell', stderr: false })).toEqual({
      code: 0,
      stdout: 'out\n',
      stderr: 'warning: no such locale\ntold\n',
    })
  })

  test('that reads what a program of this machine prints leaves out nothing of what that one complains of', async () => {
    const line = (run: string) => ['sh', '-c', `echo 'age: no identity matched' >&2; ${welcome}\n${run}`]
    expect(await framed('echo out', { by: 'sh', stderr: false }, line)).toEqual({
      code: 0,
      stdout: 'out\n',
      stderr: 'age: no identity matched\nwarning: no such locale\n',
    })
  })

  test('that never comes to it tells what came instead', async () => {
    const { code, stdout, stderr } = await framed('echo out', both, () => [
      'sh',
      '-c',
      'echo "no shell for you"; exit 9',
    ])
    expect({ code, stdout, stderr }).toEqual({ code: 9, stdout: '', stderr: 'no shell for you\n' })
  })

  test('writes bytes as they are into a file', async () => {
    const path = join(tempFolder(), 'bytes')
    const file = openSync(path, 'w')
    const line = `printf '\\377\\000\\n\\n\\303'; head -c 300000 /dev/zero`
    const running = startFramed(line, { stdout: file, stderr: () => {} }, both, (run, options) =>
      start(byLoginShell(run), options),
    )
    expect(await running.ended).toBe(0)
    closeSync(file)
    const bytes = readFileSync(path)
    expect(bytes).toHaveLength(300_005)
    expect([...bytes.subarray(0, 5)]).toEqual([255, 0, 10, 10, 195])
  })

  test('ends, and not well, where its file takes no more', async () => {
    const file = openSync('/dev/full', 'w')
    const running = startFramed('exec cat /dev/zero', { stdout: file, stderr: () => {} }, both, (run, options) =>
      start(byLoginShell(`exec ${run}`), options),
    )
    expect(await running.ended).not.toBe(0)
    closeSync(file)
  })
})
