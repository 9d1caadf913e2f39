import { parseArgs } from 'node:util'
import { Failure } from '../engine/failure.ts'
import { nearest } from '../env/suggest.ts'

/** The commands that every workspace has. */
export type CommandName = 'validate' | 'plan' | 'deploy' | 'verify' | 'unlock'

export interface OptionSpec {
  readonly type: 'boolean' | 'string'
  readonly short?: string
  readonly multiple?: boolean
  readonly value?: string
  readonly help: string
  /** The commands that have it: shared ones, or a workspace's own. */
  readonly of: readonly string[]
}

export type OptionTable = Readonly<Record<string, OptionSpec>>

/** A command that one workspace has beside the shared ones. */
export interface OwnCommand {
  readonly about: string
  /** The words that it takes: `SERVICE` must be given, `[NAME]` may be, `[WORD...]` as often as wished. */
  readonly words?: readonly string[]
  /** The options of shared commands that it has too; those that every command has (`--json`) need not be named. */
  readonly takes?: readonly OptionName[]
  /** What it prints is its answer: with `--json` that is JSON itself, without the events of the run. */
  readonly answers?: boolean
  /** Its words are a command line of their own: after the first nothing is an option of ours. */
  readonly verbatim?: boolean
}

/** What a workspace adds to the command line. */
export interface OwnSyntax {
  readonly commands?: Readonly<Record<string, OwnCommand>>
  /** Options of its own commands, or more of a shared one. */
  readonly options?: OptionTable
}

const every = ['validate', 'plan', 'deploy', 'verify', 'unlock'] as const

/** Every shared option: parsing, help and the guard against npm's swallowing of flags all read this table. */
export const optionTable = {
  check: { type: 'boolean', short: 'c', help: 'show what would change, change nothing', of: ['deploy'] },
  'dry-run': { type: 'boolean', short: 'n', help: 'the same as --check', of: ['deploy'] },
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
    help: 'all scripts but these',
    of: ['plan', 'deploy', 'verify'],
  },
  diff: { type: 'boolean', help: 'show file contents that change (the default)', of: ['plan', 'deploy'] },
  'no-diff': { type: 'boolean', help: 'do not show them', of: ['plan', 'deploy'] },
  out: {
    type: 'string',
    value: 'FILE',
    help: 'save the plan, to deploy exactly it with deploy --plan FILE',
    of: ['plan'],
  },
  plan: {
    type: 'string',
    value: 'FILE',
    help: 'deploy exactly the plan that was saved; refused when the facts have changed',
    of: ['deploy'],
  },
  'detailed-exitcode': { type: 'boolean', help: 'exit 2 when there is something to change', of: ['plan', 'deploy'] },
  offline: { type: 'boolean', help: 'plan as for a new, blank target; connect to nothing', of: ['plan'] },
  'lock-timeout': { type: 'string', value: 'SECONDS', help: 'wait for another run to end (default 0)', of: ['deploy'] },
  'skip-validation': {
    type: 'boolean',
    help: 'take the values of the environment as they are; what is missing stays an error',
    of: ['deploy'],
  },
  'skip-verification': { type: 'boolean', help: 'do not verify after deploying', of: ['deploy'] },
  generate: { type: 'boolean', help: 'make missing secrets and write them to the environment file', of: ['validate'] },
  'from-tfvars': {
    type: 'string',
    value: 'FILE',
    help: "take Terraform's variables over into the environment file; what is set stays",
    of: ['validate'],
  },
  export: { type: 'boolean', help: 'print export lines for a shell, secrets included', of: ['validate'] },
  only: { type: 'string', multiple: true, value: 'ID', help: 'only checks whose id starts so', of: ['verify'] },
  junit: { type: 'string', value: 'FILE', help: 'write the findings as JUnit XML as well', of: ['verify'] },
  env: { type: 'string', value: 'NAME', help: 'another environment: .env.<workspace>.NAME', of: every },
  verbose: { type: 'boolean', short: 'v', help: 'unchanged steps with why, output and times', of: every },
  json: { type: 'boolean', help: 'one JSON event a line on stdout', of: every },
  help: { type: 'boolean', short: 'h', help: 'this help', of: every },
} as const satisfies OptionTable

export type OptionName = keyof typeof optionTable

/** What a command takes that shows a plan and makes it. */
export const acting: readonly OptionName[] = ['check', 'dry-run', 'yes', 'lock-timeout']

type ValueOf<S> = S extends { type: 'boolean' } ? boolean : S extends { multiple: true } ? string[] : string

