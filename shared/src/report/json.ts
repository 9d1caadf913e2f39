import type { Event } from '../engine/events.ts'
import { sayEvent } from './messages.ts'
import type { Outlet } from './outlet.ts'
import { viewOf } from './plan-view.ts'
import type { Reporter } from './reporter.ts'

/**
 * The version of the NDJSON format, which `docs/events.schema.json` describes: raised when a field changes its meaning
 * or goes away. New fields and new types of events do not raise it.
 */
export const jsonFormat = 1

/** The first line of every output in JSON. */
export function writeJsonHead(outlet: Outlet, now: () => Date = () => new Date()): void {
  outlet.json({
    level: 'info',
    message: `infra events, format ${jsonFormat}`,
    timestamp: now().toISOString(),
    type: 'version',
    format: jsonFormat,
  })
}

/** One JSON object a line: every event with level, message, timestamp, type and, once it is known, its workspace. */
export function jsonEvents(outlet: Outlet, now: () => Date = () => new Date()): Reporter {
  let workspace: string | undefined
  return {
    emit(event) {
      if (event.type === 'run.start') workspace = event.workspace
      const { level, text } = sayEvent(event)
      const head = { level, message: text, timestamp: now().toISOString() }
      outlet.json({ ...head, ...(workspace !== undefined && { workspace }), ...flatten(event) })
    },
    close() {},
  }
}

/** A whole output in JSON: the version, then every event. */
export function jsonReporter(outlet: Outlet, now: () => Date = () => new Date()): Reporter {
  writeJsonHead(outlet, now)
  return jsonEvents(outlet, now)
}

function flatten(event: Event): object {
  return event.type === 'plan' ? { type: event.type, ms: event.ms, ...viewOf(event.plan) } : event
}
