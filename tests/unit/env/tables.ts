import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandsOf, type Entry } from '@infra/shared/cli/help'
import { type OptionTable, optionTable, type WorkspaceOption } from '@infra/shared/cli/options'
import { abouts } from '@infra/shared/cli/root/main'
import { exitCodes } from '@infra/shared/engine/failure'
import { renderTable } from '@infra/shared/env/docs'
import { type Schema, variablesOf } from '@infra/shared/env/variable'
import clusterWorkspace from '../../../cluster/cluster.ts'
import cluster from '../../../cluster/commands/index.ts'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { costTable } from '../../../cluster/prices/prices.ts'
import pod from '../../../pod/commands/index.ts'
import { podSchema } from '../../../pod/env/env.ts'
import podWorkspace from '../../../pod/pod.ts'
import provision from '../../../pod/provision/commands.ts'
import stoat from '../../../stoat/commands/index.ts'
import { stoatSchema } from '../../../stoat/env/env.ts'
import stoatWorkspace from '../../../stoat/stoat.ts'
import { clusterCommands, type Original, podCommands } from '../project/original-commands.ts'

export const entries: readonly Entry[] = [pod, cluster, stoat]
export const schemas = [podSchema, clusterSchema, stoatSchema]
export const workspaces = [podWorkspace, clusterWorkspace, stoatWorkspace]

const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  error: 'an error: the message names the cause and the remedy',
  changes: 'there is something to change; with `--detailed-exitcode` only',
  verify: 'verify found a failure; a warning does not count',
  unreachable: 'a host, a cloud or the cluster cannot be reached, or lets nobody in',
  locked: 'another run holds the lock',
  stale: 'the facts, the variables or the tool are others than when the plan was saved',
  usage: 'a mistake in how the command was called',
  interrupted: 'ended by Ctrl-C',
  terminated: 'ended by SIGTERM',
}

/** The tables of the pages, each by the name of its markers. */
export const tables: Readonly<Record<string, string>> = {
  ...Object.fromEntries(schemas.map((schema) => [`variables:${schema.workspace}`, renderTable(schema)])),
  ...Object.fromEntries(entries.map((entry) => [`commands:${entry.name}`, commandTable(entry)])),
  'commands:all': table(
    ['command', 'what it does'],
    Object.entries(abouts).map(([name, about]) => [code(`npm run ${name}${name === 'show' ? ' -- FILE' : ''}`), about]),
  ),
  'tfvars:cluster': tfvarTable(clusterSchema),
  options: sharedOptions(),
  'exit-codes': exitCodeTable(),
  'costs:cluster': costTable(),
  events: eventTable(),
  'original:pod': originalTable(podCommands),
  'original:cluster': originalTable(clusterCommands),
}

/** What Terraform called a variable that is called otherwise here. */
function tfvarTable(schema: Schema): string {
  const rows = variablesOf(schema).flatMap(({ name, meta }) =>
    meta.tfvar === undefined || meta.tfvar === name.toLowerCase() ? [] : [[code(meta.tfvar), code(name)]],
  )
  return table(['in terraform.tfvars', `in .env.${schema.workspace}`], rows)
}

/** A table of markdown. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')
}

function code(text: string): string {
  return `\`${text}\``
}

/** All commands of a workspace, with the options that only it has. */
function commandTable(entry: Entry): string {
  const { name: workspace, commands = {}, planOptions = {}, verifyOptions = {} } = entry
  const call = (words: readonly string[]) => code(`npm run ${words.join(' ')}`)
  const more = { deploy: planOptions, verify: verifyOptions } as const
  const rows = Object.entries(commandsOf(entry)).flatMap(([name, about]) => {
    const { args = [], options = {} } = commands[name] ?? {}
    const given = args.length > 0 ? ['--', ...args] : []
    const extra = Object.entries(name in more ? more[name as keyof typeof more] : {})
    return [
      [call([name, '-w', workspace, ...given]), [about, ...optionList(options)].join('; ')],
      ...extra.map(([option, { help }]) => [call([name, '-w', workspace, '--', `--${option}`]), help]),
    ]
  })
  const made = Object.entries(provision.planOptions ?? {})
  const ofProvision = [
    [call(['provision', '-w', workspace]), provision.about],
    ...made.map(([option, { help }]) => [call(['provision', '-w', workspace, '--', `--${option}`]), help]),
  ]
  return table(['command', 'what it does'], [...rows, ...(workspace === provision.name ? ofProvision : [])])
}

/** The options of a command in a list, by the short name where there is one; none where there is no option. */
function optionList(options: Readonly<Record<string, WorkspaceOption>>): string[] {
  const shown = Object.entries(options).map(
    ([name, { short, value }]) => `\`${short ? `-${short}` : `--${name}`}${value ? ` ${value}` : ''}\``,
  )
  return shown.length > 0 ? [shown.join(', ')] : []
}

/** The options that all workspaces have. */
function sharedOptions(): string {
  const all = entries[0]?.sharedCommands?.length ?? 5
  const rows = Object.entries(optionTable as OptionTable).map(([name, { short, value, help, of }]) => [
    [...(short ? [code(`-${short}`)] : []), code(`--${name}${value ? ` ${value}` : ''}`)].join(', '),
    of.length >= all ? 'all' : of.join(', '),
    help,
  ])
  return table(['option', 'of', 'what it does'], rows)
}

function exitCodeTable(): string {
  const rows = Object.entries(exitCodes).map(([kind, number]) => [`${number}`, meanings[kind as keyof typeof meanings]])
  return table(['exit code', 'meaning'], [['0', 'ok'], ...rows])
}

/** The types of events with the fields that only they have. */
function eventTable(): string {
  const path = join(import.meta.dirname, '../../../docs/events.schema.json')
  const { oneOf } = JSON.parse(readFileSync(path, 'utf8')) as {
    oneOf: { description: string; properties: Record<string, { const?: string }>; required: string[] }[]
  }
  const common = ['type', 'level', 'message', 'timestamp', 'workspace']
  const rows = oneOf.map(({ description, properties, required }) => {
    const fields = Object.keys(properties).filter((name) => !common.includes(name))
    const shown = fields.map((name) => `${code(name)}${required.includes(name) ? '' : '?'}`).join(', ')
    return [code(properties.type?.const ?? ''), description, shown]
  })
  return table(['type', 'when', 'fields'], rows)
}

/** The commands of an original with what is typed now. */
function originalTable(commands: readonly Original[]): string {
  const shown = (now: string) => (now === 'verbatim' ? 'the same' : now === 'nothing' ? 'nothing' : code(now))
  const rows = commands.map(({ typed, now, note = '' }) => [code(typed), shown(now), note])
  return table(['typed in the original', 'now', 'to know'], rows)
}
