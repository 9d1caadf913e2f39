import { text } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import type { Event } from '@infra/shared/engine/events'
import { jsonReporter } from '@infra/shared/report/json'
import { describe, expect, test } from 'vitest'
import { Memory } from '../../support/sink.ts'
import { everything } from './plans.ts'

/** What a reporter wrote for these events, parsed. */
function told(events: readonly Event[]) {
  const out = new Memory()
  const reporter = jsonReporter(out.outlet, () => new Date(0))
  for (const event of events) reporter.emit(event)
  expect(out.text.endsWith('\n')).toBe(true)
  return out.text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('NDJSON', () => {
  test('begins with the version; every line has level, message, timestamp and type', () => {
    const lines = told([
      { type: 'plan.moved' },
      { type: 'change.output', step: 's', line: 'a\nb "c" \u2028' },
      { type: 'run.end', workspace: 'pod', command: 'deploy', exitCode: 1, made: 1, ms: 1200 },
    ])
    expect(lines[0]).toEqual({
      level: 'info',
      message: 'infra events, format 1',
      timestamp: '1970-01-01T00:00:00.000Z',
      type: 'version',
      format: 1,
    })
    expect(lines).toHaveLength(4)
    for (const line of lines) {
      expect(line).toMatchObject({ timestamp: '1970-01-01T00:00:00.000Z', message: expect.any(String) })
      expect(['debug', 'info', 'warn', 'error']).toContain(line.level)
    }
    expect(lines.map(({ type }) => type)).toEqual(['version', 'plan.moved', 'change.output', 'run.end'])
    expect(lines[3]).toMatchObject({ exitCode: 1, made: 1, message: expect.stringContaining('1 change made') })
  })

  test('carries a plan as data', () => {
    const [, plan] = told([{ type: 'plan', plan: everything, ms: 5 }])
    expect(plan).toMatchObject({
      type: 'plan',
      ms: 5,
      counts: { create: 1, update: 4, remove: 1, unknown: 2, refused: 1, unchanged: 2 },
    })
    const steps = plan?.steps as Record<string, unknown>[]
    expect(steps.map(({ state }) => state)).toEqual([
      ...['changes', 'changes', 'changes', 'converged', 'changes', 'changes', 'changes', 'unknown', 'unknown'],
      ...['refused', 'converged'],
    ])
    expect(steps[1]).toMatchObject({
      script: 'base',
      step: 'file /etc/motd',
      target: 'root@203.0.113.10',
      changes: [{ verb: 'update', say: '/etc/motd', risk: 'safe', diff: { kind: 'text', path: '/etc/motd' } }],
    })
    expect(steps[4]).toMatchObject({ tentative: ['file /etc/motd'] })
    expect(JSON.stringify(plan)).not.toContain('"line"')
  })

  test('shows no secret: neither of our types, nor what came from outside', () => {
    const value = 'sentinel "quoted" json'
    const password = secret(value)
    const leaky = { type: 'message', level: 'info', text: 'x', more: { password, content: text`p=${password}` } }
    const lines = told([
      leaky as unknown as Event,
      { type: 'change.output', step: 's', line: `it is ${value}` },
      { type: 'failure', kind: 'error', message: value, remedy: value, detail: [encodeURIComponent(value)] },
    ])
    expect(JSON.stringify(lines)).not.toMatch(/sentinel/)
    expect(lines[1]).toMatchObject({ more: { password: '[secret]', content: 'p=[secret]' } })
    expect(lines[2]).toMatchObject({ line: 'it is [secret]' })
    expect(lines[3]).toMatchObject({ message: '[secret]', remedy: '[secret]', detail: ['[secret]'] })
  })
})
