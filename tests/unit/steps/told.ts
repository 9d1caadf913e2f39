import type { Decision } from '@infra/shared/engine/step'

/** A decision as a list of short lines: `+ role valence`, `~ …`, `= why not`, `! why it is refused`. */
export function told(decision: Decision): string[] {
  if (decision.kind === 'converged') return [`= ${decision.because}`]
  if (decision.kind === 'refused') return [`! ${decision.reason}`]
  const signs = { create: '+', update: '~', remove: '-' }
  return decision.changes.map(({ verb, say }) => `${signs[verb]} ${say}`)
}
