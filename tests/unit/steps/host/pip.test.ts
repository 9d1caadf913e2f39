import { nothing, revealText } from '@infra/shared/command/command'
import { keyringState } from '@infra/shared/facts/host/keyring'
import { pipState } from '@infra/shared/facts/host/pip'
import { keyring } from '@infra/shared/steps/host/keyring'
import { pipPackage } from '@infra/shared/steps/host/pip'
import { systemUser } from '@infra/shared/steps/host/system-user'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const on = blank('new')
const none = { pending: [] }

describe('pipPackage', () => {
  const { plan } = pipPackage(on, 'matrix-synapse', {
    ...{ version: '1.2.3', extras: ['postgres'], venv: '/opt/v', builder: 'builder' },
  })
  const there = { 'matrix-synapse': '1.2.3' }
  test.each([
    [{ versions: there, broken: [], plain: [] }, ['= installed 1.2.3']],
    [{ versions: there, broken: [], plain: ['six.py', 'yaml'] }, ['~ byte code of six.py, yaml']],
    [{ versions: there, broken: [], plain: ['a', 'b', 'c', 'd'] }, ['~ byte code of 4 modules']],
    [{ versions: there, broken: [], plain: Array(50).fill('a') }, ['~ byte code of 50 modules or more']],
    [{ versions: there, broken: ['attrs==25.1'], plain: ['yaml'] }, ['~ half installed: attrs==25.1']],
    [{ versions: {}, broken: [], plain: ['pip'] }, ['+ matrix-synapse[postgres]==1.2.3']],
    [{ versions: { 'matrix-synapse': '1.1.0' }, broken: [], plain: [] }, ['~ matrix-synapse 1.1.0 → 1.2.3']],
    [
      { versions: {}, broken: ['attrs==25.1'], plain: [] },
      ['~ half installed: attrs==25.1', '+ matrix-synapse[postgres]==1.2.3'],
    ],
    [
      { versions: {}, broken: ['matrix-synapse==1.2.3'], plain: [] },
      ['~ half installed: matrix-synapse==1.2.3', '+ matrix-synapse[postgres]==1.2.3'],
    ],
  ])('%o', (now, desired) => {
    expect(told(plan({ now }, none))).toEqual(desired)
  })

  test('without hashes the plan says why', () => {
    const options = { version: '1.2.3', venv: '/opt/v', builder: 'builder', unlocked: 'no hashes are known of 1.2.3' }
    const { plan } = pipPackage(on, 'six', options)
    const now = { versions: {}, broken: [], plain: [] }
    expect(plan({ now }, none)).toMatchObject({ notes: ['no hashes are known of 1.2.3'] })
    expect(plan({ now: { ...now, versions: { six: '1.2.3' } } }, none)).not.toHaveProperty('notes')
  })

  test('what is half installed and in the lock is written anew with all of the lock, by its hashes', () => {
    const lock = { wheels: '/w.lock', sources: '/s.lock', names: ['six', 'attrs'], built: [] }
    const { plan } = pipPackage(on, 'six', { version: '1.2.3', venv: '/opt/v', builder: 'builder', lock })
    const found = plan({ now: { versions: {}, broken: ['Attrs==25.1', 'old==1', 'six==1.2.3'], plain: [] } }, none)
    expect(told(found)).toEqual(['~ half installed: old==1', '~ half installed: Attrs==25.1, six==1.2.3'])
    const lines = found.kind === 'changes' ? found.changes.flatMap(({ run }) => run.map(({ line }) => line)) : []
    expect(lines.filter((line) => line.includes('--require-hashes'))).toEqual([expect.stringContaining('/w.lock')])
  })

  test('all that pip fetches, builds and unpacks with a lock is by its hashes', () => {
    const lock = { wheels: '/w.lock', sources: '/s.lock', names: ['six', 'psycopg2'], built: ['psycopg2'] }
    const { plan } = pipPackage(on, 'six', { version: '1.17.0', venv: '/opt/v', builder: 'builder', lock })
    const found = plan({ now: { versions: {}, broken: [], plain: [] } }, none)
    const commands = found.kind === 'changes' ? found.changes.flatMap(({ run }) => run) : []
    const text = commands.map(({ line, stdin }) => `${line}\n${stdin ? revealText(stdin) : ''}`).join('\n')
    // What was built here has no hash of anybody's, and comes by its name in the folder of root's.
    const calls = text.match(/-m pip (?:download|wheel|install) [^;\n&]*/g) ?? []
    const loose = calls.filter((call) => !call.includes('--require-hashes') && !call.includes('/sources/'))
    expect([calls.length > 3, loose]).toEqual([true, []])
  })

  test('what a run did not come to build is built, though the wheels are there', () => {
    const lock = { wheels: '/w.lock', sources: '/s.lock', names: ['six', 'psycopg2'], built: ['psycopg2'] }
    const { plan } = pipPackage(on, 'six', { version: '1.17.0', venv: '/opt/v', builder: 'builder', lock })
    const of = (versions: Record<string, string>) => told(plan({ now: { versions, broken: [], plain: [] } }, none))
    expect(of({ six: '1.17.0' })).toEqual(['+ psycopg2, for six'])
    expect(of({ six: '1.17.0', psycopg2: '2.9' })).toEqual(['= installed 1.17.0'])
    expect(of({})).toEqual(['+ six==1.17.0'])
  })

  test('what pip says of a file that has not the hash of the lock', () => {
    const lock = { wheels: '/w.lock', sources: '/s.lock', names: ['six'], built: [] }
    const { plan } = pipPackage(on, 'six', { version: '1.17.0', venv: '/opt/v', builder: 'builder', lock })
    const found = plan({ now: { versions: {}, broken: [], plain: [] } }, none)
    const stderr = `ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package versions, please update the hashes. Otherwise, examine the package contents carefully; someone may have tampered with them.
    six==1.17.0 from file:///var/cache/lab-wheels/six-1.17.0-py2.py3-none-any.whl (from -r /w.lock (line 2)):
        Expected sha256 00
             Got        11`
    const explain = found.kind === 'changes' ? found.changes[0]?.explain : undefined
    expect(explain?.({ code: 1, stdout: '', stderr })).toBe(
      'six==1.17.0 is not the file that the lock has the hash of: it was not installed',
    )
  })

  test('what Python says', () => {
    const { parse } = pipState('/opt/v', ['six'])
    const stdout = 'version six 1.17.0\nbroken attrs==25.1\nplain yaml\n'
    const state = { versions: { six: '1.17.0' }, broken: ['attrs==25.1'], plain: ['yaml'] }
    expect(parse({ code: 0, stdout, stderr: '' })).toEqual(state)
    expect(parse(nothing)).toEqual({ versions: {}, broken: [], plain: [] })
    expect(() => parse({ code: 1, stdout: '', stderr: 'no such module' })).toThrow('no such module')
  })
})

