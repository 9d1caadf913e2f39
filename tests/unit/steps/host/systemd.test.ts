import { nothing } from '@infra/shared/command/command'
import { type UnitState, unitState } from '@infra/shared/facts/host/systemd'
import { service } from '@infra/shared/steps/host/systemd'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const sound: UnitState = { exists: true, active: 'active', enabled: 'enabled', since: 2000, outdated: false }

describe('a service', () => {
  const step = service(blank('a new host'), 'x.service', { reads: ['/etc/x'] })
  const rows: [string, Partial<UnitState>, { newest?: number; pending?: string[] }, string][] = [
    ['as desired', {}, {}, '= active, enabled'],
    ['older than its files', {}, { newest: 2000.001 }, '~ x.service restarted'],
    ['as old as its files', {}, { newest: 2000 }, '= active, enabled'],
    ['with files to come', {}, { pending: ['file'] }, '~ x.service restarted'],
    ['starting', { active: 'activating' }, {}, '+ x.service started'],
    // A start would join the one under way, whose process has read the old file.
    ['starting, older than its files', { active: 'activating' }, { newest: 3000 }, '~ x.service restarted'],
    ['starting, with files to come', { active: 'activating' }, { pending: ['file'] }, '~ x.service restarted'],
    ['reloading, older than its files', { active: 'reloading' }, { newest: 3000 }, '~ x.service restarted'],
    ['stopping, older than its files', { active: 'deactivating' }, { newest: 3000 }, '+ x.service started'],
    ['stopped', { active: 'inactive' }, { newest: 3000, pending: ['file'] }, '+ x.service started'],
    ['failed', { active: 'failed' }, { newest: 3000 }, '+ x.service started'],
    ['masked', { enabled: 'masked' }, { newest: 3000 }, '! x.service is masked'],
  ]
  test.each(rows)('%s', (_, unit, { newest = 1000, pending = [] }, desired) => {
    expect(told(step.plan({ unit: { ...sound, ...unit }, newest }, { pending }))).toEqual([desired])
  })
})

describe('the state of a unit', () => {
  const { command, parse } = unitState('x.service')

  test('since it began to start, which is before it read anything', () => {
    expect(command.line).toContain('InactiveExitTimestamp')
    const stdout =
      'LoadState=loaded\nActiveState=activating\nUnitFileState=enabled\nInactiveExitTimestamp=Tue 2026-11-24 12:00:00.123456 UTC\nNeedDaemonReload=no\n'
    const since = Date.parse('2026-11-24T12:00:00Z') + 123.456
    expect(parse({ code: 0, stdout, stderr: '' })).toEqual({ ...sound, active: 'activating', since })
  })

  test.each([nothing, { code: 0, stdout: 'ActiveState=inactive\nInactiveExitTimestamp=\n', stderr: '' }])(
    'of one that never started',
    (answer) => expect(parse(answer)).toMatchObject({ active: 'inactive', since: undefined }),
  )
})
