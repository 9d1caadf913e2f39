import { type Accounting, sayMade } from '../engine/accounting.ts'
import { type Cost, sayPrice } from '../engine/cost.ts'
import type { Event } from '../engine/events.ts'
import { summarize, viewOf } from './plan-view.ts'
import { duration } from './style.ts'
import { sayChecks } from './summary.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** Every event in one line of plain words: what the JSON and the log carry as its message. */
export function sayEvent(event: Event): { level: Level; text: string } {
  switch (event.type) {
    case 'run.start':
      return info(`${event.command} ${event.workspace}${event.environment ? ` (${event.environment})` : ''}`)
    case 'ask.start':
      return debug(`asking ${event.target}: ${event.questions} questions`)
    case 'ask.end':
      return debug(`${event.target} answered ${event.questions} questions in ${duration(event.ms)}`)
    case 'plan':
      return info(summarize('plan', viewOf(event.plan)))
    case 'cost':
      return info(sayCost(event))
    case 'plan.moved':
      return { level: 'warn', text: 'the facts have changed since the plan was made: here is the new plan' }
    case 'lock.wait':
      return info(`waiting for the lock on ${event.target}, held by ${event.holder}`)
    case 'lock.taken':
      return debug(`lock taken on ${event.target}`)
    case 'lock.released':
      return debug(`lock released on ${event.target}`)
    case 'script.start':
      return info(event.script)
    case 'script.end':
      return debug(`${event.script} took ${duration(event.ms)}`)
    case 'change.start':
      return info(`${event.verb} ${event.say}`)
    case 'applied':
      return info(sayAccounting(event))
    case 'work.start':
      return info(event.say)
    case 'change.commands':
      return debug(event.commands.join('\n'))
    case 'work.line':
    case 'change.output':
      return debug(event.line)
    case 'work.end':
    case 'change.end':
      return {
        level: event.outcome === 'done' ? 'info' : 'error',
        text: `${event.say}: ${event.outcome} after ${duration(event.ms)}`,
      }
    case 'check':
      return { level: levels[event.outcome], text: sayFinding(event) }
    case 'check.summary':
      return { level: event.counts.fail > 0 ? 'error' : 'info', text: sayChecks(event.counts) }
    case 'message':
      return { level: event.level, text: event.text }
    case 'failure':
      return { level: 'error', text: event.message }
    case 'summary':
      return info(event.workspaces.map(({ workspace, result }) => `${workspace}: ${result}`).join('; '))
    case 'run.end':
      return info(
        `${event.workspace} ${event.command}: exit code ${event.exitCode}, ${sayMade(event.made)}, ${duration(event.ms)}`,
      )
  }
}

/** A finding in a line: what a check is about is what it expects, so one that does not hold says both. */
export function sayFinding({ about, outcome, detail }: Extract<Event, { type: 'check' }>): string {
  return outcome === 'warn' || outcome === 'fail' ? `expected: ${about}; found: ${detail}` : `${about}: ${detail}`
}

/** `55 changes made, converged; 7 of the 61 planned were not needed, 1 more was`. */
export function sayAccounting({ planned, made, unneeded, more }: Accounting): string {
  const [few, extra] = [unneeded.length, more.length]
  const was = (count: number) => (count === 1 ? 'was' : 'were')
  const less = few > 0 ? `; ${few} of the ${planned} planned ${was(few)} not needed` : ''
  const extras = few > 0 ? `, ${extra} more ${was(extra)}` : `; ${extra} more than planned`
  return `${sayMade(made)}, converged${less}${extra > 0 ? extras : ''}`
}

const levels = { ok: 'info', warn: 'warn', fail: 'error', skipped: 'info' } as const
const info = (text: string) => ({ level: 'info', text }) as const
const debug = (text: string) => ({ level: 'debug', text }) as const

/** `cost a month, estimated 2026-11-24: SQS $0–5, …; total ~$100`. */
function sayCost({ date, items, total }: Cost): string {
  const parts = items.map((item) => `${item.what} ${sayPrice(item)}`)
  return `cost a month, estimated ${date}: ${parts.join(', ')}; total ${total}`
}
