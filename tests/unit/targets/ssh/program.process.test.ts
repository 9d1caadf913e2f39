import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, type Output, plainText } from '@infra/shared/command/command'
import { raw, sh, withStdin } from '@infra/shared/command/sh'
import { start } from '@infra/shared/targets/process'
import { changeProgram, isFrame, type Program } from '@infra/shared/targets/ssh/program'
import { questionProgram } from '@infra/shared/targets/ssh/question-program'
import { describe, expect, test } from 'vitest'
import { sendHere } from '../../../support/send.ts'
import { tempFolder } from '../../../support/temp.ts'
import { awaits, awaitsThat, until } from '../../../support/wait.ts'

interface Told {
  complete: boolean
  answers: Output[]
  stdout: string
  stderr: string
}

/** Feeds a program to a real shell, as sshd does. */
async function send(program: Program, shell = 'exec sh -s', source = program.source): Promise<Told> {
  const { stdout, stderr } = await sendHere({ source }, shell)
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

  test('one that kills all of us leaves none with a wrong answer', async () => {
    const program = questionProgram([raw('echo a'), raw('kill -9 0'), raw('echo b')])
    expect(await send(program)).toMatchObject({ complete: false, answers: [] })
    // Nobody is left to do it.
    rmSync(folderOf(program), { recursive: true })
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

  test('half an output gives no answer, and is not complete', async () => {
    const program = questionProgram([raw('echo one'), raw('echo two; echo bad >&2'), raw('echo three')])
    const { stdout } = await send(program)
    for (let cut = 0; cut < stdout.length; cut += 1) {
      const part = stdout.slice(0, cut)
      expect(program.complete(part, '')).toBe(false)
      expect(program.parse(part, '')).toEqual([])
    }
    expect(program.parse(stdout, '')).toEqual([said('one\n'), said('two\n', 0, 'bad'), said('three\n')])
  })

  test('an answer that holds the mark of the frames, and all that they say, is an answer', async () => {
    const file = join(tempFolder(), 'frames')
    const program = questionProgram([sh`cat ${file}; cat ${file} >&2`, raw('echo own')])
    const mark = program.source.match(/:[0-9a-f]{24}:/)?.[0]
    const forged = ['begun', 'at 0', 'sizes', '1 k0', '1 o0', '1 total', 'answers', '0 0', '0', 'end'].map((word) =>
      /^\d/.test(word) ? word : `\n${mark} ${word}`,
    )
    const text = `${forged.join('\n')}\n\n${mark}died\n`
    writeFileSync(file, text)
    const { complete, answers } = await send(program)
    expect(answers).toEqual([said(text, 0, text.trimEnd()), said('own\n')])
    expect(complete).toBe(true)
  })
})

/** Where its pipes are. */
const folderOf = ({ source }: Program) => source.match(/\/run\/infra-[0-9a-f]{24}/)?.[0] ?? ''

const fast = (line: string): Command => ({ ...raw(line), timeoutSeconds: 1 })
const ended = (why: RegExp) =>
  expect.objectContaining({ code: 124, stdout: '', unanswered: expect.stringMatching(why) })
const tooLong = ended(/^no answer within 1 seconds$/)
const tooMuch = ended(/^an answer without end: more than 4 MiB$/)

describe.each(['sh', 'busybox ash'])('questions that %s ends', (shell) => {
  const skip = shell.startsWith('busybox') && spawnSync('busybox', ['true']).error !== undefined
  const filler = Array.from({ length: 9 }, (_, index) => raw(`echo ${index}; exit ${index}`))
  const filled = filler.map((_, index) => said(`${index}\n`, index))

  test.skipIf(skip)('since they last too long, with all that they started, and no other', async () => {
    const fifo = join(tempFolder(), 'HEAD')
    execFileSync('mkfifo', [fifo])
    const folder = tempFolder()
    const stubborn = `trap '' TERM HUP INT; sh -c 'echo $$ >${folder}/child; exec sleep 1000' & sleep 1000; echo no`
    const program = questionProgram([fast(stubborn), fast(`cat ${fifo}`), ...filler])
    const { answers } = await send(program, `exec ${shell} -s`)
    expect(answers).toEqual([tooLong, tooLong, ...filled])
    const child = readFileSync(`${folder}/child`, 'utf8').trim()
    await until('the child to end', 5000, () => !existsSync(`/proc/${child}`) || undefined)
  })

  test.skipIf(skip)('since they print too much: without end, on either stream, and all in one line', async () => {
    const program = questionProgram([
      raw('yes'),
      raw('exec yes >&2'),
      raw("head -c 104857600 /dev/zero | tr '\\0' x"),
      raw('head -c 104857600 /dev/zero'),
      raw('head -c 4194303 /dev/zero'),
      ...filler,
    ])
    const { answers } = await send(program, `exec ${shell} -s`)
    expect(answers.map((answer) => answer.stdout.length)).toEqual([0, 0, 0, 0, 4_194_303, ...filler.map(() => 2)])
    expect(answers.slice(0, 4)).toEqual([tooMuch, tooMuch, tooMuch, tooMuch])
    expect(answers[4]?.stdout).toMatch(/^\0*$/)
    expect(answers.slice(5)).toEqual(filled)
  })

  test.skipIf(skip)(
    'without what they have left running, which holds nothing up and prints into nothing else',
    async () => {
      const folder = tempFolder()
      const late = join(folder, 'late')
      const chatter = awaitsThat(`{ echo late; echo late >&2; echo >>${late}; [ -e ${folder}/quiet ]; }`)
      const left = `(trap '' PIPE HUP; ${chatter}) &`
      // A command during which it prints.
      const during = `${awaits(late)}; n=$(wc -l <${late}); ${awaitsThat(`[ $(wc -l <${late}) -gt $((n + 1)) ]`)}`
      const { answers } = await send(questionProgram([raw(`${left} ${awaits(late)}; exit 3`), raw(during), ...filler]))
      expect(answers.slice(1)).toEqual([said(''), ...filled])
      expect(answers[0]?.code ?? 0).toBeGreaterThan(0)
      const made = await make(raw(`${left} exit 0`), raw(`${during}; echo made`))
      expect(made.answers[1]).toEqual(said('made\n'))
      writeFileSync(`${folder}/quiet`, '')
    },
  )
})

describe('a program of questions', () => {
  test('asks two of them side by side', async () => {
    const folder = tempFolder()
    const meet = (own: string, other: string) => raw(`touch ${folder}/${own}; ${awaits(`${folder}/${other}`)}`)
    const filler = Array.from({ length: 8 }, () => raw('true'))
    expect((await ask(meet('a', 'b'), meet('b', 'a'), ...filler)).map(({ code }) => code)).toEqual(Array(10).fill(0))
  })

  test('tells each second which it is at, so that an error can name them', async () => {
    const program = questionProgram([raw('true'), fast('sleep 1000')])
    const { stdout } = await send(program)
    const at = stdout.lastIndexOf(' at 1\n')
    expect(program.underWay?.(stdout.slice(0, at + 6))).toEqual(['sleep 1000'])
  })

  test('takes its folder away, also where it is killed in the middle', async () => {
    const grandparent = '$(ps -o ppid= -p $(ps -o ppid= -p $(sh -c "echo \\$PPID")))'
    const programs = [
      questionProgram([raw('true')]),
      questionProgram([raw('true'), raw(`kill -9 ${grandparent}`)]),
      changeProgram([raw('exit 3')]),
    ]
    for (const program of programs) {
      await send(program)
      expect(existsSync(folderOf(program))).toBe(false)
    }
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
