import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCall } from '@infra/shared/cli/options'
import { describe, expect, test } from 'vitest'
import pod from '../../../pod/commands/index.ts'
import { logLine } from '../../../pod/commands/logs.ts'
import type { Status } from '../../../pod/commands/status.ts'
import { machine } from '../../../pod/commands/status-facts.ts'
import { statusText } from '../../../pod/commands/status-text.ts'
import { errorLines, readSince, troubling } from '../../../pod/host/log-errors.ts'
import { sh } from '../../../shared/src/command/sh.ts'
import { age, size } from '../../../shared/src/report/amounts.ts'
import { tempFolder } from '../../support/temp.ts'

describe('what the commands are called with', () => {
  test.each([
    ['ssh', [], { args: [] }],
    ['ssh', ['ls', '-la', '--env', 'x', '--', 'y'], { args: ['ls', '-la', '--env', 'x', '--', 'y'] }],
    ['ssh', ['--env', 'staging', 'df', '-h'], { options: { env: 'staging' }, args: ['df', '-h'] }],
    ['ssh', ['-v', '--', '-odd'], { options: { verbose: true }, args: ['-odd'] }],
    ['logs', ['nginx', '-f', '-n', '5'], { workspaceOptions: { follow: true, lines: '5' }, args: ['nginx'] }],
    ['logs', ['nginx', '--since=-1h'], { workspaceOptions: { since: '-1h' } }],
    ['logs', ['nginx', '--since', '10 minutes ago'], { workspaceOptions: { since: '10 minutes ago' } }],
    ['psql', ['select', '1'], { args: ['select', '1'] }],
    [
      'backup',
      ['--to', '/x', '--lock-timeout', '9'],
      { workspaceOptions: { to: '/x' }, options: { 'lock-timeout': '9' } },
    ],
    [
      'restore',
      ['f', '--identity', 'k', '--confirm', 'd'],
      { workspaceOptions: { identity: 'k', confirm: 'd' }, args: ['f'] },
    ],
  ])('%s %j', (command, argv, call) => {
    expect(parseCall(command, argv, pod)).toMatchObject(call)
  })

  test.each([
    ['logs', [], /logs needs SERVICE/],
    ['restore', [], /restore needs FILE/],
    ['status', ['now'], /takes no argument/],
    ['ssh', ['--lines', '5', 'ls'], /ssh has no option --lines/],
  ])('%s %j is refused', (command, argv, message) => {
    expect(() => parseCall(command, argv, pod)).toThrow(message)
  })
})

describe('logs', () => {
  const desired = { service: 'vkb', follow: false, lines: '100', since: undefined, previous: false }
  test.each([
    [{}, 'exec journalctl -q --no-pager -o short-iso -n 100 -u vkb'],
    [{ service: 'matrix-synapse' }, 'exec journalctl -q --no-pager -o short-iso -n 100 -u matrix-synapse'],
    [{ follow: true, lines: '5' }, 'exec journalctl -q --no-pager -o short-iso -n 5 -f -u vkb'],
    [
      { service: 'postgresql', follow: true },
      "tail -q -n 100 -F /var/log/postgresql/*.log 2>/dev/null & exec journalctl -q --no-pager -o short-iso -n 100 -f -u postgresql -u 'postgresql@*'",
    ],
  ])('%j', (some, line) => {
    expect(logLine({ ...desired, ...some })).toBe(line)
  })

  /** Runs what would run on the host, with the log files in this folder, and without a journal. */
  function shown(folder: string, some: object): string {
    mkdirSync(join(folder, 'postgresql'), { recursive: true })
    return runHere(folder, logLine({ ...desired, ...some }))
  }
  function runHere(folder: string, script: string): string {
    const line = script.replaceAll('/var/log', folder).replaceAll(/journalctl/g, 'true')
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC' },
    })
    expect([status, stderr]).toEqual([0, ''])
    return stdout
  }
  const when = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString().slice(0, 19).replace('T', ' ')

  test.each([
    ['10 minutes ago', 5, true],
    ['10 minutes ago', 15, false],
    ['-1h', 30, true],
    ['-1h', 90, false],
    ['today', 60 * 24, false],
    ['yesterday', 60 * 24, true],
    ['yesterday', 60 * 48, false],
    ['2020-01-02 10:00', 5, true],
    ['last monday', 60 * 24 * 8, false],
  ])('since %s, a line of %i minutes ago in a log file is shown: %s', (since, minutes, isShown) => {
    const folder = tempFolder()
    mkdirSync(join(folder, 'postgresql'))
    const said = `${when(minutes)}.123 UTC [7] LOG:  here\n\tand on\n`
    writeFileSync(join(folder, 'postgresql/a.log'), said)
    expect(shown(folder, { service: 'postgresql', since })).toBe(isShown ? said : '')
  })

  test('all: the errors of the log files, in their order', () => {
    const folder = tempFolder()
    mkdirSync(join(folder, 'postgresql'))
    mkdirSync(join(folder, 'nginx'))
    const said = [1, 2, 3, 4].map(when) as [string, string, string, string]
    writeFileSync(
      join(folder, 'postgresql/a.log'),
      `${when(60 * 25)}.1 UTC [7] a@b ERROR:  of the day before yesterday
${said[3]}.123 UTC [7] a@b ERROR:  no such table
${said[3]}.123 UTC [7] a@b STATEMENT:  select 'ERROR'
${said[2]}.1 UTC [7] a@b FATAL:  terminating connection due to administrator command
${said[0]}.1 UTC [7] LOG:  ready
`,
    )
    writeFileSync(
      join(folder, 'nginx/error.log'),
      `${said[1].replaceAll('-', '/')} [error] 7#7: *1 connect() failed\n${said[0].replaceAll('-', '/')} [notice] 7#7: [error]s\n`,
    )
    expect(shown(folder, { service: 'all' }).trimEnd().split('\n')).toEqual([
      `${said[3].replace(' ', 'T')} postgresql: [7] a@b ERROR:  no such table`,
      `${said[1].replace(' ', 'T')} nginx: [error] 7#7: *1 connect() failed`,
    ])
    expect(shown(folder, { service: 'all', lines: '1' })).toMatch(/^\S+ nginx: .*\n$/)
  })

  test('verify sees trouble in them, but not that a first deploy asked before it had made a role', () => {
    const folder = tempFolder()
    for (const name of ['postgresql', 'nginx']) mkdirSync(join(folder, name))
    const at = when(3)
    const asked = ['role "valence"', 'database "valence"', 'role "synapse"']
    const trouble = ['password authentication failed for user "valence"', 'role "mallory" does not exist']
    const said = [...asked.map((what) => `${what} does not exist`), ...trouble]
    const lines = said.map((text) => `${at}.1 UTC [7] valence@valence FATAL:  ${text}\n`)
    writeFileSync(join(folder, 'postgresql/a.log'), lines.join(''))
    const script = sh`${readSince('60 minutes ago')}; ${errorLines(troubling, ['postgresql'])}`
    expect(runHere(folder, script.line).trimEnd().split('\n')).toEqual(
      trouble.map((text) => `${at.replace(' ', 'T')} postgresql: [7] valence@valence FATAL:  ${text}`),
    )
  })

  test.each([
    [{ service: 'sinapse' }, /Did you mean synapse/],
    [{ service: 'toString' }, /There are: /],
    [{ previous: true }, /--since 1h/],
  ])('%j is refused', (some, remedy) => {
    const call = () => logLine({ ...desired, ...some })
    expect(call).toThrow()
    try {
      call()
    } catch (error) {
      expect(error).toMatchObject({ kind: 'usage', remedy: expect.stringMatching(remedy) })
    }
  })
})

