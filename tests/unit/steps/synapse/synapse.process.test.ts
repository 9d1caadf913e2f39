import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { nothing } from '@infra/shared/command/command'
import type { ConfigFile, DatabaseSetting } from '@infra/shared/facts/synapse/config'
import { databaseLocale, signingKeys, userServerNames } from '@infra/shared/facts/synapse/synapse'
import { previousFolder } from '@infra/shared/steps/host/file'
import { synapseDatabase, synapseIdentity, synapseOrigin, synapseSigningKey } from '@infra/shared/steps/synapse/synapse'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'
import { told } from '../told.ts'

const on = blank('a new host')
const none = { pending: [] }
const valence = { database: 'valence', role: 'valence' }
const answer = (stdout: string, code = 0, stderr = '') => ({ code, stdout, stderr })
const unset = { server_name: undefined, signing_key_path: undefined, media_store_path: undefined }
const file = (values: Partial<ConfigFile['values']>, path = '/etc/matrix-synapse/homeserver.yaml'): ConfigFile => ({
  path,
  keys: Object.keys(values),
  empty: [],
  values: { ...unset, ...values },
  by: 'other',
})

describe('what the database says', () => {
  test('the servers of the users in the database', () => {
    const { parse } = userServerNames('valence', 'valence')
    expect(parse(answer('server pod.example.org\nserver a:8448\n'))).toEqual(['pod.example.org', 'a:8448'])
    expect(parse(answer(''))).toEqual([])
    expect(parse(answer('', 2, 'connection refused'))).toBeUndefined()
    expect(() => parse(answer('', 3, 'psql:<stdin>:3: ERROR:  permission denied for table users\n'))).toThrow(
      'the users of Synapse in database valence cannot be read as role valence: permission denied for table users',
    )
  })
})

describe('synapseIdentity', () => {
  const step = synapseIdentity(on, 'pod.example.org', {
    ...valence,
    media: '/var/lib/matrix-synapse/media',
  })
  const dropIn = '/etc/matrix-synapse/conf.d/server_name.yaml'
  test.each<[string, object, string[]]>([
    ['a bare host', { files: [], servers: undefined }, ['= no other server here']],
    [
      'itself',
      { files: [file({ server_name: 'pod.example.org' })], servers: ['pod.example.org'] },
      ['= as configured and in the database'],
    ],
    [
      'another by homeserver.yaml',
      { files: [file({ server_name: 'old.org' })], servers: [] },
      ['! /etc/matrix-synapse/homeserver.yaml says that this is the Matrix server old.org, not pod.example.org'],
    ],
    [
      'another by a drop-in, which wins',
      { files: [file({ server_name: 'pod.example.org' }), file({ server_name: 'old.org' }, dropIn)], servers: [] },
      [`! ${dropIn} says that this is the Matrix server old.org, not pod.example.org`],
    ],
    [
      'another in the database alone',
      { files: [], servers: ['old.org'] },
      ['! the database valence is that of the Matrix server old.org, not pod.example.org'],
    ],
    [
      'media elsewhere',
      { files: [file({ media_store_path: '/srv/media' })], servers: [] },
      ['! Synapse keeps its media in /srv/media, not in /var/lib/matrix-synapse/media'],
    ],
    [
      'media by a link',
      { files: [], servers: [], link: '/mnt/volume/media' },
      [
        '! /var/lib/matrix-synapse/media is a link to /mnt/volume/media: Synapse may write below its own folder only, and could save no media there',
      ],
    ],
    [
      'media where they belong',
      { files: [file({ media_store_path: '/var/lib/matrix-synapse/media/' })], servers: [] },
      ['= no other server here'],
    ],
  ])('%s', (_, now, desired) => {
    expect(told(step.plan({ ...now }, none))).toEqual(desired)
  })

  const postgres = { name: 'psycopg2', user: 'valence', dbname: 'valence' }
  const sqlite = { name: 'sqlite3', database: '/var/lib/matrix-synapse/homeserver.db' }
  test.each<[string, DatabaseSetting | undefined, string?]>([
    ['ours', { ...postgres, host: 'localhost' }],
    ['ours by its socket', postgres],
    ['ours as the roles before us named it', { name: 'psycopg2', user: 'valence', database: 'valence', port: '5432' }],
    ["the package's, which holds nobody", { ...sqlite, users: '0' }],
    ["the package's, which was never made", { ...sqlite, users: 'none' }],
    ['SQLite', { ...sqlite, users: '3' }, 'the SQLite file /var/lib/matrix-synapse/homeserver.db (users: 3)'],
    [
      'SQLite that cannot be read',
      { ...sqlite, users: 'unknown' },
      'the SQLite file /var/lib/matrix-synapse/homeserver.db (users: unknown)',
    ],
    ['another database', { ...postgres, dbname: 'synapse' }, 'the database synapse of the role valence'],
    ['another role', { ...postgres, user: 'synapse' }, 'the database valence of the role synapse'],
    [
      'another host',
      { ...postgres, host: 'db.example.org' },
      'the database valence of the role valence on db.example.org',
    ],
    ['another cluster', { ...postgres, port: '5433' }, 'the database valence of the role valence at port 5433'],
    ['by what is taken for granted', { name: 'psycopg2' }, 'the database matrix-synapse of the role matrix-synapse'],
    ['by one string', { name: 'psycopg2', dsn: 'yes' }, 'a database that it names in a way of its own'],
    ['unread', undefined, 'a database that it names in a way of its own'],
  ])('its data: %s', (_, database, place) => {
    const named = { ...file({ server_name: 'pod.example.org' }), ...(database && { database }) }
    const files = [{ ...named, keys: [...named.keys, 'database'] }]
    expect(told(step.plan({ files, servers: [] }, none))).toEqual([
      place
        ? `! /etc/matrix-synapse/homeserver.yaml says that Synapse keeps its data in ${place}, and it would be started on valence without them`
        : '= as configured',
    ])
  })

  test('its data: the drop-in that names them wins', () => {
    const first = { ...file({}), keys: ['database'], database: { ...sqlite, users: '3' } }
    const second = { ...file({}, dropIn), keys: ['database'], database: postgres }
    expect(told(step.plan({ files: [first, second], servers: [] }, none))).toEqual(['= no other server here'])
    expect(told(step.plan({ files: [second, first], servers: [] }, none))[0]).toMatch(/^! .*SQLite/)
  })

  test('its data: several databases', () => {
    const files = [{ ...file({}), keys: ['databases'] }]
    expect(told(step.plan({ files, servers: [] }, none))[0]).toMatch(/keeps its data in several databases/)
  })
})

