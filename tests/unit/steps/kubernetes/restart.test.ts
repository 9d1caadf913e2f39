import { podStates, restartedAt } from '@infra/shared/facts/kubernetes/pods'
import { restarted } from '@infra/shared/steps/kubernetes/restart'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, it } from 'vitest'
import { told } from '../told.ts'

const since = Date.parse('2026-11-24T12:00:00.700Z')
const made = restarted(blank('k'), {
  workspace: 'cluster',
  namespace: 'bot',
  workload: 'deployment/bot',
  since,
  seconds: 30,
  risk: 'restart',
})

describe('a restart', () => {
  it.each([
    [null, '! there is no deployment/bot'],
    [0, '~ restart deployment/bot'],
    [Date.parse('2026-11-24T11:59:59Z'), '~ restart deployment/bot'],
    // Kubernetes keeps whole seconds.
    [Date.parse('2026-11-24T12:00:00Z'), '= restarted'],
    [Date.parse('2026-11-24T13:00:00+01:00'), '= restarted'],
  ])('last at %s', (last, expected) => {
    expect(told(made.plan({ last }, { pending: [] }))).toEqual([expected])
  })

  it('is known by its annotation', () => {
    const parse = (stdout: string, code = 0) =>
      restartedAt('bot', 'deployment/bot').parse({ code, stdout, stderr: 'x' })
    expect(parse('at 2026-11-24T12:00:00Z')).toBe(Date.parse('2026-11-24T12:00:00Z'))
    expect([parse('at '), parse(''), parse('', 127)]).toEqual([0, null, null])
    expect(() => parse('', 1)).toThrow('x')
  })
})

it('of a pod what its worst container says is told', () => {
  const items = [
    {
      metadata: { name: 'a', labels: { app: 'bot' }, creationTimestamp: '2026-11-24T12:00:00Z' },
      spec: { containers: [{ image: 'x:1' }, { image: 'y:2' }] },
      status: {
        phase: 'Running',
        startTime: '2026-11-24T12:00:10Z',
        conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '2026-11-24T12:00:11Z' }],
        containerStatuses: [
          { restartCount: 2, imageID: 'x@sha256:1', state: { waiting: { reason: 'CrashLoopBackOff' } } },
          { restartCount: 1, imageID: 'y@sha256:2', state: {} },
        ],
      },
    },
    { metadata: { name: 'b', creationTimestamp: '2026-11-24T12:00:00Z', deletionTimestamp: 'x' }, status: {} },
  ]
  const [a, b] = podStates('bot').parse({ code: 0, stdout: JSON.stringify({ items }), stderr: '' })
  expect(a).toEqual({
    ...{ name: 'a', app: 'bot', state: 'CrashLoopBackOff', ready: false, lostReadiness: false, restarts: 3 },
    ...{ started: Date.parse('2026-11-24T12:00:10Z') / 1000, images: ['x@sha256:1', 'y@sha256:2'] },
    askedImages: ['x:1', 'y:2'],
  })
  const lost = structuredClone(items[0] as { status: { conditions: object[] } })
  lost.status.conditions = [{ type: 'Ready', status: 'False', lastTransitionTime: '2026-11-24T12:05:00Z' }]
  const [c] = podStates('bot').parse({ code: 0, stdout: JSON.stringify({ items: [lost] }), stderr: '' })
  expect(c?.lostReadiness).toBe(true)
  expect(b).toMatchObject({ state: 'Terminating', app: '', images: [] })
})