describe('status', () => {
  const now = Date.parse('2026-11-24T12:00:00Z')
  const status: Status = {
    host: 'root@203.0.113.10',
    domain: 'pod.example.com',
    services: [
      { unit: 'nginx.service', exists: true, active: 'active', enabled: 'disabled', since: now - 3_900_000 },
      { unit: 'vkb.service', exists: false, active: 'inactive', enabled: '', since: undefined },
      { unit: 'fail2ban.service', exists: true, active: 'failed', enabled: 'enabled', since: now - 1000 },
    ],
    problems: ['updates: apt is at work'],
    certificate: '2026-12-24T12:00:00.000Z',
    synapse: null,
    nginx: '1.26.3',
    reboot: true,
    lock: 'ana@laptop since 2026-11-24T11:00:00Z',
    backup: {
      newest: { name: 'a.tar.age', at: now - 90_000_000, bytes: 3_500_000 },
      result: 'exit-code',
      running: false,
      triggered: now,
    },
  }
  test('is told line by line; what is not known is left out', () => {
    expect(statusText(status, now).split('\n')).toEqual([
      'pod.example.com  root@203.0.113.10',
      '  nginx                 active for 1 h 5 m, not at boot',
      '  vkb                   not installed',
      '  fail2ban              failed',
      '  versions              PostgreSQL -, Synapse -, nginx 1.26.3, Valence -',
      '  certificate           until 2026-12-24, 30 days',
      '  reboot                required',
      '  backup                a.tar.age, 25 h 0 m ago, 3.3 MB; the last attempt failed (exit-code)',
      '  lock                  held by ana@laptop since 2026-11-24T11:00:00Z',
      '  ! updates: apt is at work',
    ])
  })

  test('the machine, by its own words', () => {
    const stdout = `disk 1000 120
MemTotal: 4000
MemAvailable: 1000
load 0.50 0.25 0.10 1/200 4242
processors 2
uptime 86400.00 1000.00
`
    expect(machine.parse({ code: 0, stdout, stderr: '' })).toEqual({
      disk: { size: 1_024_000, used: 122_880 },
      memory: { size: 4_096_000, available: 1_024_000 },
      load: [0.5, 0.25, 0.1],
      processors: 2,
      uptime: 86_400,
    })
    expect(machine.parse({ code: 127, stdout: '', stderr: '' })).toBeNull()
  })

  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KB'],
    [52_428_800, '50 MB'],
    [5e15, '4547 TB'],
  ])('%d bytes are %s', (bytes, text) => expect(size(bytes)).toBe(text))

  test.each([
    [-5, '0 s'],
    [40_000, '40 s'],
    [720_000, '12 m'],
    [11_100_000, '3 h 5 m'],
    [1_051_200_000, '12 d 4 h'],
  ])('%d ms are %s', (ms, text) => expect(age(ms)).toBe(text))
})
