import { nothing } from '@infra/shared/command/command'
import { raw } from '@infra/shared/command/sh'
import {
  availableMemory,
  clockSynchronised,
  clockTime,
  failedUnits,
  fileSystems,
  loggedErrors,
} from '@infra/shared/facts/host/health'
import { describe, expect, test } from 'vitest'

const answer = (stdout: string, code = 0, stderr = '') => ({ code, stdout, stderr })

describe('what a host answers', () => {
  test('df', () => {
    const lines = '/           27%   34%\n/           27%   34%\n/boot/efi    6%     -\n'
    expect(fileSystems(['/']).parse(answer(lines))).toEqual([
      { mount: '/', used: 27, inodes: 34 },
      { mount: '/boot/efi', used: 6, inodes: undefined },
    ])
    expect(() => fileSystems(['/']).parse(nothing)).toThrow('df does not tell')
  })
  test('/proc/meminfo', () => {
    expect(availableMemory.parse(answer('MemTotal: 4000000 kB\nMemAvailable:    1048576 kB\n'))).toBe(1024)
    expect(() => availableMemory.parse(nothing)).toThrow('does not tell')
  })
  test('timedatectl and date', () => {
    expect(['yes\n', 'no\n', ''].map((stdout) => clockSynchronised.parse(answer(stdout)))).toEqual([true, false, false])
    expect(clockTime.parse(answer('1764000000\n'))).toBe(1764000000)
    expect(() => clockTime.parse(nothing)).toThrow('date does not tell')
  })
  test('lines of errors', () => {
    const { parse } = loggedErrors(raw('errors'))
    const lines = '2026-11-28T02:03:04+0000 pod nginx[7]: one\n2026-11-28T02:03:05 postgresql: two\n'
    expect(parse(answer(lines))).toEqual({ count: 2, last: 'postgresql: two' })
    expect(parse(answer(''))).toEqual({ count: 0, last: undefined })
    expect(() => parse({ code: 0, stdout: '', stderr: 'No journal files were opened\n' })).toThrow('No journal files')
  })
  test('systemctl', () => {
    const lines = 'nginx.service loaded failed failed A high performance web server\nx.timer loaded failed failed x\n'
    expect(failedUnits.parse(answer(lines))).toEqual(['nginx.service', 'x.timer'])
    expect(failedUnits.parse(answer(''))).toEqual([])
  })
})
