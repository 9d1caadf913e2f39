import { gzipSync } from 'node:zlib'
import { columnsOf, lackingColumns } from '@infra/shared/facts/postgres/schema-columns'
import { schemaRefs } from '@infra/shared/facts/postgres/schema-refs'
import { schemaFits } from '@infra/shared/steps/postgres/schema-fits'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'

describe('the columns that a script gives its tables', () => {
  test.each<[string, Record<string, string[]>]>([
    ['CREATE TABLE IF NOT EXISTS Beliefs (ID uuid PRIMARY KEY, "Odd, (name" text);', { beliefs: ['id', 'Odd, (name'] }],
    [
      `CREATE TABLE public.a (
        -- an id, of course
        id int DEFAULT f(1, 2), status TEXT CHECK (status IN ('a, b', 'c')), /* x, y */ tags TEXT[] DEFAULT '{}',
        n NUMERIC(3,2), UNIQUE (id, n), PRIMARY KEY (id), CONSTRAINT ok CHECK (n > 0), FOREIGN KEY (id) REFERENCES b(id)
      ) WITH (fillfactor = 70);`,
      { a: ['id', 'status', 'tags', 'n'] },
    ],
    [
      'CREATE TABLE a (); CREATE VIEW v AS SELECT 1; CREATE FUNCTION f() RETURNS int AS $$ CREATE TABLE b (x int) $$;',
      { a: [] },
    ],
    ['CREATE TABLE other.a (x int); CREATE TABLE a AS SELECT 1;', {}],
  ])('%s', (script, desired) => {
    expect(columnsOf(script)).toEqual(desired)
  })

  test('those that a table which is there lacks, unless the scripts add them', () => {
    const script = 'CREATE TABLE IF NOT EXISTS a (id int, holder_id int); CREATE TABLE IF NOT EXISTS b (id int);'
    expect(lackingColumns([script], { a: ['id'] })).toEqual(['a.holder_id'])
    expect(lackingColumns([script], { a: ['id', 'holder_id', 'own'] })).toEqual([])
    expect(lackingColumns([script], {})).toEqual([])
    expect(lackingColumns([script, 'ALTER TABLE a ADD COLUMN IF NOT EXISTS holder_id int;'], { a: ['id'] })).toEqual([])
  })
})

describe('a ref whose schema the tables do not have', () => {
  const place = { database: 'valence', owner: 'v', folder: '/repo/sql', files: ['a.sql'] }
  const checkout = { user: 'v', url: 'http://git/x.git', ref: 'v2' }
  const step = schemaFits(blank('a new host'), 'vkb', { ...place, path: '/repo', checkout, variable: 'REF' })
  const one = 'CREATE TABLE IF NOT EXISTS a (id int);'
  const two = 'CREATE TABLE IF NOT EXISTS a (id int, holder_id int);'
  const file = (text: string) => `file ${gzipSync(text).toString('base64')}`
  const read = (...lines: string[]) =>
    schemaRefs('/repo', checkout, place).parse({ code: 0, stdout: `${lines.join('\n')}\n`, stderr: '' })
  const plan = (...lines: string[]) => step.plan({ now: read(...lines) }, { pending: [] })

  test('is refused, with the newest ref that fits', () => {
    const others = ['ref v2', file(two), 'ref v1', file(one), 'ref 0123', file(one)]
    expect(plan('columns {"a": ["id"]}', 'desired', file(two), ...others)).toEqual({
      kind: 'refused',
      reason: 'database valence has tables of another version than REF=v2: they lack a.holder_id',
      remedy: expect.stringMatching(/: REF=v1\. /),
    })
  })

  test('is refused, with the version that the tables are of before a newer one that would make more', () => {
    const more = `${one} CREATE TABLE IF NOT EXISTS b (id int); CREATE TABLE IF NOT EXISTS c (id int);`
    const read = [
      'columns {"a": ["id"], "of_synapse": ["x"]}',
      'desired',
      file(two),
      'ref v2',
      file(two),
      'ref v1',
      file(more),
    ]
    expect(plan(...read, 'ref 0123', file(one))).toMatchObject({
      remedy: expect.stringMatching(/^Deploy the version that the tables are of: REF=0123\. /),
    })
    expect(plan(...read)).toMatchObject({
      remedy: expect.stringMatching(
        /^Deploy the newest version that does without those columns: REF=v1, which makes 2 more tables\. /,
      ),
    })
  })

  test('is refused where none fits, with what is left to do', () => {
    expect(plan('columns {"a": ["id"]}', 'desired', file(two))).toMatchObject({
      remedy: expect.stringMatching(/backup/),
    })
  })

  test.each([
    ['fits', ['columns {"a": ["id", "holder_id"]}', 'desired', file(two)]],
    ['is checked out already, or there are no tables', []],
    ['cannot be read: the step that fetches it tells why', ['columns {"a": ["id"]}', 'unread']],
  ])('is not where it %s', (_why, lines) => {
    expect(plan(...lines).kind).toBe('converged')
  })
})
