import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, plainText, text } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { raw, sh, withStdin } from '@infra/shared/command/sh'
import { changeProgram, type Program } from '@infra/shared/targets/ssh/program'
import { questionProgram } from '@infra/shared/targets/ssh/question-program'
import { describe, expect, test } from 'vitest'
import { sendHere } from '../../../support/send.ts'
import { tempFolder } from '../../../support/temp.ts'
import { awaits, until } from '../../../support/wait.ts'

/** The answers that a real shell gives to a program, fed as sshd does. */
async function answersTo(program: Program) {
  const { stdout, stderr } = await sendHere({ source: program.source }, 'exec sh -s')
  return program.parse(stdout, stderr)
}
const ask = (...questions: Command[]) => answersTo(questionProgram(questions))
const make = (...commands: Command[]) => answersTo(changeProgram(commands))

describe('a program that was cut off while it was sent', () => {
  test('runs nothing, wherever the cut is', async () => {
    const folder = tempFolder()
    const commands = [sh`touch ${`${folder}/one`}`, withStdin(sh`cat >${`${folder}/two`}`, plainText('x'.repeat(200)))]
    for (const program of [changeProgram(commands), questionProgram(commands)]) {
      const { source } = program
      const ends = [1, 20, 100, source.length >> 1, source.indexOf('touch') + 30, source.length - 80]
      const last = [30, 20, 14, 13, 12, 5, 2].map((left) => source.length - left)
      for (const end of [...ends, ...last]) {
        const told = await sendHere({ source: source.slice(0, end) }, 'exec sh -s 2>/dev/null')
        expect(program.complete(told.stdout, told.stderr), `cut at ${end}`).toBe(false)
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
    expect([changed[0]?.code, asked[0]?.code]).toEqual([0, 0])
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
