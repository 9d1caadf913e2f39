import { Failure } from '../engine/failure.ts'
import { nearest } from '../env/suggest.ts'
import { tokenize } from './tokens.ts'

/** The commands that every workspace has. */
export type CommandName = 'validate' | 'plan' | 'deploy' | 'verify' | 'unlock'

export interface OptionSpec {
  readonly type: 'boolean' | 'string'
  readonly short?: string
  readonly multiple?: boolean
  readonly value?: string
  /** What other tools call it, for a suggestion. */
  readonly alsoCalled?: readonly string[]
  readonly help: string
  /** The commands that have it: shared ones, or a workspace's own. */
  readonly of: readonly string[]
}

export type OptionTable = Readonly<Record<string, OptionSpec>>

/** An option of one workspace: a row of {@link OptionTable} that need not name its commands. */
export type WorkspaceOption = Omit<OptionSpec, 'of'>

/** How a command that only one workspace has is called. */
export interface CommandSyntax {
  readonly about: string
  /** What it takes: `SERVICE` must be given, `[NAME]` may be, `[WORD...]` as often as wanted. */
  readonly args?: readonly string[]
  /** The values that its first argument may have: `--help` lists them. */
  readonly values?: readonly string[]
  /** Its own options. */
  readonly options?: Readonly<Record<string, WorkspaceOption>>
  /** The options of shared commands that it has too; those that every command has (`--json`) need not be named. */
  readonly sharedOptions?: readonly OptionName[]
  /** What it prints is its result: with `--json` that is JSON itself, without the events of the run. */
  readonly stdoutIsResult?: boolean
  /** Its arguments are a command line of their own: after the first nothing is an option of the tool. */
  readonly verbatim?: boolean
}

/** What a workspace adds to the command line. */
export interface WorkspaceSyntax {
  /** The workspace of `-w`; none for commands over all. */
  readonly name?: string
  /** The npm script that stands for its commands, where that is not the command's own name. */
  readonly npm?: string
  readonly commands?: Readonly<Record<string, CommandSyntax>>
  /** More options of `plan` and `deploy`. */
  readonly planOptions?: Readonly<Record<string, WorkspaceOption>>
  /** More options of `verify`. */
  readonly verifyOptions?: Readonly<Record<string, WorkspaceOption>>
}

const every = ['validate', 'plan', 'deploy', 'verify', 'unlock'] as const

/** Every shared option: parsing, help and the guard against npm's swallowing of flags all read this table. */
export const optionTable = {
  check: { type: 'boolean', short: 'c', help: 'show what would change, change nothing', of: ['deploy'] },
  'dry-run': { type: 'boolean', short: 'n', help: 'same as --check', of: ['deploy'] },
  yes: { type: 'boolean', short: 'y', help: 'do not ask before changing', of: ['deploy', 'unlock'] },
  tags: {
    type: 'string',
    short: 't',
    multiple: true,
    value: 'TAGS',
    help: 'only scripts with these names or tags (comma-separated)',
    of: ['plan', 'deploy', 'verify'],
  },
  'skip-tags': {
    type: 'string',
    multiple: true,
    value: 'TAGS',
    help: 'all scripts except these',
    of: ['plan', 'deploy', 'verify'],
  },
  diff: {
    type: 'boolean',
    help: 'also show the content of new files; changed files are always shown',
    of: ['plan', 'deploy'],
  },
  'no-diff': { type: 'boolean', help: 'show no file content', of: ['plan', 'deploy'] },
  out: { type: 'string', value: 'FILE', help: 'save the plan for deploy --plan FILE', of: ['plan'] },
  html: { type: 'string', value: 'FILE', help: 'also save the plan as an HTML page', of: ['plan'] },
  plan: {
    type: 'string',
    value: 'FILE',
    help: 'deploy a saved plan; refused if the facts have changed',
    of: ['deploy'],
  },
  'detailed-exitcode': { type: 'boolean', help: 'exit 2 if there are changes', of: ['plan', 'deploy'] },
  offline: {
    type: 'boolean',
    help: 'plan for a new, empty target without connecting (deploy: with --check)',
    of: ['plan', 'deploy'],
  },
  'lock-timeout': { type: 'string', value: 'SECONDS', help: 'wait for another run to end (default 0)', of: ['deploy'] },
  'skip-validation': {
    type: 'boolean',
    help: 'accept invalid values; missing ones are still an error',
    of: ['deploy'],
  },
  'skip-verification': { type: 'boolean', help: 'do not verify after deploying', of: ['deploy'] },
  generate: {
    type: 'boolean',
    help: 'generate missing secrets and write them to the environment file',
    of: ['validate'],
  },
  'from-tfvars': {
    type: 'string',
    value: 'FILE',
    help: "import Terraform's variables into the environment file; existing values stay",
    of: ['validate'],
  },
  export: { type: 'boolean', help: 'print export lines for a shell, including secrets', of: ['validate'] },
  only: { type: 'string', multiple: true, value: 'ID', help: 'only checks whose id starts with ID', of: ['verify'] },
  junit: { type: 'string', value: 'FILE', help: 'also write the results as JUnit XML', of: ['verify'] },
  env: { type: 'string', value: 'NAME', help: 'use the environment file .env.<workspace>.NAME', of: every },
  verbose: {
    type: 'boolean',
    short: 'v',
    help: 'also show unchanged steps with reasons, output and durations',
    of: every,
  },
  json: { type: 'boolean', help: 'print one JSON event per line on stdout', of: every },
  help: { type: 'boolean', short: 'h', help: 'show this help', of: every },
} as const satisfies OptionTable

