import { sayMade } from '../engine/accounting.ts'
import type { CheckOutcome, Event, Outcome } from '../engine/events.ts'
import { changesOf } from '../engine/plan.ts'
import { oneLine, own } from './clean.ts'
import { sayAccounting, sayEvent, sayFinding } from './messages.ts'
import type { Outlet } from './outlet.ts'
import { type DiffMode, planLines, shownCommand } from './plan-text.ts'
import { summarize, viewOf } from './plan-view.ts'
import { cut, type Progress, progressOn } from './progress.ts'
import type { Reporter } from './reporter.ts'
import { type Color, duration, type Paint, sayWorkspace } from './style.ts'
import { summaryRows } from './summary.ts'
import { tableLines } from './table.ts'
import { wrapText } from './wrap.ts'

export interface PrettyOptions {
  /** Results: plans, findings. */
  readonly out: Outlet
  /** Everything else. */
  readonly err: Outlet
  readonly paintOut: Paint
  readonly paintErr: Paint
  readonly animate: boolean
  readonly diff: DiffMode
  readonly verbose: boolean
  /** The run is in GitHub Actions: scripts are folded into groups. */
  readonly groups: boolean
  /** Each passed check has a line of its own, as with `-v`, and is not counted by script. */
  readonly everyCheck?: boolean
  /** Several workspaces are told one after the other: each has a heading. */
  readonly several?: boolean
  /** The table of several goes to the messages: the result is what commands print themselves. */
  readonly tableAside?: boolean
}

/** What the formatters draw on. */
interface Screen extends PrettyOptions {
  workspace: string
  command: string
  /** Findings of verify are being told. */
  checking: boolean
  /** A group of GitHub's is open. */
  folded: boolean
  /** A script whose heading is not written yet: one that tells nothing has none. */
  script: string | undefined
  /** Of the changes that were planned, how many are made. */
  changes: { made: number; planned: number }
  /** How what was made goes with what was planned, in words. */
  accounted: string | undefined
  /** Checks of one script that passed and are not told yet. */
  passed: Extract<Event, { type: 'check' }>[]
  readonly progress: Progress
  result(line: string): void
  message(line: string): void
  /** The same two for prose, which a terminal gets broken at blanks. */
  prose: { result(text: string): void; message(text: string): void }
  /** A message in small print, only with `-v`. */
  aside(line: string): void
}

type Formatters = { readonly [T in Event['type']]: (event: Extract<Event, { type: T }>, screen: Screen) => void }

/** A plan of more lines than these begins with its summary too. */
const longPlan = 40

/** How far further lines of a text are indented: none of them shall pass for a line of the tool's own. */
const hang = 6
const hanging = `\n${' '.repeat(hang)}`

/** Text for a person: results on one stream, messages and progress on the other. */
export function prettyReporter(options: PrettyOptions): Reporter {
  const progress = progressOn(options.err, options.animate, options.paintErr)
  const write = (outlet: Outlet) => (line: string) => {
    progress.stop()
    // What comes from outside shall not pass for a line of the tool's own.
    outlet.write(`${line.replace(/\n(?=.)/g, hanging)}\n`)
  }
  const toErr = write(options.err)
  const screen: Screen = {
    ...options,
    workspace: '',
    command: '',
    checking: false,
    folded: false,
    script: undefined,
    changes: { made: 0, planned: 0 },
    accounted: undefined,
    passed: [],
    progress,
    result: write(options.out),
    message: (line) => {
      head(screen, toErr)
      toErr(line)
    },
    prose: {
      result: (text) => screen.result(wrapText(text, options.out.columns, hang)),
      message: (text) => screen.message(wrapText(text, options.err.columns, hang)),
    },
    aside: (line) => {
      if (options.verbose) screen.message(options.paintErr('dim', line))
    },
  }
  return {
    emit: (event) => (formatters[event.type] as (event: Event, screen: Screen) => void)(event, screen),
    close: () => progress.stop(),
  }
}

