import { nothing, revealText } from '@infra/shared/command/command'
import type { FileState } from '@infra/shared/facts/host/file'
import { hasProgram } from '@infra/shared/facts/host/installer'
import { listeningAddresses } from '@infra/shared/facts/host/listening'
import { venvState } from '@infra/shared/facts/host/python'
import { timezoneState } from '@infra/shared/facts/host/timezone'
import { installer } from '@infra/shared/steps/host/installer'
import { line } from '@infra/shared/steps/host/line'
import { venv } from '@infra/shared/steps/host/python'
import { timezone } from '@infra/shared/steps/host/timezone'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const on = blank('a new host')
const none = { pending: [] }
const answer = (stdout: string, code = 0, stderr = '') => ({ code, stdout, stderr })

describe('time zone', () => {
  test.each([
    [answer('known\n\n/usr/share/zoneinfo/Etc/UTC\n'), { zone: 'Etc/UTC', named: undefined, known: true }],
    [answer('known\nEtc/UTC\n/usr/share/zoneinfo/Etc/UTC\n'), { zone: 'Etc/UTC', named: 'Etc/UTC', known: true }],
    [
      answer('known\n\n../usr/share/zoneinfo/Europe/Zurich\n'),
      { zone: 'Europe/Zurich', named: undefined, known: true },
    ],
    [answer('unknown\n\n', 1), { zone: undefined, named: undefined, known: false }],
    [answer('nothing\n\nUTC\n', 1), { zone: 'UTC', named: undefined, known: undefined }],
    [nothing, { zone: 'UTC', named: undefined, known: undefined }],
  ])('%o', (given, state) => {
    expect(timezoneState('UTC').parse(given)).toEqual(state)
  })

  const step = timezone(on, 'UTC')
  test.each([
    [{ zone: 'Etc/UTC', named: undefined, known: true }, none, ['= UTC']],
    [{ zone: 'UTC', named: 'Europe/Zurich', known: true }, none, ['~ time zone Europe/Zurich → UTC']],
    [{ zone: 'Europe/Zurich', named: undefined, known: true }, none, ['~ time zone Europe/Zurich → UTC']],
    [{ zone: undefined, named: undefined, known: true }, none, ['~ time zone a file of its own → UTC']],
    [{ zone: 'UTC', named: undefined, known: false }, none, ['! the host knows no time zone UTC']],
    // Its database is about to be installed.
    [
      { zone: 'Europe/Zurich', named: undefined, known: false },
      { pending: ['packages tzdata'] },
      ['~ time zone Europe/Zurich → UTC'],
    ],
  ])('%o', (now, ahead, desired) => {
    expect(told(step.plan({ now }, ahead))).toEqual(desired)
  })
})

describe('venv', () => {
  test.each([
    [answer('valence\n\n3.13.5\n'), { exists: true, owner: 'valence', python: '3.13.5' }],
    [answer('valence\nlib/a b\n3.13.5\n'), { exists: true, owner: 'valence', foreign: 'lib/a b', python: '3.13.5' }],
    [answer('valence\n\n'), { exists: true, owner: 'valence', python: undefined }],
    [answer(''), { exists: false, owner: undefined, python: undefined }],
    [nothing, { exists: false, owner: undefined, python: undefined }],
  ])('%o', (given, state) => {
    expect(venvState('/opt/venv', 'valence').parse(given)).toEqual(state)
  })

  const step = venv(on, '/opt/venv', { user: 'valence' })
  test.each([
    [{ exists: true, owner: 'valence', python: '3.13.5' }, ['= Python 3.13.5']],
    [{ exists: false, owner: undefined, python: undefined }, ['+ venv /opt/venv']],
    [{ exists: true, owner: 'valence', python: undefined }, ['~ venv /opt/venv, broken: made anew']],
    [{ exists: true, owner: 'root', python: '3.13.5' }, ['~ /opt/venv/ root → valence']],
    [
      { exists: true, owner: 'valence', foreign: 'lib/openai', python: '3.13.5' },
      ['~ all in /opt/venv is of valence, lib/openai is not'],
    ],
  ])('%o', (now, desired) => {
    expect(told(step.plan({ now }, none))).toEqual(desired)
  })
})

