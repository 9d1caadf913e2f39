import { objectsOf, reapplicable, transactionIn } from '@infra/shared/steps/postgres/schema-script'
import { describe, expect, test } from 'vitest'

const guard = (text: string) =>
  `DO $infra$ BEGIN ${text}; EXCEPTION WHEN duplicate_object OR duplicate_table THEN NULL; END $infra$`

describe('a script that can be applied again', () => {
  const add = 'ALTER TABLE a\n  ADD CONSTRAINT fk FOREIGN KEY (b) REFERENCES c(id)'
  test.each([
    [`${add};\n`, `${guard(add)};\n`],
    [`-- why;\n${add}; SELECT 1;`, `-- why;\n${guard(add)}; SELECT 1;`],
    // What follows the first would be lost, so that this one stays and PostgreSQL says what it thinks of it.
    ['ALTER TABLE a ADD CONSTRAINT b CHECK (c), ADD CONSTRAINT d CHECK (e);', undefined],
    ['ALTER TABLE a ADD COLUMN b int;', undefined],
    ['CREATE FUNCTION f() RETURNS void AS $$ ALTER TABLE a ADD CONSTRAINT b CHECK (c); $$ LANGUAGE sql;', undefined],
    ['SELECT 1', 'SELECT 1;\n'],
    ['SELECT 1; SELECT 2\n', 'SELECT 1; SELECT 2;\n'],
  ])('%j', (script, desired) => {
    expect(reapplicable(script)).toBe(desired ?? script)
  })

  test('no line moves', () => {
    const script = `SELECT 1;\n${add};\n\nSELECT 2;\n`
    expect(reapplicable(script).split('\n').indexOf('SELECT 2;')).toBe(script.split('\n').indexOf('SELECT 2;'))
  })
})

describe('what a script makes', () => {
  test.each([
    ['CREATE TABLE IF NOT EXISTS Beliefs (id int);', ['relation public.beliefs']],
    ['create table "Odd Name" (id int);', ['relation public."Odd Name"']],
    ['CREATE TABLE other.things (id int);', ['relation other.things']],
    ['CREATE UNIQUE INDEX IF NOT EXISTS one ON a(b) WHERE c;', ['relation public.one']],
    ['CREATE OR REPLACE VIEW v AS SELECT 1;', ['relation public.v']],
    ['CREATE OR REPLACE FUNCTION f(a int) RETURNS int AS $$ CREATE TABLE no (); $$;', ['function public.f']],
    ['ALTER TABLE a ADD CONSTRAINT fk CHECK (b);', ['constraint fk']],
    ['CREATE EXTENSION IF NOT EXISTS "vector"; DROP TRIGGER IF EXISTS t ON a; SELECT 1;', []],
    ['CREATE TABLE a (); CREATE TABLE IF NOT EXISTS a ();', ['relation public.a']],
  ])('%j', (script, desired) => {
    expect(objectsOf(script)).toEqual(desired)
  })
})

test.each([
  ['SELECT 1; COMMIT; SELECT 2;', 'COMMIT'],
  ['begin;', 'begin'],
  ['DO $$ BEGIN END $$; CREATE TABLE commits ();', undefined],
])('%j is a transaction of its own: %s', (script, found) => {
  expect(transactionIn(script)).toBe(found)
})
