import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { quote } from '@infra/shared/command/sh'
import { launcher, plainEnv, project, startCli } from '../support/cli.ts'
import { until } from './run.ts'

/** How a run of the pod's command line ended that was cut off, and what it left in its folder for temporary files. */
export interface CutOff {
  readonly code: number
  readonly left: readonly string[]
}

const own = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('infra-'))

function temporary(root: string, name: string) {
  const folder = join(root, `tmp-${name}`)
  mkdirSync(folder)
  return { folder, env: { TMPDIR: folder } }
}

/** Runs a command line off a terminal until it has said `when`, and sends it a signal, which it has to end by. */
export async function signalled(
  root: string,
  args: readonly string[],
  signal: NodeJS.Signals,
  when: string,
): Promise<CutOff> {
  const { folder, env } = temporary(root, signal)
  const run = startCli('pod', args, { root, env })
  await until(`the run to say ${when}`, 60_000, () => run.said().includes(when) || undefined)
  run.kill(signal)
  let code: number | undefined
  void run.ended.then((ended) => {
    code = ended.code
  })
  const ended = await until(`the run to end by ${signal}`, 20_000, () => code)
  return { code: ended, left: own(folder) }
}

/**
 * Runs a command line on a terminal until that shows `when`, and closes the terminal. The shell between them, which is told
 * and tells the run, gives the code that it ends with.
 */
export async function hungUp(root: string, args: readonly string[], when: string): Promise<CutOff> {
  const { folder, env } = temporary(root, `closed-${args[0]}`)
  const code = join(folder, 'code')
  const words = [process.execPath, launcher, join(project, 'pod/cli.ts'), ...args].map(quote).join(' ')
  const line = `exec 3<&0; trap 'kill -HUP $!' HUP; ${words} <&3 & wait $!; wait $!; echo $? >${quote(code)}`
  const terminal = spawn('script', ['-qfc', line, '/dev/null'], {
    env: { ...plainEnv(), ...env, INFRA_ROOT: root, TERM: 'dumb' },
    stdio: 'pipe',
  })
  let said = ''
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  await until(`the terminal to show ${when}`, 60_000, () => said.includes(when) || undefined)
  terminal.kill('SIGKILL')
  await until('the run to end', 20_000, () => (existsSync(code) && readFileSync(code, 'utf8')) || undefined)
  return { code: Number(readFileSync(code, 'utf8')), left: own(folder) }
}
