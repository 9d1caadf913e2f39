import { nothing, plainText } from '@infra/shared/command/command'
import type { ConfigFile, DatabaseSetting } from '@infra/shared/facts/synapse/config'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { type Leftover, leftover, sharedTablesGone, synapseMoved } from '../../../pod/synapse/move.ts'
import { told } from '../steps/told.ts'

const on = blank('a new host')
const config = (database?: DatabaseSetting): ConfigFile[] => [
  {
    path: '/etc/matrix-synapse/homeserver.yaml',
    keys: database ? ['database'] : [],
    empty: [],
    values: { server_name: undefined, signing_key_path: undefined, media_store_path: undefined },
    ...(database && { database }),
    by: 'deployment',
  },
]
const shared = config({ name: 'psycopg2', user: 'valence', dbname: 'valence', host: 'localhost' })
const own = config({ name: 'psycopg2', user: 'synapse', dbname: 'synapse', host: '/var/run/postgresql' })
const none: Leftover = { tables: 0, short: null, ties: [], target: 'empty', recorded: false, copy: null }
const some: Leftover = { ...none, tables: 176 }
const copy = '/var/lib/infra/synapse-move/synapse.dump'

describe("Synapse's tables move", () => {
  const { plan } = synapseMoved(on, { content: plainText('x'), dependsOn: ['postgres.database synapse'] })
  const moved =
    "~ Synapse's 176 tables from database valence into database synapse, with a copy in /var/lib/infra/synapse-move"
  test.each<[string, ConfigFile[], Partial<Leftover>, string]>([
    ['a new pod', own, none, '= not in database valence'],
    ['an earlier pod', shared, some, moved],
    ['a pod without settings', config(), some, moved],
    ['no settings at all', [], some, moved],
    ['killed after the copy was made', shared, { ...some, target: 'filled', recorded: true }, moved],
    [
      'killed after the settings were written',
      own,
      { ...some, target: 'filled' },
      '= it keeps its data in database synapse',
    ],
    [
      'two servers, of which nobody knows one',
      shared,
      { ...some, target: 'filled' },
      "! /etc/matrix-synapse/homeserver.yaml names database valence, but database synapse holds tables too: which of them are Synapse's is not clear",
    ],
    [
      'something of others that stands on them',
      shared,
      { ...some, ties: ['a', 'b', 'c', 'd', 'e'] },
      "! Synapse's tables cannot leave database valence: a; b; c; and 2 more",
    ],
    [
      'no room',
      shared,
      { ...some, short: { needed: 3_000_000, free: 5_000_000 } },
      "! Synapse's tables in database valence have 3 MB, and to copy them there must be twice as much room: 5 MB are free",
    ],
    ['no database to move to', shared, { ...some, target: 'absent' }, '! there is no database synapse for Synapse yet'],
  ])('%s', (_, files, now, desired) => {
    expect(told(plan({ files, now }, { pending: [] }))).toEqual([desired])
  })

  test('into a database that is about to be made; it says downtime', () => {
    const decision = plan(
      { files: shared, now: { ...some, target: 'absent' } },
      { pending: ['postgres.database synapse'] },
    )
    expect(told(decision)).toEqual([moved])
    expect(decision.kind === 'changes' && decision.changes.map(({ risk }) => risk)).toEqual(['downtime'])
    expect(decision).toMatchObject({ notes: [expect.stringMatching(/access tokens.*docs\/runbook.md/)] })
  })
})

describe('what Synapse left behind', () => {
  const { plan } = sharedTablesGone(on, { dependsOn: ['synapse.database synapse'] })
  const gone = "- Synapse's 176 tables in database valence, which were copied into database synapse"
  test.each<[string, ConfigFile[], Partial<Leftover>, string[], string]>([
    ['nothing', own, none, [], '= none in database valence'],
    ['what is about to be moved', shared, some, ['synapse.database synapse'], gone],
    ['what it uses, when nothing else is done', shared, some, [], '= Synapse uses them'],
    ['what was copied', own, { ...some, recorded: true }, [], gone],
    ['what no deploy copied', own, some, [], '= not copied from there'],
  ])('%s', (_, files, now, pending, desired) => {
    const decision = plan({ files, now }, { pending })
    expect(told(decision)).toEqual([desired])
    if (decision.kind === 'changes') expect(decision.changes.map(({ risk }) => risk)).toEqual(['data'])
  })

  test('the copy that is kept is told, and so are tables that nobody copied', () => {
    const notes = (now: Leftover) => {
      const decision = plan({ files: own, now }, { pending: [] })
      return decision.kind === 'converged' ? decision.notes : undefined
    }
    expect(notes(none)).toBeUndefined()
    expect(notes({ ...none, copy })).toEqual([expect.stringContaining(`${copy}, for root alone`)])
    expect(notes(some)).toEqual([expect.stringContaining('176 tables of Synapse that no deploy has copied')])
  })
})

test('what is found: nothing without PostgreSQL; what cannot be read is not "nothing"', () => {
  expect(leftover.parse(nothing).tables).toBe(0)
  const failed = (stderr: string) => leftover.parse({ code: 1, stdout: '', stderr })
  expect(failed('runuser: user postgres does not exist or the user entry does not contain all fields').tables).toBe(0)
  expect(() => failed('connection to server failed')).toThrow(/^the tables of Synapse in database valence: connection/)
})
