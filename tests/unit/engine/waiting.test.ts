import { runChecks } from '@infra/shared/engine/check'
import type { Event } from '@infra/shared/engine/events'
import { makePlan } from '@infra/shared/engine/plan'
import { converged, step } from '@infra/shared/engine/step'
import { blank } from '@infra/shared/targets/blank'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const texts = (events: readonly Event[]) => events.flatMap((event) => (event.type === 'message' ? [event.text] : []))

test('a target that does not answer is told every ten seconds, and no more once it did', async () => {
  let answer: (outputs: []) => void = () => {}
  const on = {
    ...blank('aws'),
    ask: () =>
      new Promise<[]>((resolve) => {
        answer = resolve
      }),
  }
  const events: Event[] = []
  const steps = [step({ id: 'x', on, ask: {}, plan: () => converged('') })]
  const plan = makePlan([{ script: 's', steps }], (event) => void events.push(event))
  await vi.advanceTimersByTimeAsync(9_000)
  expect(texts(events)).toEqual([])
  await vi.advanceTimersByTimeAsync(12_000)
  const told = ['waiting for aws to answer: 10 s', 'waiting for aws to answer: 20 s']
  expect(texts(events)).toEqual(told)
  answer([])
  await plan
  await vi.advanceTimersByTimeAsync(60_000)
  expect(texts(events)).toEqual(told)
})

test('a check that takes its time is named', async () => {
  const events: Event[] = []
  const finding = { outcome: 'ok', detail: '' } as const
  let answer: (found: typeof finding) => void = () => {}
  const probe = () =>
    new Promise<typeof finding>((resolve) => {
      answer = resolve
    })
  const checks = runChecks([{ id: 'sqs.message', about: '', remedy: '', probe }], (event) => void events.push(event))
  await vi.advanceTimersByTimeAsync(15_000)
  answer(finding)
  await checks
  expect(texts(events)).toEqual(['waiting for sqs.message: 10 s'])
})