export type Options = { readonly [K in OptionName]?: ValueOf<(typeof optionTable)[K]> }

/** Values of a workspace's own options, by name. */
export type OwnValues = Readonly<Record<string, boolean | string | readonly string[] | undefined>>

/** What a command was called with. */
export interface Call {
  readonly options: Options
  /** Of the workspace's own options. */
  readonly own: OwnValues
  readonly words: readonly string[]
}

/** The options of a command, in the order of the table. */
export function optionsOf(command: string, own: OwnSyntax = {}): [string, OptionSpec][] {
  const mine = own.commands?.[command]
  const shared = (name: string, { of }: OptionSpec) =>
    mine ? of === every || (mine.takes as readonly string[] | undefined)?.includes(name) : of.includes(command)
  return [
    ...Object.entries(own.options ?? {}).filter(([, { of }]) => of.includes(command)),
    ...Object.entries(optionTable as OptionTable).filter(([name, spec]) => shared(name, spec)),
  ]
}

/** Cuts the arguments of a command where its own command line begins: the options of ours, and the words. */
export function cutVerbatim(
  command: string,
  argv: readonly string[],
  own: OwnSyntax = {},
): [readonly string[], readonly string[]] {
  if (!own.commands?.[command]?.verbatim) return [argv, []]
  const { tokens } = tokenize(optionsOf(command, own), argv)
  const at = tokens.find(({ kind }) => kind === 'positional')?.index ?? argv.length
  return [argv.slice(0, at), argv.slice(at)]
}

/** Parses what a command is called with. Throws a usage failure for what it does not know, with a suggestion. */
export function parseCall(command: string, argv: readonly string[], own: OwnSyntax = {}): Call {
  const known = optionsOf(command, own)
  const [ours, verbatim] = cutVerbatim(command, argv, own)
  const { tokens, values, positionals } = tokenize(known, ours)
  const words = [...positionals, ...verbatim]
  assertWords(command, words, own)
  for (const token of tokens) if (token.kind === 'option') assertOption(command, token, known, own)
  const mine = Object.entries(values).filter(([name]) => own.options && name in own.options)
  const rest = Object.entries(values).filter(([name]) => !(own.options && name in own.options))
  return {
    options: split(Object.fromEntries(rest) as Options),
    own: Object.fromEntries(mine) as OwnValues,
    words,
  }
}

function tokenize(known: readonly [string, OptionSpec][], argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      known.map(([name, { type, short, multiple }]) => [
        name,
        { type, ...(short && { short }), ...(multiple && { multiple }) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
}

/** The options of a shared command, parsed as {@link parseCall} does. */
export function parseOptions(command: CommandName, argv: readonly string[]): Options {
  return parseCall(command, argv).options
}

function assertWords(command: string, words: readonly string[], own: OwnSyntax): void {
  const wanted = own.commands?.[command]?.words ?? []
  const most = wanted.some((word) => word.includes('...')) ? Number.POSITIVE_INFINITY : wanted.length
  const extra = words[most]
  if (extra !== undefined)
    throw usage(`${command} takes no argument "${extra}"`, 'Options of a value are written --tags db.')
  const lacking = wanted.filter((word) => !word.startsWith('['))[words.length]
  if (lacking) throw usage(`${command} needs ${lacking}`, `npm run ${command} -w … -- ${wanted.join(' ')}`)
}

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
  own: OwnSyntax,
): void {
  const spec = known.find(([name]) => name === token.name)?.[1]
  if (!spec) {
    const elsewhere = own.options?.[token.name] ?? (optionTable as OptionTable)[token.name]
    if (elsewhere)
      throw usage(`${command} has no option ${token.rawName}`, `It belongs to: ${elsewhere.of.join(', ')}.`)
    const names = known.map(([name]) => name)
    const near = nearest(token.name, names)
    throw usage(`unknown option ${token.rawName}`, near ? `Did you mean --${near}?` : `See ${command} --help.`)
  }
  // A word that begins with a dash is the next option; a value that does is written --out=-odd-.
  if (spec.type === 'string' && (!token.value || (!token.inlineValue && token.value.startsWith('-')))) {
    throw usage(`option ${token.rawName} needs a value`, `--${token.name} ${spec.value}`)
  }
  if (spec.type === 'boolean' && token.value !== undefined) {
    throw usage(`option ${token.rawName} takes no value`, `Write --${token.name} alone, or leave it out.`)
  }
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
