import type { KubeObject } from '@infra/shared/command/kubectl'
import type { Step } from '@infra/shared/engine/step'
import { jobState, recipeKey } from '@infra/shared/facts/kubernetes/job'
import { completedJob } from '@infra/shared/steps/kubernetes/job'
import { blankKubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { describe, expect, it } from 'vitest'
import { told } from '../told.ts'
import { says } from './says.ts'

const on = blankKubernetes()
const decide = (step: Step, now: Record<string, unknown>) => told(step.plan(now as never, { pending: [] }))

describe('a Job', () => {
  const object = (image: string): KubeObject => ({
    ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j', namespace: 'n' } },
    spec: { template: { spec: { containers: [{ image }] } } },
  })
  const job = (image: string) =>
    completedJob(on, object(image), {
      ...{ script: 's', workspace: 'w', result: 'bucket b', keptIn: 'data-0', timeoutSeconds: 60 },
    })
  const made = (step: Step) => {
    const decision = step.plan({ job: null, volume: null } as never, { pending: [] })
    if (decision.kind !== 'changes') throw new Error('nothing is made')
    const text = decision.changes[0]?.run[0]?.stdin?.parts.join('') ?? ''
    return (JSON.parse(text).items[0].metadata.annotations as Record<string, string>)[recipeKey]
  }
  const recipe = made(job('mc:1'))
  const done = { recipe, result: 'succeeded', made: 100 }
  it.each<[what: string, now: object, lines: string[]]>([
    ['is made', { job: null, volume: 50 }, ['+ job j (bucket b)']],
    ['that succeeded stays', { job: done, volume: 50 }, ['= bucket b']],
    ['under way is waited for', { job: { ...done, result: 'under way' }, volume: 50 }, ['~ job j awaited']],
    ['that failed is made again', { job: { ...done, result: 'failed' }, volume: 50 }, ['~ job j again: it failed']],
    [
      'of another recipe is made again',
      { job: { ...done, recipe: 'x' }, volume: 50 },
      ['~ job j again: its recipe changed'],
    ],
    [
      'older than its volume is made again',
      { job: done, volume: 101 },
      ['~ job j again: its volume is a new one, and what the one before held is lost unless somebody copied it'],
    ],
    ['whose volume is not there yet stays', { job: done, volume: null }, ['= bucket b']],
  ])('%s', (_, now, lines) => {
    expect(decide(job('mc:1'), now as never)).toEqual(lines)
  })
  it('of another image has another recipe, and takes the old one away first', () => {
    const next = job('mc:2')
    expect(made(next)).not.toBe(recipe)
    const decision = next.plan({ job: done, volume: null } as never, { pending: [] })
    expect(decision).toMatchObject({
      changes: [{ run: [{ line: expect.stringMatching(/^kubectl delete job j -n n/) }, {}, {}] }],
    })
  })
  it('tells its state by its conditions', () => {
    const state = (type?: string) =>
      jobState('n', 'j').parse(
        says({
          metadata: { creationTimestamp: '2026-11-24T12:00:00Z', annotations: { [recipeKey]: 'r' } },
          status: type ? { conditions: [{ type, status: 'True' }] } : {},
        }),
      )
    expect([state(), state('Complete'), state('Failed')].map((one) => one?.result)).toEqual([
      ...['under way', 'succeeded', 'failed'],
    ])
  })
})
