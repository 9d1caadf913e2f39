import { revealText, showText } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { ident, psql, sql } from '@infra/shared/command/sql'
import { describe, expect, test } from 'vitest'

describe('sql', () => {
  test.each([
    [sql`SELECT ${"it's"}`, `SELECT 'it''s'`],
    [sql`SELECT ${'a\\b'}`, `SELECT 'a\\b'`],
    [sql`SELECT ${5}`, 'SELECT 5'],
    [sql`ALTER ROLE ${ident('we"ird')}`, 'ALTER ROLE "we""ird"'],
    [sql`CREATE ${sql`DATABASE ${ident('x')}`}`, 'CREATE DATABASE "x"'],
  ])('%#', (statement, wish) => {
    expect(showText(statement)).toBe(wish)
  })

  test('a secret is quoted, and hidden', () => {
    const statement = sql`ALTER ROLE ${ident('x')} PASSWORD ${secret("o'hara's secret")}`
    expect(showText(statement)).toBe('ALTER ROLE "x" PASSWORD [secret]')
    expect(revealText(statement)).toBe(`ALTER ROLE "x" PASSWORD 'o''hara''s secret'`)
  })

  test.each([undefined, null, Number.NaN, {}, ['a'], Promise.resolve('x')])('rejects %o', (hole) => {
    expect(() => sql`SELECT ${hole as never}`).toThrow(/^sql: hole 1 is /)
  })

  test('rejects a NUL byte', () => {
    expect(() => sql`SELECT ${'a\0b'}`).toThrow('NUL')
  })
})

describe('psql', () => {
  const client = 'cd / && runuser -u postgres -- psql -X -q -A -t -v ON_ERROR_STOP=1 -d valence'

  test('a statement is an argument', () => {
    expect(psql('valence', sql`SELECT ${'x'}`)).toMatchObject({ line: `${client} -c 'SELECT '\\''x'\\'''` })
  })

  test('one that holds a secret goes by stdin', () => {
    const command = psql('valence', sql`SELECT ${secret('hush-hush')}`)
    expect(command.line).toBe(client)
    expect(command.stdin && revealText(command.stdin)).toBe(`SELECT 'hush-hush';\n`)
  })
})
