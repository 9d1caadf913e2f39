import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { raw, sh } from '@infra/shared/command/sh'
import { Failure } from '@infra/shared/engine/failure'
import { changeProgram } from '@infra/shared/targets/ssh/program'
import { questionProgram } from '@infra/shared/targets/ssh/question-program'
import { RemoteShell, type ShellOutput } from '@infra/shared/targets/ssh/remote-shell'
import { afterEach, expect, test, vi } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'
import { awaitsThat, until } from '../../../support/wait.ts'

const open: RemoteShell[] = []
const shell = () => {
  const made = new RemoteShell(['sh', '-s'])
  open.push(made)
  return made
}
afterEach(async () => {
  for (const { running } of open.splice(0)) {
    running.end()
    await running.ended
  }
})

const lost = ({ stdout, stderr }: ShellOutput) =>
  new Failure('unreachable', `lost after ${stdout.length}: ${stderr.trim()}`)

const make = async (on: RemoteShell, ...lines: string[]) => {
  const program = changeProgram(lines.map(raw))
  const { stdout, stderr } = await on.exec(program, {}, lost)
  return program.parse(stdout, stderr)
}

test('one shell runs one program after another, and each has its own output', async () => {
  const one = shell()
  const first = await make(one, 'echo $$; echo told >&2', 'exit 3', 'echo never')
  const questions = questionProgram([raw('echo $$'), raw('echo b; exit 4')])
  const { stdout } = await one.exec(questions, {}, lost)
  const second = questions.parse(stdout, '')
  expect(first.map(({ code, stderr }) => [code, stderr])).toEqual([
    [0, 'told\n'],
    [3, ''],
  ])
  expect(second[0]?.stdout).toBe(first[0]?.stdout)
  expect(second[1]).toEqual({ code: 4, stdout: 'b\n', stderr: '' })
})

test('nothing of a program stays for the next one: folder, variables, functions, mask, open files', async () => {
  const one = shell()
  const folder = tempFolder()
  const guard = `cd ${folder}; umask 077; LEFT=1; export LEFT; left() { :; }; exec 8>${join(folder, 'busy')}; flock -s 8`
  const program = changeProgram([raw('pwd')], guard)
  const { stdout, stderr } = await one.exec(program, {}, lost)
  expect(program.parse(stdout, stderr)[0]?.stdout).toBe(`${folder}\n`)
  const [then, locked] = await make(
    one,
    'pwd; umask; echo "[$LEFT]"; command -v left; ls -l /proc/self/fd | grep -c busy; true',
    sh`flock -n -x ${join(folder, 'busy')} true`.line,
  )
  expect(then?.stdout).toBe(`${process.cwd()}\n0022\n[]\n0\n`)
  expect(locked?.code).toBe(0)
})

test('a program that is cut off calls nothing of the one before it', async () => {
  const one = shell()
  const folder = tempFolder()
  const made = join(folder, 'made')
  await make(one, sh`echo again >>${made}`.line)
  one.running.write('infra_body')
  one.running.end()
  await one.running.ended
  expect(readFileSync(made, 'utf8')).toBe('again\n')
})

test('what was left running may print after the end', async () => {
  const program = changeProgram([raw('true')])
  const mark = program.source.match(/:[0-9a-f]{24}:/)?.[0]
  const stdout = `\n${mark} 0\n${mark} end\nlate\n`
  expect(program.complete(stdout, `\n${mark}\nlate\n`)).toBe(true)
  expect(program.parse(stdout, `\n${mark}\nlate\n`)).toEqual([{ code: 0, stdout: '', stderr: '' }])
  const questions = questionProgram([raw('true')])
  const { stdout: answered } = await shell().exec(questions, {}, lost)
  expect(questions.complete(`${answered}late\n`, '')).toBe(true)
  expect(questions.parse(`${answered}late\n`, '')).toEqual(questions.parse(answered, ''))
})

