import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { raw } from '@infra/shared/command/sh'
import type { Target } from '@infra/shared/engine/target'
import { compositeTarget } from '@infra/shared/targets/composite'
import { local } from '@infra/shared/targets/local'
import { describe, expect, it } from 'vitest'
import { awaitsThat } from '../../support/wait.ts'

const silent = () => {}

/** A target that answers with its name and the line; `bad` fails. */
const echo = (name: string): Target => {
  const answer = ({ line }: Command) => ({ code: line === 'bad' ? 1 : 0, stdout: `${name}: ${line}`, stderr: '' })
  return {
    name,
    blank: false,
    ask: async (questions) => questions.map(answer),
    run: async (commands) => commands.map(answer),
    close: async () => {},
  }
}

describe('two targets beside each other', () => {
  const both = compositeTarget(echo('cloud'), echo('here'), ({ line }) => line.startsWith('sh '))
  it('answer in the order of the questions, each its own', async () => {
    const answers = await both.ask(['GET a', 'sh b', 'GET c', 'sh d'].map((line) => ({ line })))
    expect(answers.map(({ stdout }) => stdout)).toEqual(['cloud: GET a', 'here: sh b', 'cloud: GET c', 'here: sh d'])
    expect(both.name).toBe('cloud')
  })

  it('stop at the first command that fails', async () => {
    const run = async (...lines: string[]) =>
      (
        await both.run(
          lines.map((line) => ({ line })),
          silent,
        )
      ).map(({ stdout }) => stdout)
    expect(await run('GET a', 'sh b')).toEqual(['cloud: GET a', 'here: sh b'])
    expect(await run('bad', 'sh b')).toEqual(['cloud: bad'])
  })
})

describe('this machine', () => {
  it('runs in the environment it is given, and hears what is printed', async () => {
    const machine = local({ env: { SHOWN: 'yes', TOKEN: secret('a-token-of-length'), HOME: undefined } })
    const heard: string[] = []
    const line = raw(`echo "$SHOWN \${#TOKEN} \${HOME-none}"; cat; exit 3`)
    const [output, ...rest] = await machine.run([{ ...line, stdin: { parts: ['in\n'] } }, raw('echo never')], (said) =>
      heard.push(said),
    )
    expect(output).toEqual({ code: 3, stdout: 'yes 17 none\nin\n', stderr: '' })
    expect(rest).toEqual([])
    expect(heard).toEqual(['yes 17 none', 'in'])
  })

  it('asks side by side', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'beside-'))
    // Each waits for the other two, and gives up where they do not come.
    const questions = ['a', 'b', 'c'].map((name) =>
      raw(`cd ${folder} && touch ${name} && ${awaitsThat('[ -e a ] && [ -e b ] && [ -e c ]')}`),
    )
    const answers = await local().ask(questions)
    await rm(folder, { recursive: true })
    expect(answers.map(({ code }) => code)).toEqual([0, 0, 0])
  })
})
