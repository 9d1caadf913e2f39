import { nothing } from '@infra/shared/command/command'
import type { DatabaseSetting } from '@infra/shared/facts/synapse/config'
import { databaseLocale, userServerNames } from '@infra/shared/facts/synapse/synapse'
import { synapseDatabase, synapseIdentity, synapseOrigin } from '@infra/shared/steps/synapse/synapse'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'
import { file, place } from './config-file.ts'

const on = blank('a new host')
const none = { pending: [] }
const answer = (stdout: string, code = 0, stderr = '') => ({ code, stdout, stderr })
const postgres = { name: 'psycopg2', user: 'valence', dbname: 'valence' }
const own = { name: 'psycopg2', user: 'synapse', dbname: 'synapse', host: '/var/run/postgresql' }

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
    ...place,
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
      ['! the database synapse is that of the Matrix server old.org, not pod.example.org'],
    ],
    [
      'another in the database that Valence has too',
      { files: [], serversBefore: ['old.org'] },
      ['! the database valence is that of the Matrix server old.org, not pod.example.org'],
    ],
    [
      'what Valence says of others in its database, once Synapse has its own',
      { files: [{ ...file({}), keys: ['database'], database: own }], serversBefore: ['old.org'] },
      ['= no other server here'],
    ],
    [
      'what cannot be read, which may be anybody',
      { files: [file({}), { ...file({}, dropIn), unread: 'not YAML (line 3)' }], servers: [] },
      [`! nobody knows what ${dropIn} says: not YAML (line 3)`],
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

  const sqlite = { name: 'sqlite3', database: '/var/lib/matrix-synapse/homeserver.db' }
  test.each<[string, DatabaseSetting | undefined, string?]>([
    ['ours', own],
    ['what is moved', { ...postgres, host: 'localhost' }],
    ['what is moved, by its socket', postgres],
    [
      'what is moved as the roles before us named it',
      { name: 'psycopg2', user: 'valence', database: 'valence', port: '5432' },
    ],
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
    ["Valence's role", { ...own, user: 'valence' }, 'the database synapse of the role valence'],
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
        ? `! /etc/matrix-synapse/homeserver.yaml says that Synapse keeps its data in ${place}, and it would be started on synapse without them`
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
