import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, type Output, plainText, text } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { raw, sh, withStdin } from '@infra/shared/command/sh'
import { runLocal, start } from '@infra/shared/targets/process'
import { changeProgram, isFrame, type Program, questionProgram } from '@infra/shared/targets/ssh/program'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'
import { awaits, until } from '../../../support/wait.ts'

interface Told {
  complete: boolean
  answers: Output[]
  stdout: string
  stderr: string
}

/** Feeds a program to a real shell, as sshd does. */
async function send(program: Program, shell = 'exec sh -s', source = program.source): Promise<Told> {
  const { stdout, stderr } = await runLocal(shell, source)
  return { complete: program.complete(stdout, stderr), answers: program.parse(stdout, stderr), stdout, stderr }
}

const ask = async (...questions: Command[]) => (await send(questionProgram(questions))).answers
const make = (...commands: Command[]) => send(changeProgram(commands))
const said = (stdout: string, code = 0, stderr = ''): Output => ({ code, stdout, stderr })

describe('questions', () => {
  const table: [string, Command, Output][] = [
    ['a line', raw('echo hi'), said('hi\n')],
    ['nothing', raw('true'), said('')],
    ['no newline at the end', raw('printf x'), said('x')],
    ['newlines at both ends', raw(String.raw`printf '\n\nx\n\n'`), said('\n\nx\n\n')],
    ['only newlines', raw(String.raw`printf '\n'`), said('\n')],
    ['carriage returns', raw(String.raw`printf 'a\r\nb\r'`), said('a\r\nb\r')],
    ['NUL and control bytes', raw(String.raw`printf 'a\000b\033[1m'`), said('a\0b\u001b[1m')],
    ['bytes that are not UTF-8', raw(String.raw`printf 'a\377b'`), said('a\ufffdb')],
    ['unicode', raw("printf 'größe 🙂'"), said('größe 🙂')],
    ['an exit code', raw('exit 42'), said('', 42)],
    ['a program that is not there', raw('no-such-program 2>/dev/null'), said('', 127)],
    ['death by a signal', raw('kill -9 $(sh -c "echo \\$PPID")'), said('', 137, expect.stringMatching(/^(Killed)?$/))],
    ['stderr apart from stdout', raw('echo out; echo err >&2; echo more; exit 3'), said('out\nmore\n', 3, 'err')],
    ['several lines on stderr', raw(String.raw`printf 'a\n\nb\n' >&2`), said('', 0, 'a\n\nb')],
    ['an empty stdin', raw('cat; wc -c'), said('0\n')],
    ['a stdin of its own', withStdin(raw('cat'), plainText("it's $HOME `x`\n\n")), said("it's $HOME `x`\n\n")],
    ['an empty stdin of its own', withStdin(raw('wc -c'), plainText('')), said('0\n')],
    ['a stdin that nobody reads', withStdin(raw('echo hi'), plainText('x'.repeat(300_000))), said('hi\n')],
    [
      'lines like our frames',
      raw("printf '\\n:0123456789abcdef01234567: 0\\nx end\\n'"),
      said('\n:0123456789abcdef01234567: 0\nx end\n'),
    ],
    ['a syntax error', raw('if then'), said('', 2, expect.stringContaining('yntax error'))],
    ['an open quote', raw("echo 'x"), said('', 2, expect.stringContaining('nterminated'))],
    ['our own names', raw('main; ask; feed; finish'), said('', 127, expect.stringContaining('not found'))],
    ['our own descriptor', raw('{ echo leak >&3; } 2>/dev/null; echo on'), said('on\n')],
    ['several lines', raw('a=1\nb=2\necho $a$b'), said('12\n')],
    ['set -e', raw('set -e; false; echo no'), said('', 1)],
    ['what the one before it set', raw('echo "$a$e" "$PWD"'), said(expect.stringMatching(/^ \//))],
    ['English words', raw('echo $LC_ALL'), said('C\n')],
    ['programs of sbin', raw('command -v ldconfig >/dev/null'), said('')],
  ]
  test('all of them in one round trip, each with its own answer', async () => {
    const answers = await ask(...table.map(([, command]) => command))
    expect(answers).toEqual(table.map(([, , answer]) => answer))
  })
  test.each(table)('%s', async (_name, command, answer) => {
    expect(await ask(command)).toEqual([answer])
  })

  test('a question that ends the shell ends only itself', async () => {
    expect(await ask(raw('exit 3'), raw('exec true'), raw('cd /nowhere-at-all 2>/dev/null'), raw('echo end'))).toEqual([
      said('', 3),
      said(''),
      said('', 2),
      said('end\n'),
    ])
  })

  test('one that kills all of us leaves those after it without an answer, and none with a wrong one', async () => {
    const told = await send(questionProgram([raw('echo a'), raw('kill -9 0'), raw('echo b')]))
    expect(told).toMatchObject({ complete: false, answers: [said('a\n')] })
  })

  test('what the login shell says when it starts belongs to no answer', async () => {
    const told = await send(questionProgram([raw('echo hi')]), 'echo Welcome; printf "no newline"; exec sh -s')
    expect(told.answers).toEqual([said('hi\n')])
  })

  test('and changes that read their stdin find it empty, though that of the connection stays open', async () => {
    for (const program of [questionProgram([raw('cat; echo on')]), changeProgram([raw('cat; echo on')])]) {
      let stdout = ''
      let stderr = ''
      const running = start(['sh', '-s'], {
        stdout(chunk) {
          stdout += chunk
        },
        stderr(chunk) {
          stderr += chunk
        },
      })
      running.write(program.source)
      await until('the answer', 15_000, () => program.complete(stdout, stderr) || undefined)
      expect(program.parse(stdout, '')[0]?.stdout).toBe('on\n')
      running.end()
      await running.ended
    }
  })

  test('no question at all is answered', async () => {
    expect(await send(questionProgram([]))).toMatchObject({ complete: true, answers: [] })
  })

  test('bash as sh answers the same', async () => {
    const quiet = table.filter(([name]) => !/syntax|quote|names|signal/.test(name)).map(([, command]) => command)
    const { answers } = await send(questionProgram(quiet), 'exec bash --posix -s')
    expect(answers).toEqual(await ask(...quiet))
  })

  test('half an output gives the answers that are whole, and is not complete', async () => {
    const program = questionProgram([raw('echo one'), raw('echo two; echo bad >&2'), raw('echo three')])
    const { stdout } = await send(program)
    const counts = new Set<number>()
    for (let cut = 0; cut < stdout.length; cut += 1) {
      const part = stdout.slice(0, cut)
      const answers = program.parse(part, '')
      counts.add(answers.length)
      expect(program.complete(part, '')).toBe(false)
      expect([said('one\n'), said('two\n', 0, 'bad'), said('three\n')].slice(0, answers.length)).toEqual(answers)
    }
    expect([...counts]).toEqual([0, 1, 2, 3])
  })
})

describe('changes', () => {
  test('run in order, each with its own output', async () => {
    const { answers, complete } = await make(
      raw('echo one; echo first >&2'),
      withStdin(raw('cat; printf x'), plainText('two\n')),
      raw('true'),
    )
    expect(answers).toEqual([said('one\n', 0, 'first\n'), said('two\nx'), said('')])
    expect(complete).toBe(true)
  })

  test('stop at the first that fails', async () => {
    const folder = tempFolder()
    const { answers, complete } = await make(raw('echo a'), raw('echo no >&2; exit 7'), sh`touch ${`${folder}/f`}`)
    expect(answers).toEqual([said('a\n'), said('', 7, 'no\n')])
    expect(complete).toBe(true)
    expect(readdirSync(folder)).toEqual([])
  })

  test.each(['make', 'main', 'feed', 'finish', 'ask', 'c', 'e'])('a program called %s is the program', async (name) => {
    const folder = tempFolder()
    const program = sh`printf '#!/bin/sh\necho real "$@"\n' >${`${folder}/${name}`} && chmod +x ${`${folder}/${name}`}`
    const { answers } = await make(program, sh`PATH=${folder}:$PATH; ${name} install`)
    expect(answers[1]).toEqual(said('real install\n'))
  })

  test('a guard that does not hold runs nothing', async () => {
    const folder = tempFolder()
    const program = changeProgram([sh`touch ${`${folder}/f`}`], "{ echo 'the lock was lost' >&2; exit 75; }")
    const told = await send(program)
    expect(told).toMatchObject({ complete: false, answers: [], stderr: 'the lock was lost\n' })
    expect(readdirSync(folder)).toEqual([])
  })

  test('a megabyte of stdin arrives whole', async () => {
    const big = Array.from({ length: 16_384 }, (_, line) => `${String(line).padStart(62, 'é')}\n`).join('')
    const { answers } = await make(withStdin(raw('sha256sum; cat >/dev/null'), plainText(big)))
    const { createHash } = await import('node:crypto')
    expect(answers[0]?.stdout).toBe(`${createHash('sha256').update(big).digest('hex')}  -\n`)
    expect(Buffer.byteLength(big)).toBeGreaterThan(1_000_000)
  })

  test('frames are not heard as output', async () => {
    const { stdout } = await make(raw('echo :not-a-frame:; echo x'))
    const heard = stdout.split('\n').filter((line) => line !== '' && !isFrame(line))
    expect(heard).toEqual([':not-a-frame:', 'x'])
  })
})

describe('a program that was cut off while it was sent', () => {
  test('runs nothing, wherever the cut is', async () => {
    const folder = tempFolder()
    const commands = [sh`touch ${`${folder}/one`}`, withStdin(sh`cat >${`${folder}/two`}`, plainText('x'.repeat(200)))]
    for (const program of [changeProgram(commands), questionProgram(commands)]) {
      const { source } = program
      const ends = [1, 20, 100, source.length >> 1, source.indexOf('touch') + 30, source.length - 80]
      const last = [30, 20, 14, 13, 12, 5, 2].map((left) => source.length - left)
      for (const end of [...ends, ...last]) {
        const told = await send(program, 'exec sh -s 2>/dev/null', source.slice(0, end))
        expect(told.complete, `cut at ${end}`).toBe(false)
        expect(readdirSync(folder), `cut at ${end} of ${source.length}`).toEqual([])
      }
    }
  })
})

describe('secrets', () => {
  const value = 'sentinel-4f1c-in-no-argv'
  const password = secret(value)

  test('go by stdin: no process shows them, neither as argument nor in its environment', async () => {
    const folder = tempFolder()
    const looked = join(folder, 'looked')
    // Both work with it until they were looked at; the first line says who they are.
    const feed = (name: string) =>
      withStdin(raw(`read -r x; echo $$ >${join(folder, name)}; ${awaits(looked)}; [ -n "$x" ]`), text`${password}\n`)
    const seen: string[] = []
    let over = false
    const running = Promise.all([make(feed('made')), ask(feed('asked'))]).finally(() => {
      over = true
    })
    const sampled = new Set<string>()
    let samples = 0
    const users = () => ['made', 'asked'].map((name) => peek(join(folder, name)).trim())
    const sample = () => {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid))) {
        for (const file of ['cmdline', 'environ']) {
          const shown = peek(`/proc/${pid}/${file}`)
          if (shown !== '') sampled.add(pid)
          if (shown.includes(value) || shown.includes(Buffer.from(value).toString('base64').slice(0, 20)))
            seen.push(`${file} ${shown}`)
        }
      }
      // Not only while they use it: also when it is handed to them, and when they end.
      if (users().every((pid) => sampled.has(pid))) samples += 1
      if (samples === 5) writeFileSync(looked, '')
      return over || undefined
    }
    await until('both to end', 15_000, sample, 5)
    const [changed, asked] = await running
    expect([changed.answers[0]?.code, asked[0]?.code]).toEqual([0, 0])
    expect(samples).toBeGreaterThanOrEqual(5)
    expect(seen).toEqual([])
  })

  test('are in the program only as base64 that a pipe decodes', () => {
    const { source } = changeProgram([withStdin(raw('cat'), text`p=${password}`)])
    expect(source).not.toContain(value)
    expect(source).toContain(Buffer.from(`p=${value}`).toString('base64'))
  })
})

function peek(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