describe('synapseOrigin', () => {
  const unit = 'matrix-synapse.service'
  const ours = { type: 'file' }
  test.each<['apt' | 'pip', object, string[]]>([
    ['pip', { packages: {}, file: null }, ['= pip']],
    ['pip', { packages: {}, file: ours }, ['= pip']],
    ['apt', { packages: {}, file: null }, ['= apt']],
    ['apt', { packages: { 'matrix-synapse-py3': '1.2' }, file: null }, ['= apt']],
    [
      'pip',
      { packages: { 'matrix-synapse-py3': '1.2' }, file: null },
      ['! Synapse is there by its Debian package matrix-synapse-py3, and pip would write into its folder'],
    ],
    [
      'apt',
      { packages: {}, file: ours },
      [`! Synapse is there by pip (/etc/systemd/system/${unit}), and the Debian package would write into its folder`],
    ],
  ])('%s %o', (way, now, desired) => {
    expect(told(synapseOrigin(on, way, { unit }).plan({ ...now }, none))).toEqual(desired)
  })
})

describe('synapseDatabase', () => {
  const { plan } = synapseDatabase(on, 'valence')
  test.each([
    [{ encoding: 'UTF8', locale: 'libc, collate C, ctype C' }, ['= UTF8, libc, collate C, ctype C']],
    [
      { encoding: 'UTF8', locale: 'libc, collate en_US.UTF-8, ctype en_US.UTF-8' },
      [
        '! database valence is UTF8, libc, collate en_US.UTF-8, ctype en_US.UTF-8: Synapse wants UTF8, libc, collate C, ctype C',
      ],
    ],
  ])('%o', (now, desired) => {
    expect(told(plan({ now }, none))).toEqual(desired)
  })

  test('nothing is said of a database that is not there', () => {
    const { parse } = databaseLocale('valence')
    expect(() => parse(nothing)).toThrow('there is no database valence yet')
    expect(() => parse(answer('{"databases": {}}'))).toThrow('there is no database valence yet')
  })
})

