// npm run rehearse -w pod (or cluster): deploys onto this machine, for real, before any server or cloud is touched.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { type CliRun, startCli } from '../support/cli.ts'
import type { Rehearsal, World } from './rehearsal.ts'
import { clusterRehearsal } from './rehearse-cluster.ts'
import { endKept } from './rehearse-kept.ts'
import { cachePlace, prepareMachine } from './rehearse-machine.ts'
import { podRehearsal } from './rehearse-pod.ts'

const rehearsals: Readonly<Record<string, Rehearsal>> = { pod: podRehearsal, cluster: clusterRehearsal }

const help = `npm run rehearse -w ${Object.keys(rehearsals).join('|')} -- [options]

  --keep     leave it running, and say how to look inside
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

const { values, workspace } = readOptions()
const rehearsal = rehearsals[workspace] as Rehearsal
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
  console.log(rehearsal.introduction(cachePlace()))
  if (!(await prepareMachine(rehearsal.needs, agree))) return 1
  let world: World | undefined
  let kept = false
  try {
    world = await timed('boot', rehearsal.open)
    console.log(world.said)
    await rehearse(world)
    console.log(summary())
    if (values.keep) {
      console.log(`\n${await world.keep()}`)
      kept = true
    }
    return 0
  } catch (error) {
    console.error(
      `\n${stopped ? 'Stopped' : `The rehearsal failed: ${error instanceof Error ? error.message : error}`}`,
    )
    return stopped ? 130 : 1
  } finally {
    if (!kept) await world?.close()
  }
}

function readOptions() {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options })
    const workspace = positionals.join(' ')
    if (!Object.hasOwn(rehearsals, workspace)) throw new Error(`there is no rehearsal of "${workspace}"`)
    const kept = Object.keys(options).find((name) => process.env[`npm_config_${name}`] === 'true' && name !== 'yes')
    if (kept) throw new Error(`npm kept --${kept} for itself: put -- before the options`)
    return { values, workspace }
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}\n\n${help}`)
    process.exit(64)
  }
}

function rehearse(world: World): Promise<void> {
  const changes = async () => {
    const made = await changesMade(world)
    noteChanges(made)
    return made
  }
  const hands = { tool: (command: string, ...more: string[]) => tool(world, command, ...more), timed, changes }
  return world.run(hands, values.keep === true)
}

/** Runs the real command line, its output shown as it comes. */
async function tool({ root, env = {} }: World, command: string, ...options: string[]): Promise<void> {
  stopIfAsked()
  const given = options.length > 0 ? ` -- ${options.join(' ')}` : ''
  console.log(`\n$ npm run ${command} -w ${workspace}${given}`)
  current = startCli(workspace, [command, ...options], { root, env, live: true })
  const { code } = await current.ended
  current = undefined
  stopIfAsked()
  if (code !== 0) throw new Error(`${command} ended with exit code ${code}`)
}

/** How many changes the last deploy made, by its own log. */
async function changesMade({ root }: World): Promise<number> {
  const folder = join(root, '.infra/runs')
  const logs = (await readdir(folder)).filter((name) => name.includes(`-${workspace}-deploy-`)).sort()
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
