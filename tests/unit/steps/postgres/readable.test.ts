import { nothing, showText } from '@infra/shared/command/command'
import { type Unreadable, unreadable } from '@infra/shared/facts/postgres/unreadable'
import { postgresReadable } from '@infra/shared/steps/postgres/readable'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const step = postgresReadable(blank('new'), 'data', 'v')
const table: Unreadable = { kind: 'TABLE', schema: 'public', name: 'odd "Name"' }
const schema: Unreadable = { kind: 'SCHEMA', schema: 'closed', name: null }
const sequence: Unreadable = { kind: 'SEQUENCE', schema: 'closed', name: 's' }

describe('postgresReadable', () => {
  test.each<[readonly Unreadable[], string]>([
    [[], '= role v may read all'],
    [[table], '~ role v may read table public.odd "Name" of database data'],
    [[schema, sequence], '~ role v may read schema closed, sequence closed.s of database data'],
    [
      [schema, sequence, table, table, table],
      '~ role v may read schema closed, sequence closed.s, table public.odd "Name" and 2 more of database data',
    ],
  ])('%o', (closed, desired) => {
    expect(told(step.plan({ closed }, { pending: [] }))).toEqual([desired])
  })

  test('each is granted by its whole name, quoted', () => {
    const decision = step.plan({ closed: [table, schema] }, { pending: [] })
    const [change] = decision.kind === 'changes' ? decision.changes : []
    expect(change?.run.map(({ line }) => line.slice(line.indexOf(' -c ', line.indexOf(' -d '))))).toEqual([
      ` -c 'GRANT SELECT ON "public"."odd ""Name""" TO "v"'`,
      ` -c 'GRANT USAGE ON SCHEMA "closed" TO "v"'`,
    ])
  })

  test('is asked by the catalogs alone', () => {
    const { command, parse } = unreadable("it's", 'v')
    expect(command.stdin && showText(command.stdin)).toContain(`\\connect 'it''s'\n`)
    expect(parse(nothing)).toEqual([])
    expect(parse({ code: 0, stdout: '', stderr: '' })).toEqual([])
    expect(parse({ code: 0, stdout: JSON.stringify([table]), stderr: '' })).toEqual([table])
    expect(() => parse({ code: 2, stdout: '', stderr: 'psql: error: refused\n' })).toThrow('does not answer: refused')
  })
})
