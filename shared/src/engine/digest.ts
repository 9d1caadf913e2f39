import { createHmac } from 'node:crypto'
import { isText, revealText } from '../command/command.ts'
import { isSecret, reveal } from '../command/secret.ts'
import type { Plan, PlannedStep } from './plan.ts'

/**
 * A fingerprint of what a step found and what it decided, secrets included, keyed by `salt` so that it tells nothing
 * of them. Equal fingerprints: the same facts and the same changes.
 */
export function digestStep(planned: PlannedStep, salt: string): string {
  // `this[key]` and not the value given: that one has been through toJSON, where all secrets look alike.
  const seen = JSON.stringify(
    [planned.facts, planned.decision, planned.unknown],
    function (this: Record<string, unknown>, key) {
      const value = this[key]
      if (isSecret(value)) return hmac(reveal(value), salt)
      if (isText(value)) return hmac(revealText(value), salt)
      if (typeof value === 'bigint') return String(value)
      return value instanceof Map || value instanceof Set ? [...value] : value
    },
  )
  return hmac(seen, salt)
}

/** The fingerprints of a whole plan, by step id. */
export function digestPlan(plan: Plan, salt: string): Record<string, string> {
  return Object.fromEntries(plan.steps.map((planned) => [planned.step.id, digestStep(planned, salt)]))
}

function hmac(value: string, salt: string): string {
  return createHmac('sha256', salt).update(value).digest('hex')
}
