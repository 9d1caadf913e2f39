// npm run rehearse, or with -w pod: deploys onto this machine, for real, before any server or cloud is touched.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { fromHere } from '@infra/shared/cli/paths'
import { type CliRun, startCli } from '../support/cli.ts'
import { tellBuilds } from './cache.ts'
import type { Hands, Rehearsal, WorkspaceName, World } from './rehearsal.ts'
import { clusterRehearsal } from './rehearse-cluster.ts'
import { endKept } from './rehearse-kept.ts'
import { cachePlace, prepareMachine } from './rehearse-machine.ts'
import { podRehearsal } from './rehearse-pod.ts'
import { stoatRehearsal } from './rehearse-stoat.ts'
import { upstreamRehearsal } from './rehearse-upstream.ts'

const rehearsals: Readonly<Record<WorkspaceName, Rehearsal>> = {
  pod: podRehearsal,
  cluster: clusterRehearsal,
  stoat: stoatRehearsal,
}

const help = `npm run rehearse [-w ${Object.keys(rehearsals).join('|')}] -- [options]

Without a workspace: all of them in turn, with one table at the end.

  --keep           leave it running, and show how to look inside (with a workspace)
  --end            stop the hosts that --keep left running
  --upstream DIR   with -w stoat: test Stoat's own programs, built in DIR, like the stand-ins
  -y, --yes        install missing programs without asking
  -h, --help       show this help
`

const options = {
  keep: { type: 'boolean' },
  end: { type: 'boolean' },
  upstream: { type: 'string' },
  yes: { type: 'boolean', short: 'y' },
  help: { type: 'boolean', short: 'h' },
} as const

const { values, workspace } = readOptions()
const times: { workspace: WorkspaceName; what: string; ms: number; note: string }[] = []
let current: CliRun | undefined
let stopped = false

// What was started is thrown away in any case: nothing under way on it is worth waiting for.
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
  const chosen = chosenRehearsals()
  tellBuilds((line) => console.log(`  ${line}`))
  for (const [, { introduction }] of chosen) console.log(introduction(cachePlace()))
  if (!(await prepareMachine([...new Set(chosen.flatMap(([, { needs }]) => needs))], agree))) return 1
  const failed: string[] = []
  for (const [name, rehearsal] of chosen) if (!stopped && !(await rehearse(name, rehearsal))) failed.push(name)
  if (stopped) return 130
  console.log(`\n${summary(failed)}`)
  return failed.length > 0 ? 1 : 0
}

/** Goes through one rehearsal; whether it succeeded. */
async function rehearse(name: WorkspaceName, rehearsal: Rehearsal): Promise<boolean> {
  let world: World | undefined
  let kept = false
  try {
    world = await timed(name, 'boot', rehearsal.open)
    console.log(world.said)
    await world.run(handsFor(name, world), values.keep === true)
    if (values.keep) {
      console.log(`\n${await world.keep()}`)
      kept = true
    }
    return true
  } catch (error) {
    const why = error instanceof Error ? error.message : error
    console.error(`\n${stopped ? 'Stopped' : `The rehearsal of ${name} failed: ${why}`}`)
    return false
  } finally {
    if (!kept) await world?.close()
  }
}

function chosenRehearsals(): [WorkspaceName, Rehearsal][] {
  if (values.upstream !== undefined) return [['stoat', upstreamRehearsal(fromHere(values.upstream, process.env))]]
  const all = Object.entries(rehearsals) as [WorkspaceName, Rehearsal][]
  return all.filter(([name]) => workspace === undefined || name === workspace)
}

function readOptions() {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options })
    const [workspace] = positionals
    if (positionals.length > 1 || (workspace !== undefined && !Object.hasOwn(rehearsals, workspace)))
      throw new Error(`there is no rehearsal of "${positionals.join(' ')}"`)
    const swallowed = Object.keys(options).find((name) => process.env[`npm_config_${name}`] && name !== 'yes')
    if (swallowed) throw new Error(`npm consumed --${swallowed}: put -- before the options`)
    if (values.keep && workspace === undefined) throw new Error('--keep keeps one: name a workspace (-w)')
    if (values.upstream !== undefined && (workspace !== 'stoat' || values.keep))
      throw new Error('--upstream goes with -w stoat, and without --keep')
    return { values, workspace }
  } catch (error) {
    // node goes on to tell how to give a word that begins with dashes.
    const [said] = String(error instanceof Error ? error.message : error).split('. ')
    console.error(`error: ${said}\n\n${help}`)
    process.exit(64)
  }
}

function handsFor(workspace: WorkspaceName, world: World): Hands {
  return {
    of: (another) => handsFor(another, world),
    tool: (command, ...more) => tool(workspace, world, command, ...more),
    timed: (what, work) => timed(workspace, what, work),
    async changes() {
      const made = await changesMade(workspace, world)
      const last = times.at(-1)
      if (last) last.note = made === 1 ? '1 change' : `${made} changes`
      return made
    },
  }
}

/** Runs the real command line, its output shown as it comes. */
async function tool(workspace: WorkspaceName, { root, env = {} }: World, command: string, ...options: string[]) {
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
async function changesMade(workspace: WorkspaceName, { root }: World): Promise<number> {
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

async function timed<T>(workspace: WorkspaceName, what: string, work: () => Promise<T>): Promise<T> {
  stopIfAsked()
  const began = performance.now()
  const row = { workspace, what, ms: 0, note: 'failed' }
  times.push(row)
  const result = await work().finally(() => {
    row.ms = performance.now() - began
  })
  row.note = ''
  return result
}

function summary(failed: readonly string[]): string {
  const width = Math.max(...times.map(({ what }) => what.length)) + 1
  const lines = times.map(({ workspace, what, ms, note }) => {
    const time = `${(ms / 1000).toFixed(1)} s`.padStart(8)
    return `  ${workspace.padEnd(9)}${what.padEnd(width)}${time}   ${note}`.trimEnd()
  })
  const told = failed.length > 0 ? `The rehearsal failed: ${failed.join(', ')}.` : 'The rehearsal succeeded.'
  return `${told}\n${lines.join('\n')}`
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
