import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quote } from '@infra/shared/command/sh'
import { launcher, plainEnv, project } from '../support/cli.ts'
import { run, until } from './run.ts'

/** What somebody types once the question is on the screen. */
export type TypedAnswer = readonly [question: RegExp, text: string]

/**
 * Runs the pod's command line on a terminal, by script(1), and types the answers, each followed by Enter. Gives all that
 * the screen showed; ends a run that asks anything else after a minute.
 */
export function onTerminal(
  root: string,
  args: readonly string[],
  answers: readonly TypedAnswer[],
): Promise<{ readonly code: number; readonly said: string }> {
  const words = [process.execPath, launcher, join(project, 'pod/cli.ts'), ...args]
  const env = { ...plainEnv(), INFRA_ROOT: root, TERM: 'dumb' }
  // Where its stdin is not a terminal, script(1) makes one without a width.
  const line = `stty cols 300 rows 30; exec ${words.map(quote).join(' ')}`
  const child = spawn('script', ['-qefc', line, '/dev/null'], { cwd: project, env })
  const stuck = setTimeout(() => child.kill('SIGKILL'), 600_000)
  const open = [...answers]
  let said = ''
  let seen = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    const [question, answer] = open[0] ?? []
    if (question === undefined || !question.test(said.slice(seen))) return
    seen = said.length
    open.shift()
    // Who asks first and turns the echo off then would lose what is typed in between.
    until('the echo to be off', 30_000, () => isSilent(child.pid)).then(
      () => child.stdin.write(`${answer}\r`),
      () => child.kill('SIGKILL'),
    )
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(stuck)
      resolve({ code: code ?? 128, said })
    })
  })
}

/** Whether the terminal that script(1) made shows nothing of what is typed. */
async function isSilent(script: number | undefined): Promise<true | undefined> {
  const [inside] = (await readFile(`/proc/${script}/task/${script}/children`, 'utf8')).trim().split(' ')
  const { stdout } = await run('stty', ['-a', '-F', `/proc/${inside}/fd/0`])
  return /(^|\s)-echo(\s|$)/m.test(stdout) || undefined
}
