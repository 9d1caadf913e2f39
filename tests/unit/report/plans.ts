import { raw } from '@infra/shared/command/sh'
import type { Plan, PlannedStep } from '@infra/shared/engine/plan'
import { changes, converged, create, type Decision, refuse, remove, step, update } from '@infra/shared/engine/step'
import { blank } from '@infra/shared/targets/blank'

const nowhere = blank('root@203.0.113.10')
const run = raw('true')

/** A step as a plan holds it. */
export function planned(
  id: string,
  decision: Decision | undefined,
  more: Partial<Pick<PlannedStep, 'script' | 'pending' | 'unknown'>> = {},
): PlannedStep {
  const made = step({ id, on: nowhere, ask: {}, plan: () => decision ?? converged('') })
  return { script: 'base', step: made, facts: {}, decision, unknown: undefined, pending: [], ...more }
}

const motd = { kind: 'text', path: '/etc/motd', before: 'one\ntwo\nthree\n', after: 'one\n2\nthree\n' } as const

/** One of everything that a plan can say. */
export const everything: Plan = {
  steps: [
    planned('user valence', changes([create('user valence', run)], '')),
    planned('file /etc/motd', changes([update('/etc/motd', run, { diff: motd })], '')),
    planned('file /etc/env', changes([update('/etc/env', run, { diff: { kind: 'secret', path: '/etc/env' } })], '')),
    planned('timezone', converged('UTC')),
    planned('service ssh', changes([update('ssh restarted', run, { risk: 'restart' })], ''), {
      script: 'net',
      pending: ['file /etc/motd'],
    }),
    planned('cluster 16', changes([update('cluster 16', run, { risk: 'downtime' })], ''), { script: 'net' }),
    planned('table old', changes([remove('table old', run, { risk: 'data' })], ''), { script: 'net' }),
    planned('role', undefined, { script: 'net', pending: ['cluster 16', 'a', 'b', 'c'], unknown: 'down' }),
    planned('extension', undefined, { script: 'net', unknown: 'version: no answer' }),
    planned('disk', refuse('it cannot shrink', 'make a new one'), { script: 'net' }),
    planned('quiet', converged('nothing to do'), { script: 'unchanged' }),
  ],
}

/** A plan with nothing to do. */
export const calm: Plan = { steps: [planned('a', converged('')), planned('b', converged('fine'))] }
