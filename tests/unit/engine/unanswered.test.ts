import type { Output } from '@infra/shared/command/command'
import { factOf } from '@infra/shared/engine/ask'
import { collect } from '@infra/shared/engine/declaration'
import type { Question, Step } from '@infra/shared/engine/step'
import { sampleEnv } from '@infra/shared/env/sample'
import { describe, expect, test } from 'vitest'
import cluster from '../../../cluster/cluster.ts'
import pod from '../../../pod/pod.ts'
import stoat from '../../../stoat/stoat.ts'

const place = { offline: true, folder: '/nonexistent' } as const
const declared: [workspace: string, steps: Step[]][] = [
  ['pod', stepsOf(collect(pod.scripts, pod.open({ env: sampleEnv(pod.schema), ...place }).context))],
  ['cluster', stepsOf(collect(cluster.scripts, cluster.open({ env: sampleEnv(cluster.schema), ...place }).context))],
  ['stoat', stepsOf(collect(stoat.scripts, stoat.open({ env: sampleEnv(stoat.schema), ...place }).context))],
]

function stepsOf(work: readonly { readonly steps: readonly Step[] }[]): Step[] {
  return work.flatMap(({ steps }) => steps)
}

// Killed for memory, by timeout(1) -k, by a closed pipe; out of time.
const ended: [how: string, output: Output][] = [
  ['killed', { code: 137, stdout: '', stderr: '' }],
  ['terminated', { code: 143, stdout: '', stderr: 'Terminated\n' }],
  ['cut off', { code: 141, stdout: '', stderr: '' }],
  ['out of time', { code: 124, stdout: '', stderr: 'no answer within 15 seconds\n' }],
]

describe.each(declared)('what nobody answered is neither there nor not there: %s', (_, steps) => {
  test.each(ended)('%s', (__, output) => {
    const questions = steps.flatMap((step) =>
      Object.entries(step.ask).map(([name, one]) => ({ step: step.id, name, one })),
    )
    expect(questions.length).toBeGreaterThan(20)
    const taken = questions.flatMap(({ step, name, one }) => (isTaken(one, output) ? [`${step}: ${name}`] : []))
    expect(taken).toEqual([])
  })
})

function isTaken(question: Question<unknown>, output: Output): boolean {
  try {
    factOf(question, output)
    return true
  } catch {
    return false
  }
}

test.each([
  [ended[0]?.[1], 'its program was killed by signal 9'],
  [ended[3]?.[1], 'no answer within 15 seconds'],
])('%j says so', (output, message) => {
  const question = { command: { line: 'true' }, parse: () => null }
  expect(() => factOf(question, output as Output)).toThrow(message)
})

test.each([0, 1, 2, 100, 126, 127, 128, 255])('exit code %i is for the question to judge', (code) => {
  expect(factOf({ command: { line: 'true' }, parse: ({ code }) => code }, { code, stdout: '', stderr: '' })).toBe(code)
})