describe('systemUser', () => {
  const { plan } = systemUser(on, 'synapse', { home: '/var/lib/synapse' })
  const user = {
    uid: 990,
    home: '/var/lib/synapse',
    shell: '/usr/sbin/nologin',
    groups: ['synapse'],
    password: 'locked',
  }
  test.each<[object | null, string[]]>([
    [user, ['= uid 990']],
    [null, ['+ system user synapse']],
    [{ ...user, shell: '/bin/false' }, ['= uid 990']],
    [{ ...user, shell: '/bin/bash' }, ['~ shell of synapse → /usr/sbin/nologin']],
    [{ ...user, password: 'set' }, ['~ no login for synapse']],
  ])('%o', (now, desired) => {
    expect(told(plan({ now }, none))).toEqual(desired)
  })
})

describe('keyring', () => {
  const [known, other] = ['A'.repeat(40), 'B'.repeat(40)]
  const path = '/usr/share/keyrings/x.gpg'
  const { plan } = keyring(on, path, { url: 'https://example.org/x.gpg', fingerprint: known })
  test.each([
    [null, [`+ ${path}`]],
    [{ fingerprints: [known] }, [`= ${known}`]],
    // Before gpg is installed: asked again when it is.
    [{ fingerprints: undefined }, [`= ${known}`]],
    [{ fingerprints: [other] }, [`~ ${path}: ${other} → ${known}`]],
    [{ fingerprints: [known, other] }, [`~ ${path}: ${other} → ${known}`]],
    [{ fingerprints: [] }, [`~ ${path}: no key → ${known}`]],
  ])('%o', (now, desired) => {
    expect(told(plan({ now }, none))).toEqual(desired)
  })

  test('what the host tells, with gpg and without', () => {
    const { parse } = keyringState(path)
    const answer = (stdout: string) => parse({ code: 0, stdout, stderr: '' })
    expect(answer('')).toBeNull()
    expect(answer('there\n')).toEqual({ fingerprints: undefined })
    expect(answer(`there\ntold\n${known}\n`)).toEqual({ fingerprints: [known] })
    expect(answer('there\ntold\n')).toEqual({ fingerprints: [] })
  })

  test('what is said of another key', () => {
    const found = plan({ now: null }, none)
    const explain = found.kind === 'changes' ? found.changes[0]?.explain : undefined
    expect(explain?.({ code: 1, stdout: '', stderr: `other keys: ${other}\n` })).toMatch(/but B+: it was not taken$/)
  })
})
