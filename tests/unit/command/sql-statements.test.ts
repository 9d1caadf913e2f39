import { statements } from '@infra/shared/command/sql-statements'
import { describe, expect, test } from 'vitest'

const texts = (script: string) => statements(script).map(({ text }) => text)

describe('an SQL script is split at its semicolons', () => {
  test.each([
    ['SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2']],
    ['SELECT 1', ['SELECT 1']],
    ["SELECT 'a;b''c;'; SELECT 2", ["SELECT 'a;b''c;'", 'SELECT 2']],
    [String.raw`SELECT E'a\';b'; SELECT 2`, [String.raw`SELECT E'a\';b'`, 'SELECT 2']],
    ['SELECT "a;b"; SELECT 2', ['SELECT "a;b"', 'SELECT 2']],
    ['-- one; two\nSELECT 1; /* three; */ SELECT 2', ['SELECT 1', 'SELECT 2']],
    ['SELECT 1 -- a; b\n, 2; SELECT 3', ['SELECT 1 -- a; b\n, 2', 'SELECT 3']],
    ['DO $$ BEGIN a; b; END $$; SELECT 2', ['DO $$ BEGIN a; b; END $$', 'SELECT 2']],
    ['DO $x$ a; $$ b; $y$ c; $x$; SELECT 2', ['DO $x$ a; $$ b; $y$ c; $x$', 'SELECT 2']],
    ['SELECT price$1;\n', ['SELECT price$1']],
    ['', []],
  ])('%j', (script, desired) => {
    expect(texts(script).filter((text) => text !== '')).toEqual(desired)
  })

  test('and joined again it is the same', () => {
    const script = '-- a;\nSELECT 1;\n\n/* b; */ DO $$ c; $$;\n'
    expect(
      statements(script)
        .map(({ before, text }) => before + text)
        .join(';'),
    ).toBe(script)
  })
})
