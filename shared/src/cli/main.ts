import { nearest } from '../env/suggest.ts'
import { print } from '../report/print.ts'
import { commandsOf, type Entry, helpText, overview, version } from './help.ts'
import { refuseSwallowedFlags } from './npm-flags.ts'
import { type Call, cutVerbatim, parseCall, usage } from './options.ts'
import { endWith, watchSignals, withPaths } from './process.ts'
import { withoutOthersOptions } from './root-run.ts'

/**
 * The command line of a workspace: `main({ name: 'pod', … }, ['deploy', '--check'])`. Ends the process with the exit
 * code that docs/commands.md documents.
 */
export async function main(entry: Entry, argv: readonly string[] = process.argv.slice(2)): Promise<never> {
  return endWith(async () => {
    if (argv.includes('--version') && argv.length === 1) {
      print(version())
      return 0
    }
    const [command, rest] = chooseCommand(entry, argv)
    const [ours] = cutVerbatim(command ?? '', rest, entry)
    if (command === undefined || ours.includes('--help') || ours.includes('-h')) {
      print(command === undefined ? overview(entry) : helpText(command, entry))
      return 0
    }
    refuseSwallowedFlags(process.env, { command, args: rest, syntax: entry, workspace: entry.name })
    const words = withoutOthersOptions(rest, process.env, entry)
    return runAlone(entry, command, withPaths(parseCall(command, words, entry), process.env))
  }, argv)
}

function chooseCommand(entry: Entry, argv: readonly string[]): [string | undefined, readonly string[]] {
  const [word, ...rest] = argv
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') return [undefined, []]
  const names = Object.keys(commandsOf(entry))
  if (names.includes(word)) return [word, rest]
  const near = nearest(word, names)
  throw usage(
    `${entry.name} has no command "${word}"`,
    near ? `Did you mean ${near}?` : `There are: ${names.join(', ')}`,
  )
}

/** One workspace by itself: the streams and the signals of the process are its own. */
async function runAlone(entry: Entry, command: string, call: Call): Promise<number> {
  const [{ default: workspace }, { aloneReporter }, { runCommand, toldAs }] = await Promise.all([
    entry.load(),
    import('./reporters.ts'),
    import('./run.ts'),
  ])
  const stdoutIsResult = entry.commands?.[command]?.stdoutIsResult === true
  const { options } = call
  const reporter = aloneReporter(
    stdoutIsResult ? { ...options, json: false } : options,
    `${workspace.name}-${toldAs(command, call)}`,
  )
  const { signals, watch } = watchSignals(reporter)
  const emit: typeof watch = (event) => {
    watch(event)
    reporter.emit(event)
  }
  try {
    return await runCommand({ entry, workspace, command, call, emit, signals })
  } finally {
    reporter.close()
    signals.close()
  }
}