describe('a line in a file', () => {
  const desired = 'export PATH="$HOME/.local/bin:$PATH"'
  const step = line(on, '/home/valence/.bashrc', desired, { owner: 'valence' })
  const file = (content: string): FileState => ({
    type: 'file',
    mode: '0600',
    owner: 'valence',
    group: 'users',
    sha256: '',
    content,
  })
  test.each([
    [null, `${desired}\n`],
    [file(''), `${desired}\n`],
    [file('a\n'), `a\n${desired}\n`],
    [file('no newline'), `no newline\n${desired}\n`],
    [file(`# ${desired}\n`), `# ${desired}\n${desired}\n`],
    [file(`a\n${desired}\nb\n`), undefined],
  ])('%o', (now, content) => {
    const decision = step.plan({ now }, none)
    const [change] = decision.kind === 'changes' ? decision.changes : []
    const written = change?.run[0]?.stdin
    expect(written && revealText(written)).toBe(content)
  })

  test('is all that is shown of the file', () => {
    const decision = step.plan({ now: file('export API=old\n') }, none)
    const { diff } = (decision.kind === 'changes' && decision.changes[0]) || {}
    expect(diff).toEqual({ kind: 'text', path: '/home/valence/.bashrc', before: '', after: `${desired}\n` })
  })

  test('keeps the owner and mode of the file', () => {
    const decision = step.plan({ now: file('a\n') }, none)
    const command = decision.kind === 'changes' ? decision.changes[0]?.run[0]?.line : ''
    expect(command).toMatch(/runuser -u valence -- .*chgrp users .* chmod 0600 /)
  })

  test('is refused in what is not a file', () => {
    const now = { ...file(''), type: 'directory', content: undefined }
    expect(told(step.plan({ now }, none))).toEqual(['! /home/valence/.bashrc is a directory: it cannot be added to'])
  })
})

describe('installer', () => {
  const without = 'VALENCE_CLAUDE_CODE=false skips it'
  const step = installer(on, 'Claude Code', {
    url: 'https://claude.ai/install.sh',
    user: 'valence',
    creates: '.local/bin/claude',
    without,
  })
  test.each([
    [true, ['= ~valence/.local/bin/claude']],
    [false, ['+ Claude Code']],
  ])('there: %s', (there, desired) => {
    expect(told(step.plan({ there }, none))).toEqual(desired)
  })

  test.each([
    [
      answer('', 3, 'curl: (22) The requested URL returned error: 404\n'),
      /cannot be fetched from https:\S+: The requested URL returned error: 404 \(VALENCE/,
    ],
    [answer('', 3, 'curl: (6) Could not resolve host: nowhere.invalid\n'), /Could not resolve host/],
    [answer('', 4), /the installer of Claude Code failed \(VALENCE_CLAUDE_CODE=false skips it\)/],
    [answer('', 5), /made no ~valence\/.local\/bin\/claude \(VALENCE/],
  ])('fails: %o', (output, words) => {
    const decision = step.plan({ there: false }, none)
    const change = decision.kind === 'changes' ? decision.changes[0] : undefined
    expect(change?.explain?.(output)).toMatch(words)
  })

  test('is there when it can be run', () => {
    expect(hasProgram('valence', 'x').parse(answer('there\n'))).toBe(true)
    expect(hasProgram('valence', 'x').parse(answer(''))).toBe(false)
    expect(hasProgram('valence', 'x').parse(nothing)).toBe(false)
  })
})

test('ss -Hltn', () => {
  const stdout = 'LISTEN 0      200    127.0.0.1:5432 0.0.0.0:*\nLISTEN 0      200        [::1]:5432    [::]:*\n'
  expect(listeningAddresses(5432).parse(answer(stdout))).toEqual(['127.0.0.1', '[::1]'])
})
