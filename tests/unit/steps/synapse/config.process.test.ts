import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { nothing } from '@infra/shared/command/command'
import { type ConfigFile, configFiles, synapseConfig, synapseMark } from '@infra/shared/facts/synapse/config'
import { previousFolder } from '@infra/shared/steps/host/file'
import { synapseConfigAdopted, synapseDropInsApart } from '@infra/shared/steps/synapse/config'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'
import { told } from '../told.ts'

const on = blank('a new host')
const none = { pending: [] }
const unset = { server_name: undefined, signing_key_path: undefined, media_store_path: undefined }
const file = (path: string, keys: readonly string[], more: Partial<ConfigFile> = {}): ConfigFile => ({
  path,
  keys,
  empty: [],
  values: unset,
  by: 'other',
  ...more,
})

/** What the question finds where these files are: homeserver.yaml, or a name in conf.d. */
function found(files: Readonly<Record<string, string>>): readonly ConfigFile[] {
  const folder = tempFolder()
  mkdirSync(join(folder, 'conf.d'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text.replaceAll('HERE', folder))
  const line = configFiles.command.line.replaceAll('/etc/matrix-synapse', folder)
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(stdout).not.toMatch(/hush/)
  return configFiles.parse({ code: status ?? 1, stdout, stderr }).map((each) => ({
    ...each,
    path: each.path.slice(folder.length + 1),
  }))
}

describe('what Synapse is configured as', () => {
  test('none', () => {
    expect(found({})).toEqual([])
    expect(configFiles.parse(nothing)).toEqual([])
  })

  test('its files in their order, the names at the top of each, without what is secret', () => {
    const said = found({
      'conf.d/z.yaml': `'allowed_local_3pids' :\n  - medium: email\n"registrations_require_3pid": [ ]  # nobody\nemail: {}\n`,
      'conf.d/a.yaml': `---\nserver_name: 'pod.example.org'\n`,
      'homeserver.yaml': `# mine
server_name: "old.example.org"   # never change
form_secret: hush
"signing_key_path": '/etc/key'
media_store_path:
password_config:
  pepper: hush
`,
    })
    expect(said).toEqual([
      file(
        'homeserver.yaml',
        ['server_name', 'form_secret', 'signing_key_path', 'media_store_path', 'password_config'],
        {
          values: { server_name: 'old.example.org', signing_key_path: '/etc/key', media_store_path: undefined },
        },
      ),
      file('conf.d/a.yaml', ['server_name'], { values: { ...unset, server_name: 'pod.example.org' } }),
      file('conf.d/z.yaml', ['allowed_local_3pids', 'registrations_require_3pid', 'email'], {
        empty: ['registrations_require_3pid', 'email'],
      }),
    ])
  })

  test("Debian's empty name says nothing", () => {
    expect(found({ 'conf.d/server_name.yaml': "server_name: ''\n" })[0]?.values.server_name).toBeUndefined()
  })

  test.each<[string, string, object | undefined]>([
    [
      'a block',
      `database:
  # name: sqlite3
  name: "psycopg2"
  allow_unsafe_locale: true
  args:
    user: synapse   # not valence
    password: "hush, host: hush"
    'dbname': 'matrix'
    host: db.example.org

    port: 5433
retention:
  name: other
`,
      { name: 'psycopg2', user: 'synapse', dbname: 'matrix', host: 'db.example.org', port: '5433' },
    ],
    [
      'braces',
      `"database": {name: psycopg2, args: {user: synapse, password: "hu\\"sh, name: hush", "database": matrix}}\n`,
      { name: 'psycopg2', user: 'synapse', database: 'matrix' },
    ],
    [
      'braces below',
      `database:\n  { name: psycopg2,\n    args: { password: 'hush, user: hush', host: /run/postgresql } }\n`,
      { name: 'psycopg2', host: '/run/postgresql' },
    ],
    [
      'one string',
      'database:\n  name: psycopg2\n  args: {dsn: "postgres://synapse:hush@db.example.org/matrix"}\n',
      { name: 'psycopg2', dsn: 'yes' },
    ],
    ['nothing of it', 'server_name: pod.example.org\nname: psycopg2\n', undefined],
    [
      'a file that is not there',
      'database:\n  name: sqlite3\n  args:\n    database: HERE/homeserver.db\n',
      { name: 'sqlite3', database: expect.stringMatching(/homeserver\.db$/), users: 'none' },
    ],
    [
      'a file that is none of SQLite',
      'database: {name: sqlite3, args: {database: HERE/homeserver.yaml}}\n',
      { name: 'sqlite3', database: expect.stringMatching(/homeserver\.yaml$/), users: 'unknown' },
    ],
  ])('where its data are, by %s', (_, text, database) => {
    expect(found({ 'homeserver.yaml': text })[0]?.database).toEqual(database)
  })

  test.each([
    ['create table users (name text)', '0'],
    ['create table other (name text)', '0'],
    ["create table users as select 'x' as name union select 'y'", '2'],
  ])('how many users a file of SQLite holds: %s', (statement, users) => {
    const path = join(tempFolder(), 'a file.db')
    const make = 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])'
    expect(spawnSync('python3', ['-c', make, path, statement]).status).toBe(0)
    const text = `database:\n  name: sqlite3\n  args:\n    database: ${path}\n`
    expect(found({ 'homeserver.yaml': text })[0]?.database).toEqual({ name: 'sqlite3', database: path, users })
  })

  test('who wrote it', () => {
    const by = (text: string) => found({ 'homeserver.yaml': text })[0]?.by
    expect(by(`${synapseMark}: it overwrites edits.\nserver_name: x\n`)).toBe('deployment')
    expect(by(`server_name: x\n${synapseMark}\n`)).toBe('other')
  })
})

