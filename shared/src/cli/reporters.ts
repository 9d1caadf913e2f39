import { githubAnnotations, githubSummary } from '../report/github.ts'
import { jsonEvents, writeJsonHead } from '../report/json.ts'
import { junitReporter } from '../report/junit.ts'
import { standard, streams } from '../report/outlet.ts'
import type { DiffMode } from '../report/plan-text.ts'
import { type PrettyOptions, prettyReporter } from '../report/pretty.ts'
import { combine, type Reporter, tolerant } from '../report/reporter.ts'
import { runLog } from '../report/run-log.ts'
import { canAnimate, paintFor } from '../report/style.ts'
import type { Options } from './options.ts'
import { runFolder } from './paths.ts'

/** The reporters of a run of one workspace that the options and the environment ask for. `name` is that of its log. */
export function aloneReporter(options: Options, name: string): Reporter {
  const shown = options.json ? jsonOnStdout() : textReporter(options)
  return combine([shown, logOf(name, shown), ...filed(options, shown)])
}

/** Those of a run of several workspaces. */
export interface TogetherReporters {
  /** Hears the workspaces one after the other. */
  readonly inOrder: Reporter
  /** Hears one of them as it goes; `name` is that of its log. */
  live(name: string): Reporter
}

/** `stdoutIsResult`: what the commands print themselves is the result, in text or JSON. */
export function togetherReporters(given: Options, stdoutIsResult: boolean): TogetherReporters {
  const options = stdoutIsResult ? { ...given, json: false } : given
  const shown = options.json
    ? jsonEvents(standard.out)
    : textReporter(options, { several: true, tableAside: stdoutIsResult })
  if (options.json) writeJsonHead(standard.out)
  // In JSON each line names its workspace, so they need not wait for each other: only what is of all comes in order.
  const text: Reporter = options.json
    ? { ...shown, emit: (event) => event.type === 'summary' && shown.emit(event) }
    : shown
  return {
    inOrder: combine([text, ...filed(options, shown)]),
    live: (name) => combine([...(options.json ? [jsonEvents(standard.out)] : []), logOf(name, shown)]),
  }
}

function jsonOnStdout(): Reporter {
  writeJsonHead(standard.out)
  return jsonEvents(standard.out)
}

function textReporter(options: Options, more: Partial<PrettyOptions> = {}): Reporter {
  const { env } = process
  return prettyReporter({
    out: standard.out,
    err: standard.err,
    paintOut: paintFor(streams.out, env),
    paintErr: paintFor(streams.err, env),
    animate: canAnimate(streams.err, env),
    diff: diffMode(options),
    verbose: options.verbose === true,
    groups: env.GITHUB_ACTIONS === 'true',
    everyCheck: options.only !== undefined,
    ...more,
  })
}

/** What `--diff` and `--no-diff` ask for. */
export const diffMode = (options: Options): DiffMode =>
  options['no-diff'] ? 'none' : options.diff || options.verbose ? 'all' : 'changes'

const warnBy = (shown: Reporter) => (text: string) => shown.emit({ type: 'message', level: 'warn', text })

function logOf(name: string, shown: Reporter): Reporter {
  const warn = warnBy(shown)
  return tolerant(runLog(runFolder(process.env), name, warn), (text) => warn(`the log of this run ends here: ${text}`))
}

/** What is written to files, and for GitHub Actions. */
function filed(options: Options, shown: Reporter): Reporter[] {
  const { GITHUB_STEP_SUMMARY: summary, GITHUB_ACTIONS: actions } = process.env
  const warn = warnBy(shown)
  return [
    ...(summary ? [tolerant(githubSummary(summary), (text) => warn(`no summary for GitHub: ${text}`))] : []),
    ...(actions === 'true' ? [githubAnnotations(standard.err)] : []),
    ...(options.junit ? [junitReporter(options.junit)] : []),
  ]
}
