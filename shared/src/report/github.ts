import { clean, oneLine, own } from './clean.ts'
import { sayEvent, sayFinding } from './messages.ts'
import { appendingTo, type Outlet } from './outlet.ts'
import { planLines } from './plan-text.ts'
import { type PlanView, summarize, targetsOf, viewOf } from './plan-view.ts'
import type { Reporter } from './reporter.ts'
import { plainPaint, sayWorkspace } from './style.ts'
import { summaryRows } from './summary.ts'

/**
 * Puts plans, findings, failures and the table of several workspaces as markdown into the job summary of GitHub Actions
 * (`$GITHUB_STEP_SUMMARY`).
 */
export function githubSummary(path: string): Reporter {
  let workspace = ''
  const outlet = appendingTo(path)
  const add = (text: string) => outlet.write(`${text}\n`)
  return {
    emit(event) {
      if (event.type === 'run.start') workspace = sayWorkspace(event.workspace, event.environment)
      // A plan for sample values, what is odd in the environment: whoever reads the summary alone has to know.
      if (event.type === 'message' && event.level === 'warn') add(`> **warning** ${escaped(event.text)}\n`)
      if (event.type === 'plan') for (const text of planTexts(workspace, viewOf(event.plan))) add(text)
      if (event.type === 'cost') add(`${escaped(sayEvent(event).text)}\n`)
      if (event.type === 'check' && event.outcome !== 'ok')
        add(`- **${event.outcome}** ${escaped(sayFinding(event))}. ${escaped(event.remedy ?? '')}`)
      if (event.type === 'check.summary') add(`### ${workspace} verify: ${sayEvent(event).text}\n`)
      if (event.type === 'failure') {
        add(`> **error** ${escaped(event.message)}\n`)
        if (event.detail.length > 0) add(`${fenced(event.detail.map(clean).join('\n'), 'text')}\n`)
        if (event.remedy) add(`${escaped(event.remedy)}\n`)
      }
      if (event.type === 'summary') {
        const [heads = [], ...rows] = summaryRows(event.workspaces)
        const row = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`
        add(`\n${[row(heads), row(heads.map(() => '---')), ...rows.map(row)].join('\n')}\n`)
      }
    },
    close() {},
  }
}

function planTexts(workspace: string, view: PlanView): string[] {
  const lines = planLines(view, { paint: plainPaint, diff: 'all', verbose: false })
  const targets = targetsOf(view)
  return [
    `### ${summarize(workspace, view)}\n`,
    ...(targets === '' ? [] : [`on ${escaped(targets)}\n`]),
    ...(lines.length > 0 ? [fenced(lines.map((line) => line.replace(/^ {2}([+~!-])/, '$1')).join('\n'))] : []),
  ]
}

/**
 * What a failure and a failed check are for GitHub Actions: an annotation of the job. The runner reads them in what is
 * printed, wherever that is.
 */
export function githubAnnotations(outlet: Outlet): Reporter {
  const annotate = (title: string, text: string) =>
    outlet.write(`${own('::error title=')}${property(title)}${own('::')}${data(text)}\n`)
  let workspace = ''
  return {
    emit(event) {
      if (event.type === 'run.start') workspace = event.workspace
      if (event.type === 'failure')
        annotate(workspace, [event.message, ...event.detail, event.remedy ?? ''].filter(Boolean).join('\n'))
      if (event.type === 'check' && event.outcome === 'fail')
        annotate(`${workspace} verify`, `${sayFinding(event)}\n${event.remedy ?? ''}`.trim())
    },
    close() {},
  }
}

// As GitHub's own toolkit escapes them: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
const data = (text: string) => clean(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

/** A block that no line in it can end. */
function fenced(text: string, language = 'diff'): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text}\n${fence}`
}

/** Text from outside draws no link, picture or heading. */
const escaped = (text: string) => oneLine(text).replace(/[\\`*_<>#|~]|\](?=\()/g, '\\$&')
