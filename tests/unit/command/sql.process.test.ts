import { execFileSync } from 'node:child_process'
import { revealText, showText } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { askRole, ident, postgresFunctions, sql, superuserStatement } from '@infra/shared/command/sql'
import { describe, expect, test } from 'vitest'

describe('sql', () => {
  test.each([
    [sql`SELECT ${"it's"}`, `SELECT 'it''s'`],
    [sql`SELECT ${'a\\b'}`, `SELECT 'a\\b'`],
    [sql`SELECT ${5}`, 'SELECT 5'],
    [sql`ALTER ROLE ${ident('we"ird')}`, 'ALTER ROLE "we""ird"'],
    [sql`CREATE ${sql`DATABASE ${ident('x')}`}`, 'CREATE DATABASE "x"'],
  ])('%#', (statement, desired) => {
    expect(showText(statement)).toBe(desired)
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

describe('the superuser', () => {
  const client =
    "cd / && env 'PGOPTIONS=-c search_path=pg_catalog -c session_replication_role=replica -c standard_conforming_strings=on -c client_encoding=UTF8 -c client_min_messages=warning -c default_transaction_read_only=off' runuser -u postgres -- psql -X -q -A -t -v 'ON_ERROR_STOP=1' -d valence"

  test('a statement is an argument', () => {
    const { line } = superuserStatement('valence', sql`SELECT ${'x'}`)
    expect(line).toBe(`${client} -c 'SELECT '\\''x'\\'''`)
  })

  test('one that holds a secret goes by stdin', () => {
    const command = superuserStatement('valence', sql`SELECT ${secret('hush-hush')}`)
    expect(command.line).toBe(client)
    expect(command.stdin && revealText(command.stdin)).toBe(`SELECT 'hush-hush';\n`)
  })
})

describe('a role', () => {
  test('connects as the user of its name', () => {
    const { line, stdin } = askRole('valence', 'data', 'SELECT 1;')
    expect(line).toMatch(
      /^cd \/ && { timeout -k 2 15 env 'PGOPTIONS=-c search_path=public [^']+' runuser -u valence -- psql -X .* -d data \|\| /,
    )
    expect(stdin && revealText(stdin)).toBe('SELECT 1;')
  })
})

test('a role that another account is connects as that account', () => {
  expect(askRole('synapse', 'data', 'SELECT 1;').line).toMatch(
    / env 'PGOPTIONS=[^']+' env 'PGUSER=synapse' runuser -u matrix-synapse -- psql -X /,
  )
})

describe('the functions for programs of bash', () => {
  // What stands in for env, so that each word that it is given can be seen.
  const words = (line: string) => {
    const program = `env() { printf '%s|' "$@"; }\n${postgresFunctions.replaceAll('exec env', 'env')}${line}`
    return execFileSync('bash', ['-c', program], { encoding: 'utf8' }).split('|').slice(1, -1)
  }
  const psql = ['psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', 'data']
  test.each([
    ["superuser data -v 'name=a b'", ['runuser', '-u', 'postgres', '--', ...psql, '-v', 'name=a b']],
    ["as_role valence pg_dump 'a b'", ['runuser', '-u', 'valence', '--', 'pg_dump', 'a b']],
    ['as_role synapse pg_dump x', ['runuser', '-u', 'matrix-synapse', '--', 'pg_dump', 'x']],
    ['role_sql valence data', ['runuser', '-u', 'valence', '--', ...psql]],
  ])('%s', (line, desired) => {
    expect(words(line)).toEqual(desired)
  })
})
