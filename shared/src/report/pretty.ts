import type { CheckOutcome, Event, Outcome } from '../engine/events.ts'
import { oneLine, own } from './clean.ts'
import { sayEvent } from './messages.ts'
import type { Outlet } from './outlet.ts'
import { planLines, shownCommand, summarize } from './plan-text.ts'
import { type Progress, progressOn } from './progress.ts'
import type { Reporter } from './reporter.ts'
import { type Color, duration, type Paint } from './style.ts'

export interface PrettyOptions {
  /** Results: plans, findings. */
  readonly out: Outlet
  /** Everything else. */
  readonly err: Outlet
  readonly paintOut: Paint
  readonly paintErr: Paint
  readonly animate: boolean
  readonly diff: boolean
  readonly verbose: boolean
  /** The run is in GitHub Actions: scripts are folded into groups. */
  readonly groups: boolean
}

/** What the formatters draw on. */
interface Screen extends PrettyOptions {
  workspace: string
  /** A group of GitHub's is open. */
  folded: boolean
  readonly progress: Progress
  result(line: string): void
  message(line: string): void
  /** A message in small print, only with `-v`. */
  aside(line: string): void
}

type Formatters = { readonly [T in Event['type']]: (event: Extract<Event, { type: T }>, screen: Screen) => void }

/** Text for a person: results on one stream, messages and progress on the other. */
export function prettyReporter(options: PrettyOptions): Reporter {
  const progress = progressOn(options.err, options.animate, options.paintErr)
  const write = (outlet: Outlet) => (line: string) => {
    progress.stop()
    // What comes from outside shall not pass for a line of the tool's own.
    outlet.write(`${line.replace(/\n(?=.)/g, '\n      ')}\n`)
  }
  const message = write(options.err)
  const screen: Screen = {
    ...options,
    workspace: '',
    folded: false,
    progress,
    result: write(options.out),
    message,
    aside: (line) => {
      if (options.verbose) message(options.paintErr('dim', line))
    },
  }
  return {
    emit: (event) => (formatters[event.type] as (event: Event, screen: Screen) => void)(event, screen),
    close: () => progress.stop(),
  }
}

const aside = (event: Event, screen: Screen) => screen.aside(sayEvent(event).text)

const message = (event: Event, screen: Screen) => {
  const { level, text } = sayEvent(event)
  screen.message(level === 'warn' ? `${screen.paintErr('yellow', 'warning:')} ${text}` : text)
}

// A failure must not be hidden in a group that nobody unfolds.
function unfold(screen: Screen): void {
  if (screen.folded) screen.message(own('::endgroup::'))
  screen.folded = false
}

function ended(
  { say, outcome, ms }: { say: string; outcome: Outcome; ms: number },
  { message, paintErr, verbose }: Screen,
): void {
  const done = outcome === 'done'
  const took = ms >= 1000 || verbose ? paintErr('dim', `  ${duration(ms)}`) : ''
  message(`  ${done ? paintErr('green', '✓') : paintErr('red', '✗')} ${say}${done ? '' : `: ${outcome}`}${took}`)
}

const formatters: Formatters = {
  'run.start'(event, screen) {
    screen.workspace = event.workspace
  },
  'ask.start': (event, { progress }) => progress.start(`asking ${event.target}`),
  'ask.end'(event, screen) {
    screen.progress.stop()
    aside(event, screen)
  },
  plan({ plan, ms }, { result, paintOut, diff, verbose, workspace }) {
    const lines = planLines(plan, { paint: paintOut, diff, verbose })
    for (const line of lines) result(line)
    if (lines.length > 0) result('')
    const tentative = plan.steps.some(({ decision, pending }) => decision?.kind !== 'converged' && pending.length > 0)
    if (tentative)
      result(paintOut('dim', '?: an earlier change may alter this; it is asked again right before it is made'))
    result(`${paintOut('bold', summarize(workspace, plan))}  ${paintOut('dim', duration(ms))}`)
  },
  'plan.moved': message,
  'lock.wait': message,
  'lock.taken': aside,
  'lock.released': aside,
  'script.start'({ script }, screen) {
    if (!screen.groups) screen.message('')
    screen.message(screen.groups ? `${own('::group::')}${script}` : screen.paintErr('bold', script))
    screen.folded = screen.groups
  },
  'script.end'(event, screen) {
    aside(event, screen)
    unfold(screen)
  },
  'change.start': ({ say }, { progress }) => progress.start(say),
  'change.commands'({ commands }, { verbose, message, paintErr }) {
    if (verbose) for (const line of commands.flatMap((command) => shownCommand(command, paintErr))) message(line)
  },
  'change.output'({ line }, screen) {
    screen.progress.line(line)
    if (!screen.verbose) return
    screen.aside(`       ${line}`)
  },
  'change.end': ended,
  'work.start': ({ say }, { progress }) => progress.start(say),
  'work.line': ({ line }, { progress }) => progress.line(line),
  'work.end': ended,
  check({ id, about, outcome, detail, remedy }, { result, paintOut, verbose }) {
    const [color, mark] = marks[outcome]
    const name = verbose ? paintOut('dim', `  [${id}]`) : ''
    result(`  ${paintOut(color, mark)} ${oneLine(about)}  ${paintOut('dim', oneLine(detail))}${name}`)
    if (remedy) result(`      ${remedy}`)
  },
  'check.summary'(event, { result, paintOut, workspace }) {
    result(`${paintOut('bold', `${workspace}: ${sayEvent(event).text}`)}  ${paintOut('dim', duration(event.ms))}`)
  },
  message,
  failure(event, screen) {
    const { message, paintErr } = screen
    unfold(screen)
    message(`${paintErr('red', 'error:')} ${event.message}`)
    for (const line of event.detail) message(paintErr('dim', `  ${line}`))
    for (const line of (event.remedy ?? '').split('\n').filter(Boolean)) message(`  ${line}`)
  },
  'run.end'({ command, exitCode, made, ms }, { message, paintErr, workspace }) {
    if (command !== 'deploy' || exitCode !== 0) return
    const said = made === 0 ? 'nothing changed' : `${made} ${made === 1 ? 'change' : 'changes'} made, converged`
    message(`${paintErr('bold', `${workspace}: ${said}`)}  ${paintErr('dim', duration(ms))}`)
  },
}

const marks: Readonly<Record<CheckOutcome, readonly [Color, string]>> = {
  ok: ['green', '✓'],
  warn: ['yellow', '!'],
  fail: ['red', '✗'],
  skipped: ['dim', '-'],
}