/** The heading of a script, before the first line that it tells. */
function head(screen: Screen, write: (line: string) => void): void {
  const { script, groups, paintErr } = screen
  if (script === undefined) return
  screen.script = undefined
  if (!groups) write('')
  write(groups ? `${own('::group::')}${script}` : paintErr('bold', script))
  screen.folded = groups
}

const aside = (event: Event, screen: Screen) => screen.aside(sayEvent(event).text)

const message = (event: Event, screen: Screen) => {
  const { level, text } = sayEvent(event)
  screen.prose.message(level === 'warn' ? `${screen.paintErr('yellow', 'warning:')} ${text}` : text)
}

// A failure must not be hidden in a group that nobody unfolds.
function unfold(screen: Screen): void {
  screen.script = undefined
  if (screen.folded) screen.message(own('::endgroup::'))
  screen.folded = false
}

function ended(
  { say, outcome, ms }: { say: string; outcome: Outcome; ms: number },
  { message, paintErr, verbose, err }: Screen,
): void {
  const done = outcome === 'done'
  const took = ms >= 1000 || verbose ? paintErr('dim', `  ${duration(ms)}`) : ''
  // A list of packages: the plan has named them all, and so does -v.
  const room = err.columns === undefined || verbose || !done ? undefined : err.columns - 12
  const name = room === undefined ? say : cut(oneLine(say), Math.max(room, 20))
  message(`  ${done ? paintErr('green', '✓') : paintErr('red', '✗')} ${name}${done ? '' : `: ${outcome}`}${took}`)
}

function tellPlan({ plan, ms }: Extract<Event, { type: 'plan' }>, screen: Screen): void {
  const { result, paintOut, diff, verbose, workspace } = screen
  screen.changes = { made: 0, planned: plan.steps.flatMap(changesOf).length }
  const view = viewOf(plan, { commands: verbose })
  const lines = planLines(view, { paint: paintOut, diff: verbose && diff === 'changes' ? 'all' : diff, verbose })
  const summary = paintOut('bold', summarize(workspace, view))
  if (lines.length > longPlan) result(summary)
  for (const line of lines) result(line)
  if (lines.length > 0) result('')
  if (view.steps.some(({ state, tentative }) => state !== 'converged' && tentative))
    result(paintOut('dim', '?: an earlier change may alter this; it is asked again right before it is made'))
  screen.prose.result(`${summary}  ${paintOut('dim', duration(ms))}`)
}

const ownerOf = ({ id }: { id: string }) => id.split('.')[0] ?? id

/** Checks that follow what a deploy made have a heading, as a script has. */
function headChecks(screen: Screen): void {
  if (screen.command !== 'deploy' || screen.checking) return
  screen.checking = true
  screen.script = undefined
  screen.message('')
  screen.message(screen.paintErr('bold', 'verify'))
}

/** The checks that passed one after the other: those of one script in one line. */
function tellPassed(screen: Screen): void {
  const { passed, result, paintOut } = screen
  screen.passed = []
  const [first] = passed
  if (!first) return
  if (passed.length === 1) tellCheck(first, screen)
  else result(`  ${paintOut('green', '✓')} ${ownerOf(first)}  ${paintOut('dim', `${passed.length} checks passed`)}`)
}

function tellCheck(event: Extract<Event, { type: 'check' }>, { prose: { result }, paintOut, verbose }: Screen): void {
  const { id, about, outcome, detail, remedy } = event
  const [color, mark] = marks[outcome]
  const isBad = outcome === 'warn' || outcome === 'fail'
  // The runbook and --only go by the id.
  const name = verbose || isBad ? paintOut('dim', `  [${id}]`) : ''
  const said = isBad ? oneLine(sayFinding(event)) : `${oneLine(about)}  ${paintOut('dim', oneLine(detail))}`
  result(`  ${paintOut(color, mark)} ${said}${name}`)
  if (remedy) result(`      ${remedy}`)
}

