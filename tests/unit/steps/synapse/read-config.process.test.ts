import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nothing, plainText, revealText } from '@infra/shared/command/command'
import type { Question } from '@infra/shared/engine/step'
import {
  type ChangedSetting,
  type ConfigFile,
  changedSettings,
  configFiles,
  settingNames,
  synapseConfig,
  synapseMark,
} from '@infra/shared/facts/synapse/config'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

const unset = { server_name: undefined, signing_key_path: undefined, media_store_path: undefined }
const file = (path: string, keys: readonly string[], more: Partial<ConfigFile> = {}): ConfigFile => ({
  path,
  keys,
  empty: [],
  values: unset,
  by: 'other',
  ...more,
})

type Files = Readonly<Record<string, string>>

/** What a question answers where these files are: homeserver.yaml, or a name in conf.d. `change`: of its command. */
function answered<T>(files: Files, { command, parse }: Question<T>, change = (line: string) => line): T {
  const folder = tempFolder()
  mkdirSync(join(folder, 'conf.d'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text.replaceAll('HERE', folder))
  const line = change(command.line.replaceAll('/etc/matrix-synapse', folder))
  const input = command.stdin ? revealText(command.stdin) : ''
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8', input })
  expect(stderr).toBe('')
  expect(stdout).not.toMatch(/hush/)
  return parse({ code: status ?? 1, stdout: stdout.replaceAll(`${folder}/`, ''), stderr })
}
const found = (files: Files, change?: (line: string) => string) => answered(files, configFiles, change)

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

  test.each<[string, string]>([
    [
      'a block',
      `server_name: pod.example.org\nsigning_key_path: /k\ndatabase:\n  name: psycopg2\n  args:\n    password: hush\n    host: db.internal\npassword_config:\n  pepper: hush\n`,
    ],
    [
      'JSON',
      `{"server_name":"pod.example.org","signing_key_path":"/k","database":{"name":"psycopg2","args":{"password":"hush","host":"db.internal"}},"password_config":{"pepper":"hush"}}\n`,
    ],
    [
      'flow style over several lines',
      `{server_name: pod.example.org, signing_key_path: /k,\ndatabase: {name: psycopg2,\n args: {password: hush,\nhost: db.internal}}, password_config: {pepper:\nhush}}\n`,
    ],
    [
      'anchors and merges',
      `server_name: &me pod.example.org\nsigning_key_path: /k\ndatabase:\n  name: psycopg2\n  args: &args {password: hush, host: db.internal}\npassword_config: {pepper: hush}\n`,
    ],
    [
      'quoted names',
      `"server_name": 'pod.example.org'\n'signing_key_path': "/k"\n"data\\x62ase": {"name": "psycopg2", "args": {"password": "hush", "ho\\u0073t": "db.internal"}}\n? password_config\n: pepper: hush\n`,
    ],
    [
      'tags, folded words and documents that begin and end',
      `%YAML 1.1\n--- !!map\n!!str server_name: >-\n  pod.example.org\nsigning_key_path: !!str /k\ndatabase: !!map\n  name: |-\n    psycopg2\n  args: {password: !!str hush, host: db.internal}\npassword_config: {pepper: hush}\n...\n`,
    ],
  ])('the same in whatever shape it is written: %s', (_, text) => {
    expect(found({ 'homeserver.yaml': text })).toEqual([
      file('homeserver.yaml', ['server_name', 'signing_key_path', 'database', 'password_config'], {
        values: { ...unset, server_name: 'pod.example.org', signing_key_path: '/k' },
        database: { name: 'psycopg2', host: 'db.internal' },
      }),
    ])
    // What a file of ours loses is told by these.
    const names = ['server_name', 'signing_key_path', 'database', 'password_config']
    expect(answered({ 'homeserver.yaml': text }, settingNames('homeserver.yaml'))).toEqual(names)
  })

  test.each<[string, string, string]>([
    ['no YAML', 'server_name: pod\npassword: [hush\n', 'not YAML (line 3)'],
    ['a list', '- hush\n', 'not a map of settings'],
    ['a tag that nobody knows', 'server_name: !vault hush\n', 'not YAML (line 1)'],
  ])('what cannot be read is not taken as not said: %s', (_, text, unread) => {
    const [said] = found({ 'homeserver.yaml': text })
    expect(said).toEqual(file('homeserver.yaml', [], { unread }))
  })

  test('where no program knows YAML only what is as plain as a word a line is read', () => {
    const without = (line: string) =>
      line.replaceAll('import yaml', 'raise ImportError').replaceAll('/opt/venvs', '/nowhere')
    const read = (text: string) => found({ 'conf.d/server_name.yaml': text }, without)[0]
    expect(read(`# of the package\n\nserver_name: 'pod.example.org' # said\n`)?.values.server_name).toBe(
      'pod.example.org',
    )
    for (const text of [
      '{"server_name":"pod"}',
      'server_name: pod\ndatabase:\n  name: x\n',
      'server_name: a b\n',
      'a: [\n',
      'a: no',
    ])
      expect(read(text)).toMatchObject({ keys: [], unread: 'no parser of YAML' })
    const noPython = (line: string) => line.replaceAll('command -v python3', 'command -v python-of-nobody')
    expect(found({ 'homeserver.yaml': 'server_name: pod\n' }, noPython)).toEqual([
      file(synapseConfig, [], { unread: 'no Python on the host' }),
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

describe('what another homeserver.yaml would change', () => {
  const desired = `server_name: pod.example.org
public_baseurl: https://pod.example.org/
max_upload_size: 50M
enable_registration: false
form_secret: hush
database: {name: psycopg2, args: {dbname: synapse}}
turn_shared_secret: hush
rc_message: {per_second: 10, burst_count: 50}
listeners:
  - port: 8008
    bind_addresses: ["127.0.0.1"]
    type: http
    tls: false
    resources:
      - names: [client, federation]
`
  const changed = (files: Files) => answered(files, changedSettings(plainText(desired)))

  test('nothing, where its settings have these values in other words', () => {
    expect(changed({})).toEqual([])
    expect(
      changed({
        'homeserver.yaml': `{"listeners": [{"port": 8008, "bind_addresses": ["127.0.0.1"], "resources": [{"names": ["client", "federation"], "compress": false}]}],
"rc_message": {"burst_count": 50, "per_second": 10}, "enable_registration": false, "turn_uris": ["turn:x"]}`,
      }),
    ).toEqual([])
  })

  test('each by its name, and by its values where none is secret; a later file wins', () => {
    const text = `public_baseurl: https://matrix.example.org/
max_upload_size: 3M
enable_registration: yes
form_secret: hush-hush
database: {name: psycopg2, args: {dbname: synapse, password: hush}}
turn_shared_secret: another hush
listeners:
  - {port: 8008, bind_addresses: ["::1", "127.0.0.1"], resources: [{names: [client]}]}
  - {port: 9000, type: metrics}
`
    const more = { 'conf.d/upload.yaml': 'max_upload_size: 200M\n', 'homeserver.yaml': text }
    const path = 'homeserver.yaml'
    expect(changed(more)).toEqual<ChangedSetting[]>([
      { name: 'public_baseurl', path, before: '"https://matrix.example.org/"', after: '"https://pod.example.org/"' },
      { name: 'max_upload_size', path: 'conf.d/upload.yaml', before: '"200M"', after: '"50M"' },
      { name: 'enable_registration', path, before: 'true', after: 'false' },
      { name: 'form_secret', path },
      { name: 'database', path },
      { name: 'turn_shared_secret', path },
      {
        name: 'listeners',
        path,
        before: '8008 on ::1, 127.0.0.1 (http client); 9000 on * (metrics)',
        after: '8008 on 127.0.0.1 (http client federation)',
      },
    ])
  })
})
