import { readFileSync } from 'node:fs'
import { type Command, nothing, type Output, revealText } from '@infra/shared/command/command'
import { scramVerifier, verifies } from '@infra/shared/command/scram'
import { secret } from '@infra/shared/command/secret'
import type { Decision } from '@infra/shared/engine/step'
import {
  accessState,
  type DatabaseState,
  databaseState,
  extensions,
  type RoleState,
  roleState,
  serverState,
  settingState,
} from '@infra/shared/facts/postgres/postgres'
import {
  postgresClosed,
  postgresDatabase,
  postgresExtension,
  postgresRole,
  postgresSetting,
} from '@infra/shared/steps/postgres/postgres'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const on = blank('a new host')
const none = { pending: [] }
const recorded = (name: string): Output => ({
  code: 0,
  stdout: readFileSync(new URL(`../recorded/${name}.txt`, import.meta.url), 'utf8'),
  stderr: '',
})
const commands = (decision: Decision): readonly Command[] =>
  decision.kind === 'changes' ? decision.changes.flatMap(({ run }) => run) : []
const lines = (decision: Decision) => commands(decision).map(({ line }) => line.replace(/^.* -d /, ''))

describe('what a server answers', () => {
  const seventeen = recorded('postgres-17')

  test('PostgreSQL 17', () => {
    expect(serverState.parse(seventeen)).toEqual({ version: 17, identifier: '7710815936828936767' })
    const running = { running: 'localhost', configured: 'localhost', atStart: true }
    expect(settingState('listen_addresses').parse(seventeen)).toEqual(running)
    expect(databaseState('valence').parse(seventeen)).toEqual({
      owner: 'valence',
      encoding: 'UTF8',
      collate: 'C',
      ctype: 'C',
      provider: 'libc',
      open: false,
    })
    expect(databaseState('constructor').parse(seventeen)).toBeNull()
    expect(roleState('toString').parse(seventeen)).toBeNull()
    expect(accessState.parse(seventeen)).toMatchObject({
      file: '/etc/postgresql/17/main/pg_hba.conf',
      errors: [],
      unread: false,
    })
  })

  test('PostgreSQL 15, whose views have fewer columns', () => {
    const fifteen = recorded('postgres-15')
    expect(databaseState('postgres').parse(fifteen)?.provider).toBe('libc')
    expect(accessState.parse(fifteen)?.rules).toHaveLength(7)
    expect(accessState.parse(fifteen)?.rules[0]?.file).toBe('/etc/postgresql/15/main/pg_hba.conf')
  })

  test.each([
    '/etc/postgresql/17/main/../../../apt/apt.conf.d/99evil',
    '/etc/postgresql/17/main//etc/shadow',
    '/etc/postgresql/17/mainly/pg_hba.conf',
    '/etc/postgresql/15/main/pg_hba.conf',
    '/etc/postgresql/17/main/a\n/b',
    '/etc/apt/apt.conf.d/99evil',
    'pg_hba.conf',
    '',
  ])('root writes no file that the server tells of outside its own folders: %j', (path) => {
    const raw = JSON.parse(seventeen.stdout)
    const lying = { ...seventeen, stdout: JSON.stringify({ ...raw, access: { ...raw.access, file: path } }) }
    expect(() => accessState.parse(lying)).toThrow(/^PostgreSQL says that its hba_file is .*, which is outside/)
  })

  test('the stored password is a secret', () => {
    const role = roleState('valence').parse(seventeen)
    expect(JSON.stringify(role)).toBe('{"login":true,"superuser":false,"verifier":"[secret]"}')
  })

  const absent: readonly Output[] = [
    nothing,
    {
      code: 1,
      stdout: '',
      stderr: 'runuser: user postgres does not exist or the user entry does not contain all the required fields',
    },
    {
      code: 1,
      stdout: '',
      stderr:
        'Warning: No existing cluster is suitable as a default target. Please see man pg_wrapper(1) how to specify one.\nError: You must install at least one postgresql-client-<version> package',
    },
  ]
  test.each(absent)('not installed: %o', (answer) => {
    expect(serverState.parse(answer)).toBeNull()
    expect(roleState('valence').parse(answer)).toBeNull()
    expect(extensions('valence').parse(answer)).toEqual({})
  })

  test('a server that is down is not an answer', () => {
    const down = {
      code: 2,
      stdout: '',
      stderr:
        'psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: No such file or directory\n\tIs the server running locally and accepting connections on that socket?',
    }
    const words =
      'PostgreSQL does not answer: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: No such file or directory'
    expect(() => databaseState('valence').parse(down)).toThrow(words)
    expect(() => extensions('valence').parse(down)).toThrow(words)
  })

  test('what is not understood is not repeated: it may hold a password', () => {
    const answer = { code: 0, stdout: '{"verifier": SCRAM-SHA-256$4096:abc', stderr: '' }
    expect(() => roleState('valence').parse(answer)).toThrow(/^PostgreSQL gave an answer that is not understood$/)
  })

  test('extensions, and none of a database that is not there', () => {
    const installed = '{ "plpgsql" : "1.0", "vector" : "0.8.0" }\n'
    const desired = { plpgsql: '1.0', vector: '0.8.0' }
    expect(extensions('valence').parse({ code: 0, stdout: installed, stderr: '' })).toEqual(desired)
    expect(extensions('valence').parse({ code: 0, stdout: '', stderr: '' })).toEqual({})
  })
})