export type OptionName = keyof typeof optionTable
/** The options of a command that shows a plan and applies it. */
export const applyOptions: readonly OptionName[] = ['check', 'dry-run', 'yes', 'lock-timeout']

type ValueOf<S> = S extends { type: 'boolean' } ? boolean : S extends { multiple: true } ? string[] : string

export type Options = { readonly [K in OptionName]?: ValueOf<(typeof optionTable)[K]> }

/** Values of a workspace's own options, by name. */
export type WorkspaceOptions = Readonly<Record<string, boolean | string | readonly string[] | undefined>>

/** What a command was called with. */
export interface Call {
  readonly options: Options
  /** Of the workspace's own options. */
  readonly workspaceOptions: WorkspaceOptions
  readonly args: readonly string[]
}

/** The options that only this workspace has, each with the commands that have it. */
export function workspaceOptionsOf({
  commands = {},
  planOptions = {},
  verifyOptions = {},
}: WorkspaceSyntax): OptionTable {
  const table: Record<string, OptionSpec> = {}
  const add = (options: Readonly<Record<string, WorkspaceOption>>, of: readonly string[]) => {
    for (const [name, option] of Object.entries(options))
      table[name] = { ...option, of: [...(table[name]?.of ?? []), ...of] }
  }
  add(planOptions, ['plan', 'deploy'])
  add(verifyOptions, ['verify'])
  for (const [name, { options = {} }] of Object.entries(commands)) add(options, [name])
  return table
}

// Only what makes a plan has steps to show.
const verboseOf = (command: string): Partial<OptionSpec> =>
  ['plan', 'deploy', 'destroy', 'restart', 'adopt', 'provision'].includes(command)
    ? {}
    : { help: command === 'verify' ? 'show each check with its id' : 'also show output and durations' }

/** The options of a command, in the order of the table. */
export function optionsOf(command: string, syntax: WorkspaceSyntax = {}): [string, OptionSpec][] {
  const mine = syntax.commands?.[command]
  const ofShared = { plan: syntax.planOptions, deploy: syntax.planOptions, verify: syntax.verifyOptions }
  const own = (mine ? mine.options : ofShared[command as keyof typeof ofShared]) ?? {}
  const shared = (name: string, { of }: OptionSpec) =>
    mine ? of === every || (mine.sharedOptions as readonly string[] | undefined)?.includes(name) : of.includes(command)
  return [
    ...Object.entries(own).map(([name, option]): [string, OptionSpec] => [name, { ...option, of: [command] }]),
    ...Object.entries(optionTable as OptionTable)
      .filter(([name, spec]) => shared(name, spec))
      .map(([name, spec]): [string, OptionSpec] => [
        name,
        name === 'verbose' ? { ...spec, ...verboseOf(command) } : spec,
      ]),
  ]
}

/** Cuts the arguments of a command where its own command line begins: the tool's options, and the rest. */
export function cutVerbatim(
  command: string,
  argv: readonly string[],
  syntax: WorkspaceSyntax = {},
): [readonly string[], readonly string[]] {
  if (!syntax.commands?.[command]?.verbatim) return [argv, []]
  const { tokens } = tokenize(optionsOf(command, syntax), argv)
  const at = tokens.find(({ kind }) => kind === 'positional')?.index ?? argv.length
  return [argv.slice(0, at), argv.slice(at)]
}

