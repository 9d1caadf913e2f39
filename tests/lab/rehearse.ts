// npm run rehearse -w pod: deploys onto a host booted on this machine, for real, before any server is touched.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { type CliRun, startCli } from '../support/cli.ts'
import { barePod, type Pod, podSecrets } from './pod-setup.ts'
import { endKept, keep } from './rehearse-kept.ts'
import { introduction, prepareMachine } from './rehearse-machine.ts'

const help = `npm run rehearse -w pod -- [options]

  --keep     leave the host running, and say how to look inside
  --end      end the hosts that were kept
  -y, --yes  install what this machine lacks without asking
  -h, --help this help
`

const options = {
  keep: { type: 'boolean' },
  end: { type: 'boolean' },
  yes: { type: 'boolean', short: 'y' },
  help: { type: 'boolean', short: 'h' },
} as const

const values = readOptions()
const times: { what: string; ms: number; note: string }[] = []
let current: CliRun | undefined
let stopped = false

// The host is thrown away in any case: nothing under way on it is worth waiting for.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopped = true
    current?.kill('SIGKILL')
  })
}

process.exit(await main())

async function main(): Promise<number> {
  if (values.help) {
    console.log(help)
    return 0
  }
  if (values.end) {
    const ended = await endKept()
    console.log(ended === 0 ? 'No rehearsal is running.' : `Ended ${ended === 1 ? 'it' : ended}.`)
    return 0
  }
  console.log(introduction())
  if (!(await prepareMachine(agree))) return 1
  let pod: Pod | undefined
  let kept = false
  try {
    pod = await timed('boot', () => barePod())
    console.log(`Booted a bare host at ${pod.host.address}.`)
    await rehearse(pod)
    console.log(summary())
    if (values.keep) {
      console.log(`\n${await keep(pod)}`)
      kept = true
    }
    return 0
  } catch (error) {
    console.error(
      `\n${stopped ? 'Stopped' : `The rehearsal failed: ${error instanceof Error ? error.message : error}`}`,
    )
    return stopped ? 130 : 1
  } finally {
    if (!kept) await pod?.close()
  }
}

function readOptions() {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options })
    if (positionals.join() !== 'pod') throw new Error(`there is no rehearsal of "${positionals.join(' ')}"`)
    const kept = Object.keys(options).find((name) => process.env[`npm_config_${name}`] === 'true' && name !== 'yes')
    if (kept) throw new Error(`npm kept --${kept} for itself: put -- before the options`)
    return values
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}\n\n${help}`)
    process.exit(64)
  }
}

async function rehearse(pod: Pod): Promise<void> {
  // Secrets of its own, made the way that a user makes them.
  const { OPENAI_API_KEY, ANTHROPIC_API_KEY: _, ...secrets } = podSecrets
  await pod.configure({ ...Object.fromEntries(Object.keys(secrets).map((name) => [name, undefined])), OPENAI_API_KEY })
  await tool(pod, 'validate', '--generate')
  await timed('first deploy', () => tool(pod, 'deploy', '--yes'))
  noteChanges(await changesMade(pod))
  await timed('second deploy', () => tool(pod, 'deploy', '--yes'))
  const again = await changesMade(pod)
  noteChanges(again)
  if (again !== 0) throw new Error(`the second deploy made ${again} changes; it should have found nothing to do`)
  await timed('verify', () => tool(pod, 'verify'))
}

/** Runs the real command line, its output shown as it comes. */
async function tool({ root }: Pod, command: string, ...options: string[]): Promise<void> {
  stopIfAsked()
  const given = options.length > 0 ? ` -- ${options.join(' ')}` : ''
  console.log(`\n$ npm run ${command} -w pod${given}`)
  current = startCli('pod', [command, ...options], { root, live: true })
  const { code } = await current.ended
  current = undefined
  stopIfAsked()
  if (code !== 0) throw new Error(`${command} ended with exit code ${code}`)
}

/** How many changes the last deploy made, by its own log. */
async function changesMade({ root }: Pod): Promise<number> {
  const folder = join(root, '.infra/runs')
  const logs = (await readdir(folder)).filter((name) => name.includes('-pod-deploy-')).sort()
  const lines = (await readFile(join(folder, logs.at(-1) ?? ''), 'utf8')).trim().split('\n')
  const { made } = JSON.parse(lines.at(-1) ?? '{}') as { made?: number }
  if (made === undefined) throw new Error('the log of the deploy does not say how many changes it made')
  return made
}

function stopIfAsked(): void {
  if (stopped) throw new Error('stopped')
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  stopIfAsked()
  const began = performance.now()
  const result = await work()
  times.push({ what, ms: performance.now() - began, note: '' })
  return result
}

function noteChanges(made: number): void {
  const last = times.at(-1)
  if (last) last.note = made === 1 ? '1 change' : `${made} changes`
}

function summary(): string {
  const lines = times.map(({ what, ms, note }) => {
    return `  ${what.padEnd(15)}${`${(ms / 1000).toFixed(1)} s`.padStart(8)}   ${note}`.trimEnd()
  })
  return `\nThe rehearsal succeeded.\n${lines.join('\n')}`
}

async function agree(question: string): Promise<boolean> {
  if (values.yes) return true
  if (!process.stdin.isTTY) {
    console.log('Give --yes to have it installed.')
    return false
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await prompt.question(`${question} [y/N] `).finally(() => prompt.close())
  return /^y(es)?$/i.test(answer.trim())
}
