import { readFileSync } from 'node:fs'
import { type AccessRule, type AccessState, accessState } from '@infra/shared/facts/postgres/postgres'
import { postgresAccess } from '@infra/shared/steps/postgres/access'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const text = readFileSync(new URL('../recorded/postgres-17.txt', import.meta.url), 'utf8')
const recorded = accessState.parse({ code: 0, stdout: text, stderr: '' }) as AccessState

/** With the line of a role that another account is before all others, and what pg_ident.conf says of it. */
const line = 'local   all             synapse                                 peer map=synapse'
const map = 'synapse         matrix-synapse          synapse'
const top = recorded.content.split('\n').findIndex((each) => /^[^#\s]/.test(each))
const own: AccessRule = {
  ...{ file: recorded.file, line: top + 1, type: 'local', databases: ['all'], users: ['synapse'] },
  ...{ address: null, netmask: null, method: 'peer', options: ['map=synapse'] },
}
const debian: AccessState = {
  ...recorded,
  content: recorded.content.split('\n').toSpliced(top, 0, line).join('\n'),
  rules: [own, ...recorded.rules.map((rule) => ({ ...rule, line: rule.line + 1 }))],
  ident: { ...recorded.ident, content: `${recorded.ident.content}${map}\n` },
}
const step = postgresAccess(blank('a new host'))
const plan = (now: AccessState | null) => step.plan({ now }, { pending: [] })

/** Debian's file with one line changed, as the server would understand it. */
function changed(from: RegExp, to: string, rule: (found: AccessRule) => AccessRule | undefined): AccessState {
  const at = debian.content.split('\n').findIndex((line) => from.test(line)) + 1
  const rules = debian.rules.flatMap((found) => (found.line === at ? (rule(found) ?? []) : found))
  return { ...debian, content: debian.content.replace(from, to), rules }
}

const after = (now: AccessState) => {
  const decision = plan(now)
  const diff = decision.kind === 'changes' ? decision.changes[0]?.diff : undefined
  return diff?.kind === 'text' ? diff.after : undefined
}

const v4 = /^host +all +all +127\.0\.0\.1\/32 +scram-sha-256$/m

describe('pg_hba.conf', () => {
  test("Debian's own, with the account of Synapse, is as it shall be", () => {
    expect(told(plan(debian))).toEqual(['= local by peer, TCP by scram-sha-256'])
  })

  const [hba, ident] = ['pg_hba', 'pg_ident'].map((name) => `/etc/postgresql/17/main/${name}.conf`)
  const others = debian.rules.slice(1)
  const later = [...others, own]
  test.each<[string, AccessState, string[]]>([
    ["Debian's own", recorded, [`~ ${ident}`, `~ ${hba}`]],
    ['no map', { ...debian, ident: recorded.ident }, [`~ ${ident}`]],
    ['a map that was not read', { ...debian, ident: { ...debian.ident, unread: true } }, ['~ PostgreSQL reloaded']],
    ['the line behind another that fits', { ...debian, content: recorded.content, rules: later }, [`~ ${hba}`]],
    ['without the map', { ...debian, rules: [{ ...own, options: [] }, ...others] }, [`~ ${hba}`]],
    ['by trust', { ...debian, rules: [{ ...own, method: 'scram-sha-256' }, ...others] }, [`~ ${hba}`]],
  ])('the account of Synapse: %s', (_, now, desired) => {
    const decision = plan(now)
    expect(told(decision)).toEqual(desired)
    const diffs =
      decision.kind === 'changes' ? decision.changes.map(({ diff }) => diff?.kind === 'text' && diff.after) : []
    if (desired.includes(`~ ${ident}`)) expect(diffs[0]).toBe(debian.ident.content)
    if (desired.includes(`~ ${hba}`)) expect(String(diffs.at(-1)).split('\n')[top]).toBe(line)
  })

  test('written but not read: a run died before the reload', () => {
    expect(told(plan({ ...debian, unread: true }))).toEqual(['~ PostgreSQL reloaded'])
  })

  test.each(['trust', 'md5', 'password', 'ident'])(
    'a host rule by %s is made scram-sha-256, nothing else is touched',
    (method) => {
      const line = `host all  all\t127.0.0.1/32 ${method} # trust me`
      const now = changed(v4, line, (rule) => ({ ...rule, method }))
      expect(told(plan(now))).toEqual(['~ /etc/postgresql/17/main/pg_hba.conf'])
      expect(after(now)).toBe(now.content.replace(`/32 ${method} #`, '/32 scram-sha-256 #'))
    },
  )

  test('a local rule by trust is made peer', () => {
    const rule = /^local +all +all +peer$/m
    const now = changed(rule, 'local all all trust', (found) => ({ ...found, method: 'trust' }))
    expect(after(now)).toBe(now.content.replace('local all all trust', 'local all all peer'))
  })

  test('a missing rule for localhost is added at the end', () => {
    const now = changed(v4, '# gone', () => undefined)
    expect(after(now)).toBe(
      `${now.content}host    all             all             127.0.0.1/32            scram-sha-256\n`,
    )
  })

  test('a rule for every address lets localhost in', () => {
    const all = { address: '0.0.0.0', netmask: '0.0.0.0' }
    const now = changed(v4, 'host all all 0.0.0.0/0 scram-sha-256', (rule) => ({ ...rule, ...all }))
    expect(told(plan(now))).toEqual(['= local by peer, TCP by scram-sha-256'])
  })

  test('a weak rule elsewhere, or one that is written in an unusual way, is refused', () => {
    const elsewhere = changed(v4, 'include more.conf', (rule) => ({ ...rule, method: 'trust', file: '/etc/more.conf' }))
    expect(told(plan(elsewhere))[0]).toMatch(/^! \/etc\/more.conf:\d+ lets in by "trust" \(host\)$/)
    const quoted = changed(v4, 'host all all 127.0.0.1/32 "trust"', (rule) => ({ ...rule, method: 'trust' }))
    expect(told(plan(quoted))[0]).toMatch(/^! .*pg_hba.conf:126 lets in by "trust"/)
  })

  test('a line that the server does not understand is refused', () => {
    const errors = ['/etc/postgresql/17/main/pg_hba.conf:9: invalid connection type "hots"']
    expect(told(plan({ ...debian, errors }))).toEqual([`! PostgreSQL does not understand ${errors[0]}`])
  })

  test.each([
    '/etc/apt/apt.conf.d/99red',
    '/etc/postgresql/17/main/../../../apt/apt.conf.d/99red',
    '/etc/postgresql/17/main/',
  ])('a path out of the folders of the cluster is refused', (path) => {
    const hostile = text.replaceAll('/etc/postgresql/17/main/pg_hba.conf', path)
    expect(hostile).not.toBe(text)
    expect(() => accessState.parse({ code: 0, stdout: hostile, stderr: '' })).toThrow(/hba_file is .* outside/)
  })

  test('a host without PostgreSQL', () => {
    expect(told(plan(null))).toEqual(['+ access by peer and scram-sha-256'])
  })
})
