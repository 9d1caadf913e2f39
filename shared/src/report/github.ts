import { oneLine } from './clean.ts'
import { sayEvent } from './messages.ts'
import { appendingTo } from './outlet.ts'
import { planLines, summarize } from './plan-text.ts'
import type { Reporter } from './reporter.ts'
import { plainPaint } from './style.ts'

/** Puts plans, findings and failures as markdown into the job summary of GitHub Actions (`$GITHUB_STEP_SUMMARY`). */
export function githubSummary(path: string): Reporter {
  let workspace = ''
  const outlet = appendingTo(path)
  const add = (text: string) => outlet.write(`${text}\n`)
  return {
    emit(event) {
      if (event.type === 'run.start') workspace = event.workspace
      if (event.type === 'plan') {
        const lines = planLines(event.plan, { paint: plainPaint, diff: true, verbose: false })
        add(`### ${summarize(workspace, event.plan)}\n`)
        if (lines.length > 0) add(fenced(lines.map((line) => line.replace(/^ {2}([+~!-])/, '$1')).join('\n')))
      }
      if (event.type === 'check' && event.outcome !== 'ok')
        add(`- **${event.outcome}** ${escaped(event.about)}: ${escaped(event.detail)}. ${escaped(event.remedy ?? '')}`)
      if (event.type === 'check.summary') add(`### ${workspace} verify: ${sayEvent(event).text}\n`)
      if (event.type === 'failure') add(`> **error** ${escaped(event.message)}\n`)
    },
    close() {},
  }
}

/** A block that no line in it can end. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}diff\n${text}\n${fence}`
}

/** Text from outside draws no link, picture or heading. */
const escaped = (text: string) => oneLine(text).replace(/[\\`*_<>#|~]|\](?=\()/g, '\\$&')
