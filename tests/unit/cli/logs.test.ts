import { helpText } from '@infra/shared/cli/help'
import { logRange } from '@infra/shared/cli/log-options'
import { parseCall } from '@infra/shared/cli/options'
import { sinceOf } from '@infra/shared/cli/since'
import { kubectlFlags } from '@infra/shared/platform/commands/logs'
import { describe, expect, it, test } from 'vitest'
import cluster from '../../../cluster/commands/index.ts'
import pod from '../../../pod/commands/index.ts'
import stoat from '../../../stoat/commands/index.ts'

const entries = [pod, cluster, stoat].map((entry) => ({ name: entry.name, entry }))

describe.each(entries)('logs of $name', ({ entry }) => {
  it('takes the same flags as the others', () => {
    const { workspaceOptions, args } = parseCall(
      'logs',
      ['web', '-f', '-n', '5', '--since', '10 minutes ago', '--previous'],
      entry,
    )
    expect([workspaceOptions, args]).toEqual([
      { follow: true, lines: '5', since: '10 minutes ago', previous: true },
      ['web'],
    ])
    const optionLines = (one: typeof entry) =>
      helpText('logs', one)
        .split('\n')
        .filter((line) => /^ +-/.test(line))
    expect(optionLines(entry)).toEqual(optionLines(pod))
  })

  it('says what --tail is called here', () => {
    expect(() => parseCall('logs', ['web', '--tail', '5'], entry)).toThrow(
      expect.objectContaining({ message: 'unknown option --tail', remedy: 'Did you mean --lines?' }),
    )
  })
})

describe('--since', () => {
  const now = new Date(2026, 10, 24, 15, 30, 10).getTime()
  const local = (...parts: [number, number, number, number?, number?, number?]) => new Date(...parts).getTime()
  test.each<[string, number]>([
    ['10 minutes ago', now - 600_000],
    ['1 hour 5 min ago', now - 3_900_000],
    ['-1h', now - 3_600_000],
    ['-2 days', now - 172_800_000],
    ['1h', now - 3_600_000],
    ['1h30m', now - 5_400_000],
    ['90s', now - 90_000],
    ['1w', now - 604_800_000],
    ['now', now],
    ['today', local(2026, 10, 24)],
    ['yesterday', local(2026, 10, 23)],
    ['09:05', local(2026, 10, 24, 9, 5)],
    ['2026-11-20', local(2026, 10, 20)],
    ['2026-11-20 10:00', local(2026, 10, 20, 10)],
    ['2026-11-20T10:00:05', local(2026, 10, 20, 10, 0, 5)],
    ['2026-11-20 10:00:05 UTC', Date.UTC(2026, 10, 20, 10, 0, 5)],
    ['2026-11-20T10:00:05.5Z', Date.UTC(2026, 10, 20, 10, 0, 5, 500)],
    ['2026-11-20T10:00+01:00', Date.UTC(2026, 10, 20, 9)],
  ])('%s', (text, at) => {
    expect(sinceOf(text).at(now)).toBe(at)
  })

  test.each(['', 'last monday', '1 hour', '10 parsecs ago', '2026-13-01', '2026-11-20 25:00', 'toString'])(
    '%j is refused where no host can be asked',
    (text) => {
      expect(() => sinceOf(text).at(now)).toThrow(
        expect.objectContaining({ kind: 'usage', remedy: expect.stringContaining('"10 minutes ago"') }),
      )
    },
  )

  test.each([
    ['1h', '-1h'],
    ['1h30m', '-1h30m'],
    ['-1h', '-1h'],
    ['last monday', 'last monday'],
  ])('a host is told %s as %s', (given, text) => {
    expect(sinceOf(given).text).toBe(text)
  })
})

test.each<[Parameters<typeof logRange>[0], string[]]>([
  [{}, ['--tail=100']],
  [{ lines: '5', follow: true }, ['--tail=5', '-f']],
  [{ since: '1m', previous: true }, ['--tail=100', '--since-time=2026-11-24T09:59:00.000Z', '--previous']],
])('kubectl is told %j', (options, flags) => {
  expect(kubectlFlags(logRange(options), Date.UTC(2026, 10, 24, 10))).toEqual(flags)
})

test.each(['-5', '', 'all', '1e3'])('--lines %j is refused', (lines) => {
  expect(() => logRange({ lines })).toThrow(expect.objectContaining({ kind: 'usage', remedy: '--lines 100' }))
})