// What PostgreSQL 17 stored for this password.
const password = secret(`It's a \\ long-pass$word"1`)
const stored =
  'SCRAM-SHA-256$4096:r3P/nzOlAWwjnMufVTtUZA==$V2zl2C3Vf5UzgHj/YZjIx6v/lQd7wAO2CJEth/KFPiw=:+ewrdm4NQKEazWPuoXlZ17ljdnPoWpkfxh+264HmYao='

describe('SCRAM-SHA-256', () => {
  test.each([
    [stored, password, true],
    [stored, secret('another password'), false],
    [stored.slice(0, -1), password, false],
    ['md5b7c0b2dd5bbf7ecb1f4a5d1d5a6a1c4e', password, false],
    ['', password, false],
  ])('%s', (verifier, given, is) => {
    expect(verifies(secret(verifier), given)).toBe(is)
  })

  test('our verifier verifies, whatever its salt', () => {
    expect(verifies(scramVerifier(password, Buffer.from('0123456789abcdef')), password)).toBe(true)
  })
})

const server = { version: 17, identifier: '7710815936828936767' }

describe('a role without a password', () => {
  const role = postgresRole(on, 'synapse', {})
  const good = { login: true, superuser: false, verifier: undefined }
  test.each<[RoleState | null, string[]]>([
    [null, ['+ role synapse']],
    [good, ['= logs in by its account (peer)']],
    [{ ...good, verifier: secret('SCRAM-SHA-256$…') }, ['~ role synapse without a password']],
  ])('%o', (now, desired) => {
    const decision = role.plan({ now, server }, none)
    expect(told(decision)).toEqual(desired)
    for (const line of lines(decision)) expect(line).toMatch(/PASSWORD NULL/)
  })
})

describe('who connects to a database', () => {
  const kind = { encoding: 'UTF8', collate: 'C' }
  const desired = { ...kind, owner: 'valence', closed: true }
  const now: DatabaseState = { ...kind, owner: 'valence', ctype: 'C', provider: 'libc', open: true }
  const revoked = (name: string) => `postgres -c 'REVOKE CONNECT, TEMPORARY ON DATABASE "${name}" FROM PUBLIC'`
  test('its owner alone', () => {
    const plan = (state: DatabaseState | null) =>
      postgresDatabase(on, 'valence', desired).plan({ now: state, server }, none)
    expect(told(plan({ ...now, open: false }))).toEqual(['= UTF8, libc, collate C, ctype C, owner valence'])
    expect(told(plan(now))).toEqual(['~ database valence is not open to every role'])
    expect(lines(plan(now))).toEqual([revoked('valence')])
    expect(lines(plan(null)).at(-1)).toBe(revoked('valence'))
  })
  test("nobody but superusers, where it is PostgreSQL's own", () => {
    const plan = (state: DatabaseState | null) => postgresClosed(on, 'template1').plan({ now: state }, none)
    expect(told(plan({ ...now, open: false }))).toEqual(['= not open to every role'])
    expect(lines(plan(now))).toEqual([revoked('template1')])
    expect(told(plan(null))).toEqual(told(plan(now)))
  })
  test('everybody, where nothing is said of it', () => {
    const { closed: _, ...said } = desired
    expect(told(postgresDatabase(on, 'valence', said).plan({ now, server }, none))[0]).toMatch(/^= /)
  })
})

