import { appendFileSync } from 'node:fs'
import { redact } from '../command/secret.ts'
import { sayEvent } from './messages.ts'
import { planLines, summarize } from './plan-text.ts'
import type { Reporter } from './reporter.ts'
import { plainPaint } from './style.ts'

/** Puts plans, findings and failures as markdown into the job summary of GitHub Actions (`$GITHUB_STEP_SUMMARY`). */
export function githubSummary(path: string): Reporter {
  let workspace = ''
  const add = (text: string) => appendFileSync(path, redact(`${text}\n`))
  return {
    emit(event) {
      if (event.type === 'run.start') workspace = event.workspace
      if (event.type === 'plan') {
        const lines = planLines(event.plan, { paint: plainPaint, diff: true, verbose: false })
        add(`### ${summarize(workspace, event.plan)}\n`)
        if (lines.length > 0)
          add(`\`\`\`diff\n${lines.map((line) => line.replace(/^ {2}([+~!-])/, '$1')).join('\n')}\n\`\`\``)
      }
      if (event.type === 'check' && event.outcome !== 'ok')
        add(`- **${event.outcome}** ${event.about}: ${event.detail}. ${event.remedy ?? ''}`)
      if (event.type === 'check.summary') add(`### ${workspace} verify: ${sayEvent(event).text}\n`)
      if (event.type === 'failure') add(`> **error** ${event.message}\n`)
    },
    close() {},
  }
}
