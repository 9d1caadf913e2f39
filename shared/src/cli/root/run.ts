import type { WorkspaceResult } from '../../engine/events.ts'
import { standard } from '../../report/outlet.ts'
import { printJson } from '../../report/print.ts'
import type { Entry } from '../help.ts'
import { tellingOf } from '../in-environment.ts'
import { type Call, usage } from '../options.ts'
import { projectRoot, stateFolder } from '../paths.ts'
import { assertWritable } from '../plan-file.ts'
import { watchSignals } from '../process.ts'
import { togetherReporters } from '../reporters.ts'
import { deployAll, type Needs } from './deploy.ts'
import type { RootCommand } from './main.ts'
import { chooseMembers } from './members.ts'
import { mostSerious, resultOf } from './outcome.ts'
import { callOf, lookCommands, takePart } from './part.ts'
import { saveAll } from './save.ts'
import { keeper, orderOf, type RootResult, type RootRun, sideBySide } from './side-by-side.ts'

/** Runs a command over the workspaces, shows the table, and gives the most serious exit code. */
export async function runAll(entries: readonly Entry[], command: RootCommand, call: Call): Promise<number> {
  const began = Date.now()
  const { options } = call
  const root = projectRoot(process.env)
  const folder = stateFolder(root)
  for (const path of [options.out, options.html]) if (path !== undefined) assertWritable(path)
  const plans = command === 'plan' || isCheck(call)
  const samples = plans && command !== 'destroy'
  const chosen = await chooseMembers(entries, { root, processEnv: process.env, options, samples })
  const { running, left } = takePart(chosen.running, command, call, folder)
  const isResult = lookCommands.includes(command)
  const together = togetherReporters(options, isResult)
  const reporters = {
    ...together,
    inOrder: { ...together.inOrder, emit: tellingOf(options.env, together.inOrder.emit) },
  }
  const { signals, watch } = watchSignals(reporters.inOrder)
  const printed: Record<string, string> = {}
  const run: RootRun = {
    command,
    call,
    callOf: (member) => callOf(member, call, command),
    members: command === 'destroy' ? running.toReversed() : running,
    reporters,
    signals,
    watch,
    print(workspace, text) {
      if (isResult && options.json) printed[workspace] = (printed[workspace] ?? '') + text
      else standard.out.write(text)
    },
  }
  const acts = (command === 'deploy' || command === 'destroy') && !isCheck(call)
  const { results, planned, exitCode } = acts ? await deployAll(run, needsOf(run)) : await lookAtAll(run)
  if (isResult && options.json) printJson(parsed(printed), 2)
  const without = [...left, ...chosen.unconfigured.map((name) => ({ name, why: 'not configured, skipped' }))]
  const workspaces = entries.flatMap(({ name }): WorkspaceResult[] => {
    const why = without.find((one) => one.name === name)?.why
    return why === undefined ? results.filter((row) => row.workspace === name) : [{ workspace: name, result: why }]
  })
  const code = mostSerious([exitCode, ...workspaces.map((row) => row.exitCode ?? 0)])
  reporters.inOrder.emit({ type: 'summary', command, workspaces, exitCode: code, ms: Date.now() - began })
  saveAll(run, planned, workspaces, folder)
  reporters.inOrder.close()
  signals.close()
  return code
}

const isCheck = ({ options }: Call) => options.check === true || options['dry-run'] === true

/** Whom each needs: for a deployment those it is declared to depend on, for a removal the other way round. */
function needsOf({ command, members }: RootRun): Needs {
  if (command === 'deploy') return ({ entry }) => entry.dependsOn ?? []
  return ({ entry }) =>
    members.flatMap((other) => (other.entry.dependsOn?.includes(entry.name) ? [other.entry.name] : []))
}

/** A command that changes nothing, of all workspaces at once. */
async function lookAtAll(run: RootRun): Promise<RootResult> {
  const { command, members, call } = run
  const { planned, keepOf } = keeper()
  const outcomes = await sideBySide(run, members, {
    command,
    callOf: run.callOf,
    togetherOf: (member) => ({ runsBefore: orderOf(run, member), keep: keepOf(member) }),
  })
  if (call.options.only && outcomes.every(({ exitCode, checks }) => exitCode === 0 && noneOf(checks)))
    throw usage(
      `no check has an id that starts with ${call.options.only.join(', ')}`,
      'npm run verify -- -v shows them.',
    )
  const told = isCheck(call) ? 'plan' : command
  const results = members.map(({ workspace: { name } }, index) =>
    resultOf(name, told, outcomes[index] as (typeof outcomes)[0]),
  )
  return { results, planned, exitCode: 0 }
}

const noneOf = (checks: WorkspaceResult['checks']) => !checks || Object.values(checks).every((count) => count === 0)

const parsed = (printed: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(printed).map(([name, text]) => [name, JSON.parse(text)]))