test('a program that dies says so, and is not waited for', async () => {
  const one = shell()
  const program = changeProgram([raw('true')], 'kill -9 "$(sh -c \'echo $PPID\')"')
  await expect(one.exec(program, {}, lost)).rejects.toThrow(/lost/)
  expect(await one.running.ended).toBe(137)
})

test('all that a program says is waited for, on both streams', async () => {
  const program = changeProgram([raw('echo out'), raw('true')])
  const mark = program.source.match(/:[0-9a-f]{24}:/)?.[0]
  const stdout = `out\n\n${mark} 0\n\n${mark} 0\n${mark} end\n`
  expect(program.complete(stdout, `\n${mark}\nlate\n`)).toBe(false)
  expect(program.complete(stdout, `\n${mark}\nlate\n\n${mark}\n`)).toBe(true)
  expect(program.complete(stdout.slice(0, -1), `\n${mark}\nlate\n\n${mark}\n`)).toBe(false)
})

test('a guard that does not hold ends the shell, and runs nothing', async () => {
  const one = shell()
  const folder = tempFolder()
  const program = changeProgram([sh`touch ${join(folder, 'never')}`], "{ echo 'the lock was lost' >&2; exit 75; }")
  await expect(one.exec(program, {}, lost)).rejects.toThrow(/^lost after \d+: the lock was lost$/)
  expect(existsSync(join(folder, 'never'))).toBe(false)
  expect(await one.running.ended).toBe(75)
  expect(one.ended).toBe(true)
})

test('a shell that ends while it waits is known to have ended', async () => {
  const one = shell()
  await make(one, 'true')
  expect(one.ended).toBe(false)
  one.running.kill('SIGKILL')
  await one.running.ended
  await until('it to be known', 10_000, () => one.ended || undefined)
})

test('one that stays silent for too long is ended; while it waits it may be silent', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const one = shell()
    const quick = questionProgram([raw('true')])
    await one.exec(quick, { idleTimeout: 60 }, lost)
    vi.advanceTimersByTime(120_000)
    expect(one.ended).toBe(false)
    // It ends soon after the shell that it keeps waiting: a child of the dead shell would hold its output open.
    const waiting = raw(awaitsThat('! kill -0 $$ 2>/dev/null'))
    const slow = one.exec(questionProgram([waiting]), { idleTimeout: 60 }, lost)
    let over = false
    const ended = expect(slow)
      .rejects.toThrow('no answer for 60 seconds')
      .finally(() => {
        over = true
      })
    // Whatever the shell still says first, such as the end of the program before, starts the wait anew.
    while (!over) {
      vi.advanceTimersByTime(61_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await ended
  } finally {
    vi.useRealTimers()
  }
})

test('its lines are heard as they come, without the frames', async () => {
  const one = shell()
  const heard: string[] = []
  const program = changeProgram([raw('echo one; echo two >&2'), raw('echo three')])
  await one.exec(program, { hear: (line) => heard.push(line) }, lost)
  expect(heard.sort()).toEqual(['one', 'three', 'two'])
})

test('a login may take longer than a program may be silent', async () => {
  const one = new RemoteShell([
    'sh',
    '-c',
    `${awaitsThat('[ $(($(date +%s%3N) - began)) -gt 1500 ]').replace(/^/, 'began=$(date +%s%3N); ')}; exec sh -s`,
  ])
  open.push(one)
  const { stdout } = await one.exec(questionProgram([raw('echo here')]), { idleTimeout: 1, loginTimeout: 60 }, lost)
  expect(stdout).toContain('here')
})

test('a login without end is given up, and how long that was is told', async () => {
  const one = new RemoteShell(['sh', '-c', 'exec sleep 600'])
  open.push(one)
  const asked = one.exec(questionProgram([raw('true')]), { idleTimeout: 60, loginTimeout: 1 }, lost)
  await expect(asked).rejects.toThrow('lost after 0: no answer for 1 seconds')
})