describe('synapseDropInsApart', () => {
  const { plan } = synapseDropInsApart(on, ['database', 'listeners'])
  const dropIn = (name: string, keys: string[]) => file(`/etc/matrix-synapse/conf.d/${name}.yaml`, keys)
  test.each<[string, ConfigFile[], string[]]>([
    ['none', [], ['= no setting is set twice']],
    ['homeserver.yaml itself', [file(synapseConfig, ['database'])], ['= no setting is set twice']],
    ['of other things', [dropIn('email', ['email'])], ['= no setting is set twice']],
    [
      'what the package writes',
      [dropIn('server_name', ['server_name']), dropIn('report_stats', ['database'])],
      ['= no setting is set twice'],
    ],
    [
      'the same',
      [dropIn('database', ['database'])],
      ['- /etc/matrix-synapse/conf.d/database.yaml, which sets database'],
    ],
    [
      'the same and more',
      [dropIn('mine', ['database', 'email'])],
      ['! /etc/matrix-synapse/conf.d/mine.yaml sets database over /etc/matrix-synapse/homeserver.yaml, and also email'],
    ],
  ])('%s', (_, files, desired) => {
    expect(told(plan({ files }, none))).toEqual(desired)
  })
})

describe('synapseConfigAdopted', () => {
  const kept = `${previousFolder}${synapseConfig}.before`
  const { plan } = synapseConfigAdopted(on, { said: ['database', 'listeners'], needless: ['pid_file', 'log_config'] })
  const config = (keys: string[], more: Partial<ConfigFile> = {}) => ({
    files: [file(synapseConfig, keys, more)],
    now: { sha256: 'aa' },
    copy: null,
  })
  test.each<[string, object, string[]]>([
    ['none', { files: [], now: null, copy: null }, ['= nobody else wrote it']],
    ['by the deployment', config(['turn_uris'], { by: 'deployment' }), ['= nobody else wrote it']],
    ['by the package', config(['log_config'], { by: 'package' }), ['= nobody else wrote it']],
    ['of what we say too', config(['database']), [`+ ${kept}, a copy of what somebody else wrote`]],
    [
      'of what may go',
      config(['database', 'pid_file', 'log_config']),
      [`+ ${kept}, a copy of what somebody else wrote; the new one does without pid_file, log_config`],
    ],
    [
      'of a name without a value',
      config(['email'], { empty: ['email'] }),
      [`+ ${kept}, a copy of what somebody else wrote`],
    ],
    ['kept already', { ...config(['database']), copy: { sha256: 'aa' } }, [`= kept in ${kept}`]],
    [
      'another one kept already',
      { ...config(['database']), copy: { sha256: 'bb' } },
      [`+ ${kept}, a copy of what somebody else wrote`],
    ],
    [
      'of what would be lost',
      config(['database', 'password_config', 'log_config', 'turn_uris']),
      [`! ${synapseConfig} is not by the deployment, and sets what would be lost: password_config, turn_uris`],
    ],
  ])('%s', (_, now, desired) => {
    expect(told(plan({ ...now }, none))).toEqual(desired)
  })

  test('the copy is of root alone, and one that was there before stays', () => {
    const folder = tempFolder()
    const [here, previous] = [join(folder, 'homeserver.yaml'), join(folder, 'previous')]
    const decision = plan(config(['database']), none)
    const line = decision.kind === 'changes' ? (decision.changes[0]?.run[0]?.line ?? '') : ''
    const script = line
      .replaceAll(previousFolder, previous)
      .replaceAll(` ${synapseConfig} `, ` ${here} `)
      .replaceAll('root:', `${userInfo().username}:`)
    for (const text of ['first', 'second']) {
      writeFileSync(here, text, { mode: 0o644 })
      expect(spawnSync('sh', ['-c', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
    }
    const copy = `${previous}${synapseConfig}.before`
    expect([readFileSync(copy, 'utf8'), readFileSync(`${copy}.~1~`, 'utf8')]).toEqual(['second', 'first'])
    expect(statSync(copy).mode & 0o777).toBe(0o600)
    expect(statSync(previous).mode & 0o777).toBe(0o700)
  })
})
