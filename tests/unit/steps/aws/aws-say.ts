import type { Decision } from '@infra/shared/engine/step'

/** A decision in lines: each change with its risk, or the refusal. */
export const say = (decision: Decision): string[] =>
  decision.kind === 'changes'
    ? decision.changes.map(({ verb, say, risk }) => `${verb} ${say}${risk === 'safe' ? '' : ` [${risk}]`}`)
    : decision.kind === 'refused'
      ? [`refused: ${decision.reason}`]
      : []