/** Parses what a command is called with. Throws a usage failure for what it does not know, with a suggestion. */
export function parseCall(command: string, argv: readonly string[], syntax: WorkspaceSyntax = {}): Call {
  const known = optionsOf(command, syntax)
  const [ours, verbatim] = cutVerbatim(command, argv, syntax)
  const { tokens, values, positionals } = tokenize(known, ours)
  const args = [...positionals, ...verbatim]
  // First: the value of an option that is not known looks like an argument.
  for (const token of tokens) if (token.kind === 'option') assertOption(command, token, known, syntax)
  assertArgs(command, args, syntax)
  const isShared = ([name]: [string, unknown]) => Object.hasOwn(optionTable, name)
  return {
    options: split(named(Object.fromEntries(Object.entries(values).filter(isShared)) as Options)),
    workspaceOptions: Object.fromEntries(
      Object.entries(values).filter((entry) => !isShared(entry)),
    ) as WorkspaceOptions,
    args,
  }
}

/** The options of a shared command, parsed as {@link parseCall} does. */
export function parseOptions(command: CommandName, argv: readonly string[]): Options {
  return parseCall(command, argv).options
}

function assertArgs(command: string, args: readonly string[], syntax: WorkspaceSyntax): void {
  const wanted = syntax.commands?.[command]?.args ?? []
  const most = wanted.some((name) => name.includes('...')) ? Number.POSITIVE_INFINITY : wanted.length
  const extra = args[most]
  const help = `See: ${callOf(command, '--help', syntax)}`
  if (extra !== undefined) throw usage(`${command} takes no argument "${extra}"`, help)
  const lacking = wanted.filter((name) => !name.startsWith('['))[args.length]
  if (lacking) throw usage(`${command} needs ${lacking}`, callOf(command, wanted.join(' '), syntax))
}

/** A call as it is typed: `npm run logs -w pod -- SERVICE`. */
const callOf = (command: string, words: string, { name, npm }: WorkspaceSyntax): string =>
  `npm run ${npm ?? command}${name === undefined ? '' : ` -w ${name}`} -- ${words}`

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}

function assertOption(
  command: string,
  token: OptionToken,
  known: readonly [string, OptionSpec][],
  syntax: WorkspaceSyntax,
): void {
  const spec = known.find(([name]) => name === token.name)?.[1]
  if (!spec) {
    const elsewhere = workspaceOptionsOf(syntax)[token.name] ?? (optionTable as OptionTable)[token.name]
    if (elsewhere)
      throw usage(`${command} has no option ${token.rawName}`, `It belongs to: ${elsewhere.of.join(', ')}.`)
    const meant = known.find(([, { alsoCalled }]) => alsoCalled?.includes(token.name))?.[0]
    const names = known.map(([name]) => name)
    const near = meant ?? (token.name.length > 1 ? nearest(token.name, names) : undefined) // a letter is near to nothing
    const remedy = near ? `Did you mean --${near}?` : `See: ${callOf(command, '--help', syntax)}`
    throw usage(`unknown option ${token.rawName}`, remedy)
  }
  // A word that begins with a dash is the next option; a value that does is written --out=-odd-.
  if (spec.type === 'string' && (!token.value || (!token.inlineValue && token.value.startsWith('-')))) {
    throw usage(`option ${token.rawName} needs a value`, `--${token.name} ${spec.value}`)
  }
  if (spec.type === 'boolean' && token.value !== undefined) {
    throw usage(`option ${token.rawName} takes no value`, `Write --${token.name} alone, or leave it out.`)
  }
}

/** Throws for what cannot be the name of an environment: it is a part of a file's name. */
function named(options: Options): Options {
  if (options.env === undefined || /^[A-Za-z0-9][\w-]*$/.test(options.env)) return options
  throw usage(`--env ${options.env} is not an environment name`, 'Letters, digits, - and _ only, as in --env staging.')
}

function split(options: Options): Options {
  const list = (words: string[] | undefined) => words?.flatMap((word) => word.split(',')).filter(Boolean)
  const lists = { tags: list(options.tags), 'skip-tags': list(options['skip-tags']), only: list(options.only) }
  for (const [name, words] of Object.entries(lists))
    if (words?.length === 0)
      throw usage(`option --${name} needs a value`, `--${name} ${optionTable[name as 'tags'].value}`)
  return { ...options, ...Object.fromEntries(Object.entries(lists).filter(([, words]) => words)) }
}

/** A mistake in how the command was called: exit code 64. */
export function usage(message: string, remedy: string): Failure {
  return new Failure('usage', message, { remedy })
}