const formatters: Formatters = {
  'run.start'(event, screen) {
    Object.assign(screen, { workspace: event.workspace, command: event.command, checking: false })
    if (!screen.several) return
    screen.message('')
    screen.message(screen.paintErr('bold', `── ${sayWorkspace(event.workspace, event.environment)}`))
  },
  'ask.start': (event, { progress }) => progress.start(`asking ${event.target}`),
  'ask.end'(event, screen) {
    screen.progress.stop()
    aside(event, screen)
  },
  plan: tellPlan,
  cost: message,
  'plan.moved': message,
  'lock.wait': message,
  'lock.taken': aside,
  'lock.released': aside,
  'script.start'({ script }, screen) {
    screen.script = script
  },
  'script.end'(event, screen) {
    if (screen.script === undefined) aside(event, screen)
    unfold(screen)
  },
  'change.start'({ say }, { progress, changes: { made, planned } }) {
    progress.start(planned > 1 ? `${Math.min(made + 1, planned)}/${planned} ${say}` : say)
  },
  'change.commands'({ commands }, { verbose, message, paintErr }) {
    if (verbose) for (const line of commands.flatMap((command) => shownCommand(command, paintErr))) message(line)
  },
  'change.output'({ line }, screen) {
    screen.progress.line(line)
    if (!screen.verbose) return
    screen.aside(`       ${line}`)
  },
  'change.end'(event, screen) {
    screen.changes.made += 1
    ended(event, screen)
  },
  applied(event, screen) {
    screen.accounted = sayAccounting(event)
    for (const say of event.unneeded) screen.aside(`  not needed after all: ${say}`)
    for (const say of event.more) screen.aside(`  not in the plan: ${say}`)
  },
  'work.start': ({ say }, { progress }) => progress.start(say),
  'work.line': ({ line }, { progress }) => progress.line(line),
  'work.end': ended,
  check(event, screen) {
    headChecks(screen)
    const collapses = event.outcome === 'ok' && !event.telling && !screen.verbose && !screen.everyCheck
    const [first] = screen.passed
    // What did not pass splits no script in two: it is told before those that did.
    if (first && ownerOf(first) !== ownerOf(event)) tellPassed(screen)
    if (collapses) screen.passed.push(event)
    else tellCheck(event, screen)
  },
  'check.summary'(event, screen) {
    tellPassed(screen)
    const { result, paintOut, workspace } = screen
    result(`${paintOut('bold', `${workspace}: ${sayEvent(event).text}`)}  ${paintOut('dim', duration(event.ms))}`)
  },
  message,
  failure(event, screen) {
    const { message, prose, paintErr } = screen
    unfold(screen)
    prose.message(`${paintErr('red', 'error:')} ${event.message}`)
    for (const line of event.detail) message(paintErr('dim', `  ${line}`))
    for (const line of (event.remedy ?? '').split('\n').filter(Boolean)) prose.message(`  ${line}`)
  },
  'run.end'({ command, exitCode, made, ms }, screen) {
    const { message, paintErr, workspace } = screen
    if (command !== 'deploy' || exitCode !== 0) return
    const said = made === 0 ? 'nothing changed' : (screen.accounted ?? `${sayMade(made)}, converged`)
    message(`${paintErr('bold', `${workspace}: ${said}`)}  ${paintErr('dim', duration(ms))}`)
  },
  summary({ workspaces }, { result, message, paintOut, paintErr, tableAside }) {
    const [heads = '', ...rows] = tableLines(summaryRows(workspaces))
    const [write, paint] = tableAside ? [message, paintErr] : [result, paintOut]
    for (const line of ['', paint('dim', heads), ...rows]) write(line)
  },
}

const marks: Readonly<Record<CheckOutcome, readonly [Color, string]>> = {
  ok: ['green', '✓'],
  warn: ['yellow', '!'],
  fail: ['red', '✗'],
  skipped: ['dim', '-'],
}
