import { githubSummary } from '../report/github.ts'
import { jsonReporter } from '../report/json.ts'
import { junitReporter } from '../report/junit.ts'
import { standard, streams } from '../report/outlet.ts'
import { prettyReporter } from '../report/pretty.ts'
import { combine, type Reporter, tolerant } from '../report/reporter.ts'
import { runLog } from '../report/run-log.ts'
import { canAnimate, paintFor } from '../report/style.ts'
import type { Options } from './options.ts'
import { runFolder } from './session.ts'

/** The reporters that the options and the environment ask for: text or JSON, the run's log, GitHub's summary, JUnit. */
export function makeReporter(options: Options, name: string): Reporter {
  const { env } = process
  const shown = options.json
    ? jsonReporter(standard.out)
    : prettyReporter({
        out: standard.out,
        err: standard.err,
        paintOut: paintFor(streams.out, env),
        paintErr: paintFor(streams.err, env),
        animate: canAnimate(streams.err, env),
        diff: !options['no-diff'],
        verbose: options.verbose === true,
        groups: env.GITHUB_ACTIONS === 'true',
      })
  const warn = (text: string) => shown.emit({ type: 'message', level: 'warn', text })
  return combine([
    shown,
    tolerant(runLog(runFolder(env), name, warn), (text) => warn(`the log of this run ends here: ${text}`)),
    ...(env.GITHUB_STEP_SUMMARY
      ? [tolerant(githubSummary(env.GITHUB_STEP_SUMMARY), (text) => warn(`no summary for GitHub: ${text}`))]
      : []),
    ...(options.junit ? [junitReporter(options.junit)] : []),
  ])
}