describe('synapseSigningKey', () => {
  const path = '/etc/matrix-synapse/homeserver.signing.key'
  const old = '/etc/matrix-synapse/pod.example.org.signing.key'
  const { plan } = synapseSigningKey(on, path, { ...valence, user: 'synapse', venv: '/opt/v' })
  const key = { mode: '0640', owner: 'root', group: 'synapse', sound: true, sha256: 'aa' }
  const base = { files: [], keys: { [path]: key }, servers: ['pod.example.org'] }
  const names = (signing_key_path: string) => ({ files: [file({ signing_key_path })] })
  const exchange = [
    `~ ${path} from ${old}, which this server signs with; the other key kept in ${previousFolder}${path}`,
  ]
  test.each<[string, object, string[]]>([
    ['as desired', {}, ['= 0640 root:synapse']],
    ['named where it is', names(path), ['= 0640 root:synapse']],
    ['of a new server', { keys: {}, servers: [] }, [`+ signing key ${path}`]],
    ['of a bare host', { keys: {}, servers: undefined }, [`+ signing key ${path}`]],
    ['of a server that never ran', { ...names(old), keys: {}, servers: [] }, [`+ signing key ${path}`]],
    [
      'open to all',
      { keys: { [path]: { ...key, mode: '0644' } } },
      [`~ ${path} 0644 root:synapse → 0640 root:synapse`],
    ],
    ['elsewhere', { ...names(old), keys: { [old]: key } }, [`+ ${path} from ${old}`]],
    ['elsewhere, and here too', { ...names(old), keys: { [old]: key, [path]: key } }, ['= 0640 root:synapse']],
    [
      'elsewhere, another one here',
      { ...names(old), keys: { [old]: key, [path]: { ...key, sha256: 'bb' } } },
      exchange,
    ],
    [
      'elsewhere and open to all, another one here',
      { ...names(old), keys: { [old]: { ...key, mode: '0644' }, [path]: { ...key, sha256: 'bb' } } },
      [...exchange, `~ ${old} 0644 root:synapse → 0640 root:synapse`],
    ],
    [
      'elsewhere, something else here',
      { ...names(old), keys: { [old]: key, [path]: { ...key, sound: false, sha256: 'bb' } } },
      exchange,
    ],
    [
      'elsewhere, another one here, nobody to tell of users',
      { ...names(old), keys: { [old]: key, [path]: { ...key, sha256: 'bb' } }, servers: undefined },
      exchange,
    ],
    [
      'emptied elsewhere',
      { ...names(old), keys: { [old]: { ...key, sound: false }, [path]: key } },
      [`! ${old} is not a signing key`],
    ],
    [
      'lost',
      { keys: {} },
      [`! the signing key ${path} is gone, but the database valence holds the server that it is of`],
    ],
    [
      'lost elsewhere',
      { ...names(old), keys: {} },
      [`! the signing key ${old} is gone, but the database valence holds the server that it is of`],
    ],
    [
      'lost elsewhere, another one here',
      names(old),
      [`! the signing key ${old} is gone, but the database valence holds the server that it is of`],
    ],
    ['of a server that never ran, another one here', { ...names(old), servers: [] }, ['= 0640 root:synapse']],
    [
      'written into the configuration',
      { files: [{ ...file({}), keys: ['signing_key'] }] },
      ['! /etc/matrix-synapse/homeserver.yaml holds the signing key itself (signing_key), and would lose it'],
    ],
    ['emptied', { keys: { [path]: { ...key, sound: false } } }, [`! ${path} is not a signing key`]],
  ])('%s', (_, now, desired) => {
    expect(told(plan({ ...base, ...now }, none))).toEqual(desired)
  })

  test('the one in use takes the place of another, which is kept; so is one that was kept before', () => {
    const folder = tempFolder()
    const [here, there] = [join(folder, 'homeserver.signing.key'), join(folder, 'pod.signing.key')]
    const user = userInfo().username
    const { plan } = synapseSigningKey(on, here, { ...valence, user, venv: '/opt/v' })
    const now = { ...names(there), keys: { [there]: key, [here]: { ...key, sha256: 'bb' } }, servers: [] }
    const decision = plan(now, none)
    const line = decision.kind === 'changes' ? (decision.changes[0]?.run[0]?.line ?? '') : ''
    const previous = join(folder, 'previous')
    for (const stray of ['stray', 'another']) {
      writeFileSync(here, stray)
      writeFileSync(there, 'ed25519 a_used key')
      const script = line.replaceAll(previousFolder, previous).replaceAll(`root:${user}`, user)
      expect(spawnSync('sh', ['-c', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
      expect(readFileSync(here, 'utf8')).toBe('ed25519 a_used key')
      expect(statSync(here).mode & 0o777).toBe(0o640)
      expect(readFileSync(previous + here, 'utf8')).toBe(stray)
    }
    expect(readFileSync(`${previous}${here}.~1~`, 'utf8')).toBe('stray')
    expect(readdirSync(folder).sort()).toEqual(['homeserver.signing.key', 'pod.signing.key', 'previous'])
  })

  test('what is found of it', () => {
    const { parse } = signingKeys(path)
    expect(parse(answer(`${path}|640|root|synapse\nsound\naa  -\n`))).toEqual({ [path]: key })
    expect(parse(answer(`${path}|640|root|synapse\nsound\naa  -\n${old}|644|root|root\nbroken\nbb  -\n`))).toEqual({
      [path]: key,
      [old]: { mode: '0644', owner: 'root', group: 'root', sound: false, sha256: 'bb' },
    })
    expect(parse(answer(''))).toEqual({})
    expect(parse(nothing)).toEqual({})
  })

  test.each(['/k/a.key', '"/k/a.key"', "'/k/a.key'  # never change"])('it is found where %s says', (said) => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'homeserver.yaml'), `signing_key_path: ${said.replace('/k', folder)}\n`)
    writeFileSync(join(folder, 'a.key'), `ed25519 a_x ${'A'.repeat(43)}\n`)
    const question = signingKeys(path)
    const script = question.command.line.replaceAll('/etc/matrix-synapse', folder)
    const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const found = question.parse({ code: status ?? 1, stdout, stderr })
    expect(found).toMatchObject({ [join(folder, 'a.key')]: { sound: true } })
  })
})
