import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { exitCodes } from '../engine/failure.ts'
import { readText } from '../env/read-text.ts'
import { helpLine } from '../report/print.ts'
import { type CommandName, type CommandSyntax, optionsOf, type WorkspaceSyntax } from './options.ts'
import type { Workspace, WorkspaceCommands } from './workspace.ts'

/** What each command does, in a line. */
export const commands: Readonly<Record<CommandName, string>> = {
  validate: 'check the environment file; generate missing secrets',
  plan: 'show what deploy would change, without changing anything',
  deploy: 'plan, confirm, apply, verify',
  verify: 'check a deployed workspace, from inside and outside',
  unlock: 'remove the lock of a run that died',
}

/** A workspace as it is before it is loaded: enough for its help, which shall be quick. */
export interface Entry extends WorkspaceCommands {
  readonly name: string
  readonly about: string
  /** Its folder: the file names in `scripts` are the scripts, in order. */
  readonly folder: string
  /** Which of those files are its own, where they are not all. */
  readonly scripts?: RegExp
  /** The workspaces that go before it in a run over all: it needs what they make. */
  readonly dependsOn?: readonly string[]
  /** The npm script that stands for its commands, where that is not the command's own name. */
  readonly npm?: string
  /** The shared commands it has; all of them when left out. */
  readonly sharedCommands?: readonly CommandName[]
  load(): Promise<{ default: Workspace }>
}

/** The commands of a workspace, in the order of their use, each with what it does. */
export function commandsOf({ sharedCommands, commands: own = {} }: Entry): Readonly<Record<string, string>> {
  const names = sharedCommands ?? (Object.keys(commands) as CommandName[])
  const mine = Object.entries(own).map(([name, { about }]) => [name, about])
  return Object.fromEntries([...names.map((name) => [name, commands[name]]), ...mine])
}

/** What npm does with options before `--`: with `-v` and `-h` it starts no script, and leaves no trace. */
export const optionsGoAfter: readonly string[] = [
  'Options go after --. Before it npm takes them: -v, -h and --help then show only',
  "npm's version or help, and -c, -n and --verbose may have no effect.",
]

/** The help of a command. */
export function helpText(command: string, entry: Entry): string {
  const args = entry.commands?.[command]?.args ?? []
  return [
    // What a script of its own name deploys is its subject: `provision`, the droplet.
    ...(entry.npm === undefined ? [] : [helpLine('', entry.about), '']),
    helpLine('', `${entry.name} ${entry.npm ?? command}: ${commandsOf(entry)[command]}`),
    '',
    `Usage: npm run ${entry.npm ?? command} -w ${entry.name} -- ${[...args, '[options]'].join(' ')}`,
    '',
    ...valueLines(entry.commands?.[command]),
    ...optionsGoAfter,
    ...optionLines(command, entry),
    ...(command === 'plan' || command === 'deploy'
      ? ['', helpLine('Scripts, in order: ', scriptNames(entry).join(', '))]
      : []),
    '',
    ...exitCodeLines,
    '',
  ].join('\n')
}

const valueLines = ({ args: [name = ''] = [], values = [] }: CommandSyntax = { about: '' }): string[] =>
  values.length === 0 ? [] : [helpLine(`${name.replace(/[[\].]/g, '')}: `, values.join(', ')), '']

/** The options of a command, a line each. */
export const optionLines = (command: string, syntax: WorkspaceSyntax): string[] =>
  optionsOf(command, syntax).map(([name, { short, value, help }]) => {
    const flags = `${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`
    return helpLine(`  ${flags.padEnd(28)}${flags.length < 28 ? '' : '  '}`, help)
  })

export const exitCodeLines: readonly string[] = [
  helpLine(
    'Exit codes: ',
    `0 ok, ${exitCodes.error} error, ${exitCodes.changes} changes pending (--detailed-exitcode), ` +
      `${exitCodes.verify} verify failed, ${exitCodes.unreachable} unreachable, ${exitCodes.locked} locked by another run, ` +
      `${exitCodes.stale} stale plan, ${exitCodes.usage} usage, ${exitCodes.interrupted}/${exitCodes.terminated} interrupted`,
  ),
]

/** The help of a workspace. */
export function overview(entry: Entry): string {
  return [
    helpLine('', `${entry.name}: ${entry.about}`),
    '',
    ...Object.entries(commandsOf(entry)).map(([name, says]) =>
      helpLine(`  npm run ${name.padEnd(10)}-w ${entry.name}   `, says),
    ),
    '',
    `Options go after --: npm run ${Object.keys(commandsOf(entry))[0]} -w ${entry.name} -- --help`,
    '',
  ].join('\n')
}

/** The names of the scripts by their files, without loading them: `30-postgresql.ts` is `postgresql`. */
function scriptNames({ folder, scripts = /./ }: Entry): string[] {
  const files = readdirSync(join(folder, 'scripts')).filter((file) => /^\d+-.*\.ts$/.test(file) && scripts.test(file))
  return files.sort().map((file) => file.replace(/^\d+-|\.ts$/g, ''))
}

/** The project's version, and that of Node. */
export function version(): string {
  const path = join(import.meta.dirname, '../../../package.json')
  return `infra ${JSON.parse(readText(path)).version}, Node ${process.version}`
}
