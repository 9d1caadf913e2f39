import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Event } from '@infra/shared/engine/events'
import { jsonFormat, jsonReporter } from '@infra/shared/report/json'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { Memory } from '../../support/sink.ts'
import { calm, everything } from './plans.ts'

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../../docs/events.schema.json'), 'utf8'))

/** The same schema, which knows no other fields than those that it names. */
const strict = (part: unknown): unknown => {
  if (Array.isArray(part)) return part.map(strict)
  if (typeof part !== 'object' || part === null) return part
  const closed = Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, strict(inner)]))
  return 'properties' in closed && closed.type === 'object' ? { ...closed, additionalProperties: false } : closed
}

const compile = (of: object) => new Ajv2020({ formats: { 'date-time': /^\d{4}-\d\d-\d\dT[\d:.]+Z$/ } }).compile(of)
const isEvent = compile(schema)
const isKnown = compile({ ...(strict(schema) as object), $id: 'strict.json' })

const counts = { ok: 1, warn: 0, fail: 2, skipped: 0 }
const about = { id: 'a.b', about: 'x', detail: 'y' }

/** Events of every type, with all that they may hold and with the least. A new type without one does not compile. */
const samples: { readonly [T in Event['type']]: readonly Omit<Extract<Event, { type: T }>, 'type'>[] } = {
  'run.start': [
    { workspace: 'pod', command: 'plan', environment: undefined },
    { workspace: 'pod', command: 'plan', environment: 'staging', by: 'ana@laptop pid 1', commit: '0123456789ab' },
  ],
  'ask.start': [{ target: 'here', questions: 1 }],
  'ask.end': [{ target: 'here', questions: 1, ms: 1.5 }],
  plan: [
    { plan: everything, ms: 1 },
    { plan: calm, ms: 1 },
  ],
  cost: [
    {
      currency: 'USD',
      per: 'month',
      least: 1,
      date: '2026-11-24',
      items: [
        { what: 'SQS', least: 0, most: 5 },
        { what: 'a', least: 1 },
      ],
      total: '~$5',
    },
  ],
  'plan.moved': [{}],
  'lock.wait': [{ target: 'here', holder: 'ana' }],
  'lock.taken': [{ target: 'here' }],
  'lock.released': [{ target: 'here' }],
  'script.start': [{ script: 's' }],
  'script.end': [{ script: 's', ms: 1 }],
  'change.start': [
    { script: 's', step: 't', verb: 'create', say: 'x', risk: 'safe' },
    { script: 's', step: 't', verb: 'remove', say: 'x', risk: 'data', diff: { kind: 'secret', path: '/x' } },
    {
      script: 's',
      step: 't',
      verb: 'update',
      say: 'x',
      risk: 'rights',
      diff: { kind: 'text', path: '/x', before: '', after: 'y' },
    },
  ],
  'change.commands': [{ step: 't', commands: ['true'] }],
  'change.output': [{ step: 't', line: 'x' }],
  'change.end': [{ step: 't', say: 'x', outcome: 'reverted', ms: 1 }],
  applied: [{ planned: 2, made: 2, unneeded: ['x'], more: ['y'] }],
  'work.start': [{ say: 'x' }],
  'work.line': [{ line: 'x' }],
  'work.end': [{ say: 'x', outcome: 'done', ms: 1 }],
  check: [
    { ...about, outcome: 'ok', remedy: undefined, telling: true },
    { ...about, outcome: 'fail', severity: 'fail', remedy: 'mend it' },
  ],
  'check.summary': [{ counts, ms: 1 }],
  message: [{ level: 'warn', text: 'x' }],
  failure: [
    { kind: 'unreachable', message: 'x', remedy: undefined, detail: [] },
    { kind: 'error', message: 'x', remedy: 'y', detail: ['z'] },
  ],
  'run.end': [{ workspace: 'pod', command: 'deploy', exitCode: 0, made: 1, ms: 1 }],
  summary: [
    {
      command: 'plan',
      workspaces: [
        {
          workspace: 'pod',
          result: 'planned',
          exitCode: 0,
          changes: { create: 1, update: 0, remove: 0, unknown: 0, refused: 0, unchanged: 2 },
          risks: { restart: 1 },
          cost: '~$5',
          price: { currency: 'USD', per: 'month', least: 1, most: 5 },
          ms: 1,
        },
        { workspace: 'cluster', result: 'deployed', exitCode: 0, made: 1, checks: counts, ms: 1 },
        { workspace: 'stoat', result: 'skipped: cluster failed' },
      ],
      exitCode: 1,
      ms: 1,
    },
  ],
}

/** The lines of a run. */
function linesOf(events: readonly Event[]) {
  const out = new Memory()
  const reporter = jsonReporter(out.outlet)
  for (const event of events) reporter.emit(event)
  return out.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const all = Object.entries(samples).flatMap(([type, list]) => list.map((sample) => ({ type, ...sample }) as Event))

describe('docs/events.schema.json', () => {
  test('knows every line of --json, with all its fields', () => {
    for (const line of linesOf(all)) expect(isKnown(line) ? [] : isKnown.errors, JSON.stringify(line)).toEqual([])
  })

  test('describes every type of event and no other', () => {
    const described = schema.oneOf.map((one: { properties: { type: { const: string } } }) => one.properties.type.const)
    expect(described.sort()).toEqual(['version', ...Object.keys(samples)].sort())
  })

  test('is of this format, and refuses what lacks a field or has a wrong one', () => {
    const [version, start] = linesOf(all)
    expect(version.format).toBe(jsonFormat)
    expect([isEvent({ ...start, more: 1 }), isKnown({ ...start, more: 1 })]).toEqual([true, false])
    for (const wrong of [
      { ...start, type: 'other' },
      { ...start, command: 1 },
      { ...start, workspace: undefined },
      { ...version, format: 2 },
    ])
      expect(isEvent(JSON.parse(JSON.stringify(wrong)))).toBe(false)
  })
})
