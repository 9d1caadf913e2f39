import { sh } from '@infra/shared/command/sh'
import type { Step } from '@infra/shared/engine/step'
import { containerStarts } from '@infra/shared/facts/kubernetes/container-starts'
import { youngerThan } from '@infra/shared/steps/kubernetes/younger-than'
import { blankKubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { describe, expect, it } from 'vitest'
import { told } from '../told.ts'
import { says } from './says.ts'

const on = blankKubernetes()
const decide = (step: Step, now: Record<string, unknown>) => told(step.plan(now as never, { pending: [] }))

describe('what loses its connection for good', () => {
  const step = youngerThan(on, {
    ...{
      namespace: 'n',
      deployments: ['crond', 'api'],
      than: 'broker',
      why: 'the broker started anew',
      timeoutSeconds: 60,
    },
  })
  const at = (oldest: number, newest = oldest) => ({ oldest, newest })
  it.each<[what: string, starts: [string, { oldest: number; newest: number }][], lines: string[]]>([
    [
      'stays when it is younger',
      [
        ['broker', at(1)],
        ['crond', at(2)],
        ['api', at(3)],
      ],
      ['= started after broker'],
    ],
    [
      'starts anew when it is older',
      [
        ['broker', at(5)],
        ['crond', at(2)],
        ['api', at(6)],
      ],
      ['~ restart deployment crond: the broker started anew'],
    ],
    [
      'in order',
      [
        ['broker', at(5)],
        ['api', at(2)],
        ['crond', at(2)],
      ],
      ['~ restart deployment crond: the broker started anew', '~ restart deployment api: the broker started anew'],
    ],
    [
      'counts by its oldest pod',
      [
        ['broker', at(5)],
        ['crond', at(2, 9)],
        ['api', at(6)],
      ],
      ['~ restart deployment crond: the broker started anew'],
    ],
    ['that does not run has nothing to lose', [['broker', at(5)]], ['= started after broker']],
    ['without a broker waits', [['api', at(1)]], ['= broker does not run']],
  ])('%s', (_, starts, lines) => {
    expect(decide(step, { starts: new Map(starts) })).toEqual(lines)
  })
  it('or the volume that it prepares, counts by when that was claimed, and by what must hold first', () => {
    const cause = { cause: 'no', remedy: 'do it' }
    const step = youngerThan(on, {
      ...{
        namespace: 'n',
        deployments: ['api'],
        than: { claim: 'data-0' },
        why: 'the volume is new',
        timeoutSeconds: 60,
      },
      provided: { api: { that: sh`true`, explain: ({ stderr }) => (stderr === 'no' ? cause : undefined) } },
    })
    const starts = new Map([['api', at(5)]])
    expect(decide(step, { starts, claimed: 4 })).toEqual(['= started after volume data-0'])
    expect(decide(step, { starts, claimed: null })).toEqual(['= volume data-0 is not there'])
    expect(decide(step, { starts, claimed: 6 })).toEqual(['~ restart deployment api: the volume is new'])
    const decision = step.plan({ starts, claimed: 6 } as never, { pending: [] })
    if (decision.kind !== 'changes') throw new Error('nothing is changed')
    const [change] = decision.changes
    expect(change?.run.map(({ line }) => line)[0]).toBe('true')
    expect(change?.explain?.({ code: 1, stdout: '', stderr: 'no' })).toEqual(cause)
    expect(change?.explain?.({ code: 1, stdout: '', stderr: '' })).toBe('api did not get ready in 60 seconds')
  })
  it('counts a container that started again in its pod, and no pod that ends', () => {
    const pod = (app: string, startedAt: string, more: object = {}) => ({
      metadata: { labels: { app }, ...more },
      status: { containerStatuses: [{ state: { running: { startedAt } } }, { state: { waiting: {} } }] },
    })
    const items = [
      pod('broker', '2026-11-24T12:00:10Z'),
      pod('api', '2026-11-24T12:00:00Z'),
      pod('api', '2026-11-24T11:00:00Z', { deletionTimestamp: 'now' }),
    ]
    const starts = containerStarts('n').parse(says({ items }))
    expect((starts.get('broker')?.newest ?? 0) - (starts.get('api')?.oldest ?? 0)).toBe(10)
  })
})
