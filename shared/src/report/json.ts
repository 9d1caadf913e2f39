import type { Event } from '../engine/events.ts'
import { changesOf, type Plan } from '../engine/plan.ts'
import { sayEvent } from './messages.ts'
import type { Outlet } from './outlet.ts'
import { countPlan } from './plan-text.ts'
import type { Reporter } from './reporter.ts'

/** The version of the NDJSON format: raised when a field changes its meaning or goes away. */
export const jsonFormat = 1

/** One JSON object a line: first the version, then every event with level, message, timestamp and type. */
export function jsonReporter(outlet: Outlet, now: () => Date = () => new Date()): Reporter {
  outlet.json({
    level: 'info',
    message: `infra events, format ${jsonFormat}`,
    timestamp: now().toISOString(),
    type: 'version',
    format: jsonFormat,
  })
  return {
    emit(event) {
      const { level, text } = sayEvent(event)
      outlet.json({ level, message: text, timestamp: now().toISOString(), ...flatten(event) })
    },
    close() {},
  }
}

function flatten(event: Event): object {
  return event.type === 'plan' ? { type: event.type, ms: event.ms, ...planData(event.plan) } : event
}

/** A plan as data: what a program needs to judge it. */
export function planData(plan: Plan): object {
  const steps = plan.steps.map((planned) => ({
    script: planned.script,
    step: planned.step.id,
    target: planned.step.on.name,
    state: planned.unknown !== undefined ? 'unknown' : planned.decision?.kind,
    because: planned.unknown ?? (planned.decision?.kind === 'converged' ? planned.decision.because : undefined),
    refused: planned.decision?.kind === 'refused' ? planned.decision : undefined,
    notes: planned.decision?.kind === 'refused' ? undefined : planned.decision?.notes,
    tentative: planned.pending.length > 0 ? planned.pending : undefined,
    changes: changesOf(planned).map(({ verb, say, risk, diff, guard }) => ({
      verb,
      say,
      risk,
      diff,
      guarded: guard?.name,
    })),
  }))
  return { counts: countPlan(plan), steps }
}
