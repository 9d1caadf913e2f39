import { nearest } from '../../env/suggest.ts'
import { helpLine, print } from '../../report/print.ts'
import { type Entry, exitCodeLines, optionLines, optionsGoAfter, version } from '../help.ts'
import { refuseSwallowedFlags } from '../npm-flags.ts'
import { applyOptions, type Call, parseCall, usage, type WorkspaceSyntax } from '../options.ts'
import { endWith, withPaths } from '../process.ts'

/** What each command over all workspaces does, in a line. */
export const abouts = {
  validate: 'check the environment files; generate missing secrets',
  plan: 'show what deploy would change in every configured workspace, without changing anything',
  deploy: 'plan all, confirm once, apply in dependency order, verify',
  verify: 'check every deployed workspace, from inside and outside',
  status: 'show the status of every workspace',
  output: 'show addresses and names of what was created',
  destroy: 'delete only what was created here; data is kept',
  show: 'show a saved plan',
  history: 'show who deployed what from this checkout, and the result',
} as const

const thereOption = {
  there: { type: 'boolean', help: 'show the records of hosts and clusters, including other checkouts' },
} as const

export type RootCommand = keyof typeof abouts

/**
 * The command line of all workspaces at once: `npm run plan` at the root. Ends the process with the most serious exit code
 * of theirs.
 */
export async function rootMain(entries: readonly Entry[], argv: readonly string[] = process.argv.slice(2)) {
  return endWith(async () => {
    const [word, ...rest] = argv
    if (word === undefined || word === '--help' || word === '-h' || word === 'help') {
      print(overview())
      return 0
    }
    if (word === '--version') {
      print(version())
      return 0
    }
    const command = commandOf(word)
    const syntax = rootSyntax(entries)
    if (rest.includes('--help') || rest.includes('-h')) {
      print(help(command, syntax, entries))
      return 0
    }
    refuseSwallowedFlags(process.env, { command, args: rest, syntax })
    const call = withPaths(parseCall(command, rest, syntax), process.env)
    assertForAll(command, call)
    if (command === 'show') return (await import('../show.ts')).showPlans(call)
    if (command === 'history' && !call.workspaceOptions.there) return (await import('../history.ts')).showHistory(call)
    return (await import('./run.ts')).runAll(entries, command, call)
  }, argv)
}

function commandOf(word: string): RootCommand {
  const names = Object.keys(abouts)
  if (names.includes(word)) return word as RootCommand
  const near = nearest(word, names)
  throw usage(`there is no command "${word}"`, near ? `Did you mean ${near}?` : `There are: ${names.join(', ')}`)
}

/** How commands over all are called: with the options of each workspace. */
export function rootSyntax(entries: readonly Entry[]): WorkspaceSyntax {
  const merged = (of: 'planOptions' | 'verifyOptions') => Object.assign({}, ...entries.map((entry) => entry[of]))
  return {
    planOptions: merged('planOptions'),
    verifyOptions: merged('verifyOptions'),
    commands: {
      status: { about: abouts.status },
      output: { about: abouts.output },
      destroy: { about: abouts.destroy, sharedOptions: applyOptions },
      history: { about: abouts.history, options: thereOption },
      show: { about: abouts.show, args: ['FILE'], sharedOptions: ['diff', 'no-diff'] },
    },
  }
}

/** Options that name one thing of one workspace make no sense for all. */
function assertForAll(command: RootCommand, { options }: Call): void {
  for (const name of ['export', 'from-tfvars'] as const)
    if (options[name] !== undefined)
      throw usage(`--${name} is for one workspace`, `Name it: npm run ${command} -w cluster -- --${name} …`)
  if (command === 'deploy' && options['detailed-exitcode'] && !(options.check || options['dry-run']))
    throw usage('--detailed-exitcode is for a plan', 'Add --check.')
  if (command === 'deploy' && options.offline && !(options.check || options['dry-run']))
    throw usage('--offline is for a plan: a deploy has to connect', 'Add --check, or leave it out.')
}

function overview(): string {
  return [
    'Runs every configured workspace in parallel; for a single one: -w pod.',
    '',
    ...Object.entries(abouts).map(([name, about]) => helpLine(`  npm run ${name.padEnd(10)}`, about)),
    '',
    'Options go after --: npm run plan -- --help',
    '',
  ].join('\n')
}

function help(command: RootCommand, syntax: WorkspaceSyntax, entries: readonly Entry[]): string {
  const args = syntax.commands?.[command]?.args ?? []
  return [
    helpLine('', `${command}: ${abouts[command]}`),
    '',
    `Usage: npm run ${command} -- ${[...args, '[options]'].join(' ')}`,
    '',
    ...optionsGoAfter,
    ...optionLines(command, syntax),
    '',
    'Workspaces:',
    ...entries.map(({ name, about }) => helpLine(`  ${name.padEnd(9)}`, about)),
    '',
    ...exitCodeLines,
    'With several workspaces the most serious one wins.',
    '',
  ].join('\n')
}