describe('role', () => {
  const server = { version: 17, identifier: '7710815936828936767' }
  const role = postgresRole(on, 'valence', { password })
  const good = { login: true, superuser: false, verifier: secret(stored) }
  test.each([
    [null, ['+ role valence']],
    [good, ['= logs in with its password (SCRAM-SHA-256)']],
    [{ ...good, verifier: undefined }, ['~ password of role valence']],
    [{ ...good, verifier: secret('md5b7c0b2dd5bbf7ecb1f4a5d1d5a6a1c4e') }, ['~ password of role valence']],
    [{ ...good, login: false, superuser: true }, ['~ role valence may log in', '~ role valence is not a superuser']],
  ])('%o', (now, desired) => {
    expect(told(role.plan({ now, server }, none))).toEqual(desired)
  })

  test('neither the password nor what is stored of it is on a command line; the password is not sent at all', () => {
    const [command] = commands(role.plan({ now: null, server }, none))
    expect(command?.line).not.toMatch(/SCRAM|PASSWORD/)
    const statement = revealText(command?.stdin ?? { parts: [] })
    expect(statement).toMatch(/^CREATE ROLE "valence" LOGIN PASSWORD 'SCRAM-SHA-256\$4096:[^']+';\n$/)
    expect(statement).not.toContain('long-pass')
  })

  test('the same facts give the same plan; another cluster gives another salt', () => {
    const sent = (identifier: string) => {
      const [command] = commands(role.plan({ now: null, server: { version: 17, identifier } }, none))
      return revealText(command?.stdin ?? { parts: [] })
    }
    expect(sent('1')).toBe(sent('1'))
    expect(sent('1')).not.toBe(sent('2'))
  })
})

describe('database', () => {
  const server = { version: 17, identifier: '1' }
  const database = postgresDatabase(on, 'valence', { owner: 'valence', encoding: 'UTF8', collate: 'C' })
  const good = { owner: 'valence', encoding: 'UTF8', collate: 'C', ctype: 'C', provider: 'libc' }
  const refused = (is: string) =>
    `! database valence is ${is}, not UTF8, libc, collate C, ctype C, and that cannot be changed in place`
  test.each([
    [null, ['+ database valence']],
    [good, ['= UTF8, libc, collate C, ctype C, owner valence']],
    [{ ...good, owner: 'postgres' }, ['~ owner of database valence postgres → valence']],
    [{ ...good, collate: 'C.UTF-8' }, [refused('UTF8, libc, collate C.UTF-8, ctype C')]],
    [{ ...good, encoding: 'SQL_ASCII' }, [refused('SQL_ASCII, libc, collate C, ctype C')]],
    [{ ...good, provider: 'icu' }, [refused('UTF8, icu, collate C, ctype C')]],
  ])('%o', (now, desired) => {
    expect(told(database.plan({ now, server }, none))).toEqual(desired)
  })

  test('is made from template0; its provider can be named from PostgreSQL 15', () => {
    const make = (version: number) => lines(database.plan({ now: null, server: { version, identifier: '1' } }, none))
    const old = `CREATE DATABASE "valence" OWNER "valence" TEMPLATE template0 ENCODING '\\''UTF8'\\'' LC_COLLATE '\\''C'\\'' LC_CTYPE '\\''C'\\''`
    expect(make(14)).toEqual([`postgres -c '${old}'`])
    expect(make(15)).toEqual([`postgres -c '${old} LOCALE_PROVIDER libc'`])
  })
})

describe('setting', () => {
  const server = { version: 17, identifier: '1' }
  const setting = postgresSetting(on, 'listen_addresses', 'localhost')
  const now = { running: 'localhost', configured: 'localhost', atStart: true }
  const [set, restart] = ['~ setting listen_addresses * → localhost', '~ postgresql@17-main restarted']
  test.each([
    [null, ['+ setting listen_addresses = localhost']],
    [now, ['= localhost']],
    [{ ...now, configured: '*' }, [set]],
    [{ ...now, configured: '*', running: '*' }, [set, restart]],
    // A run that died before the restart.
    [{ ...now, running: '*' }, [restart]],
    [{ ...now, running: '*', atStart: false }, ['~ PostgreSQL reloaded']],
  ])('%o', (now, desired) => {
    expect(told(setting.plan({ now, server: now && server }, none))).toEqual(desired)
  })
})

test.each([
  [{}, ['+ extension vector']],
  [{ plpgsql: '1.0', vector: '0.8.0' }, ['= installed 0.8.0']],
])('extension: %o', (installed, desired) => {
  expect(told(postgresExtension(on, 'valence', 'vector').plan({ installed }, none))).toEqual(desired)
})
