import { parseArgs } from 'node:util'
import { Failure } from '../engine/failure.ts'
import { nearest } from '../env/suggest.ts'

export type CommandName = 'validate' | 'plan' | 'deploy' | 'verify' | 'unlock'

interface OptionSpec {
  readonly type: 'boolean' | 'string'
  readonly short?: string
  readonly multiple?: boolean
  readonly value?: string
  readonly help: string
  readonly of: readonly CommandName[]
}

const every = ['validate', 'plan', 'deploy', 'verify', 'unlock'] as const

/** Every option there is: parsing, help and the guard against npm's swallowing of flags all read this table. */
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
  export: { type: 'boolean', help: 'print export lines for a shell, secrets included', of: ['validate'] },
  only: { type: 'string', multiple: true, value: 'ID', help: 'only checks whose id starts so', of: ['verify'] },
  junit: { type: 'string', value: 'FILE', help: 'write the findings as JUnit XML as well', of: ['verify'] },
  env: { type: 'string', value: 'NAME', help: 'another environment: .env.<workspace>.NAME', of: every },
  verbose: { type: 'boolean', short: 'v', help: 'unchanged steps with why, output and times', of: every },
  json: { type: 'boolean', help: 'one JSON event a line on stdout', of: every },
  help: { type: 'boolean', short: 'h', help: 'this help', of: every },
} as const satisfies Record<string, OptionSpec>

export type OptionName = keyof typeof optionTable

type ValueOf<S> = S extends { type: 'boolean' } ? boolean : S extends { multiple: true } ? string[] : string

export type Options = { readonly [K in OptionName]?: ValueOf<(typeof optionTable)[K]> }

/** The options of a command, in the order of the table. */
export function optionsOf(command: CommandName): [OptionName, OptionSpec][] {
  return (Object.entries(optionTable) as [OptionName, OptionSpec][]).filter(([, { of }]) => of.includes(command))
}

/** Parses a command's arguments. Throws a usage failure for what it does not know, with a suggestion. */
export function parseOptions(command: CommandName, argv: readonly string[]): Options {
  const known = optionsOf(command)
  const { tokens, values } = parseArgs({
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
  for (const token of tokens) {
    if (token.kind === 'positional')
      throw usage(`${command} takes no argument "${token.value}"`, 'Options of a value are written --tags db.')
    if (token.kind === 'option') assertOption(command, token, known)
  }
  return split(values as Options)
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}

function assertOption(command: CommandName, token: OptionToken, known: readonly [OptionName, OptionSpec][]): void {
  const spec = known.find(([name]) => name === token.name)?.[1]
  if (!spec) {
    const elsewhere = (optionTable as Record<string, OptionSpec>)[token.name]
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
