import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nothing } from '@infra/shared/command/command'
import { ufwConfig, ufwLoaded } from '@infra/shared/facts/host/ufw'
import { firewall } from '@infra/shared/steps/host/ufw'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const recorded = (name: string) => ({
  code: 0,
  stdout: readFileSync(join(import.meta.dirname, '../recorded', name), 'utf8'),
  stderr: '',
})
const on = blank('a new host')

/** ufw's own files for these tuples, both families alike; `@` stands for everywhere. */
function config(tuples: readonly string[], settings = {}) {
  const rules = ([4, 6] as const).map((family) => {
    const everywhere = family === 4 ? '0.0.0.0/0' : '::/0'
    const lines = tuples.map((tuple) => `### tuple ### ${tuple.replaceAll('@', everywhere)}\n-A ufw-user-input x\n`)
    return `== /etc/ufw/user${family === 4 ? '' : 6}.rules\n${lines.join('')}`
  })
  const head =
    '== /etc/default/ufw\nIPV6=yes\nDEFAULT_INPUT_POLICY="DROP"\nDEFAULT_OUTPUT_POLICY="ACCEPT"\n== /etc/ufw/ufw.conf\nENABLED=yes\n'
  const parsed = ufwConfig.parse({ code: 0, stdout: head + rules.join(''), stderr: '' })
  return { ...parsed, ...settings }
}

const loaded = (lines: number, change = {}) => {
  const family = { active: true, incoming: 'DROP', lines, ...change }
  return { 4: family, 6: family }
}
const ours = ['allow tcp 22 @ any @ in', 'allow tcp 80 @ any @ in']
const sound = {
  config: config(ours),
  loaded: loaded(2),
  unit: { exists: true, active: 'inactive', enabled: 'enabled', since: undefined },
  sshd: [22],
  armed: false,
}
const with_ = (...tuples: string[]) => ({ config: config([...ours, ...tuples]), loaded: loaded(2 + tuples.length) })

describe('firewall', () => {
  const step = firewall(on, { tcp: [80], ssh: 22 })
  const off = { active: false, incoming: 'ACCEPT', lines: 0 }
  test.each<[string, object, string[]]>([
    ['as desired', {}, ['= active: 22/tcp 80/tcp']],
    [
      'ufw is not there',
      { config: null, loaded: { 4: off, 6: null }, unit: { ...sound.unit, exists: false }, sshd: [] },
      ['+ firewall rules: allow 22/tcp 80/tcp', '+ firewall enabled'],
    ],
    ['disabled', { config: config(ours, { enabled: false }), loaded: loaded(0, off) }, ['+ firewall enabled']],
    ['flushed in the kernel', { loaded: loaded(2, { active: false }) }, ['+ firewall enabled']],
    ['policy opened in the kernel', { loaded: loaded(2, { incoming: 'ACCEPT' }) }, ['~ firewall rules loaded anew']],
    ['a rule taken out of the kernel', { loaded: loaded(1) }, ['~ firewall rules loaded anew']],
    ['a kernel without IPv6', { loaded: { ...sound.loaded, 6: null } }, ['= active: 22/tcp 80/tcp']],
    ['off at boot', { unit: { ...sound.unit, enabled: 'disabled' } }, ['+ firewall at boot']],
    [
      'lax defaults',
      { config: config(ours, { incoming: 'ACCEPT' }) },
      ['~ firewall enabled: deny incoming, allow outgoing by default'],
    ],
    ['a rule is missing', { config: config(ours.slice(0, 1)), loaded: loaded(1) }, ['+ firewall rules: allow 80/tcp']],
    [
      'a foreign rule',
      with_('allow tcp 9999 @ any @ in'),
      ['- foreign firewall rule: allow in proto tcp from any to any port 9999'],
    ],
    ['a blocked source', with_('deny any any @ any 192.0.2.7 in'), ['= active: 22/tcp 80/tcp']],
    ['our port by a profile', with_('allow tcp 22 @ any @ OpenSSH - in'), ['= active: 22/tcp 80/tcp']],
    [
      'our port limited',
      { config: config(['limit tcp 22 @ any @ in', 'allow tcp 80 @ any @ in']) },
      ['+ firewall rules: allow 22/tcp', '- foreign firewall rule: limit in proto tcp from any to any port 22'],
    ],
    ['sshd listens elsewhere too', { sshd: [22, 2222] }, ['+ firewall rules: allow 2222/tcp']],
    [
      'sshd says another port than we came by: a socket that listens for it, or a port that is forwarded',
      { sshd: [2222], ...with_('allow tcp 2222 @ any @ in') },
      ['= active: 22/tcp 80/tcp 2222/tcp'],
    ],
    ['the host cannot tell', { sshd: [] }, ['= active: 22/tcp 80/tcp']],
    ['an interrupted run', { armed: true }, ['~ firewall change of an interrupted run confirmed']],
    ['masked', { unit: { ...sound.unit, enabled: 'masked' } }, ['! ufw.service is masked']],
  ])('%s', (_, now, desired) => {
    expect(told(step.plan({ ...sound, ...now }, { pending: [] }))).toEqual(desired)
  })

  describe('with more ports', () => {
    const extra = [
      { port: '3478', protocol: 'udp' },
      { port: '49152:65535', protocol: 'udp' },
      { port: '5349', protocol: 'tcp', from: '10.0.0.0/8' },
      { port: '5349', protocol: 'tcp', from: '2001:db8::/32' },
    ] as const
    const more = firewall(on, { tcp: [80], extra, ssh: 22, keptBy: 'MORE_PORTS' })
    const rules = ['allow udp 3478 @ any @ in', 'allow udp 49152:65535 @ any @ in']
    const there = config([...ours, ...rules])
    const source = (family: 4 | 6, from: string) => ({
      ...{ action: 'allow', protocol: 'tcp', toPort: '5349', to: family === 4 ? '0.0.0.0/0' : '::/0' },
      ...{ fromPort: 'any', from, toApp: undefined, fromApp: undefined, direction: 'in', family },
    })
    const all = { ...there, rules: [...(there.rules ?? []), source(4, '10.0.0.0/8'), source(6, '2001:db8::/32')] }

    test('they are opened, and stay open', () => {
      const decision = more.plan(sound, { pending: [] })
      expect(told(decision)).toEqual([
        '+ firewall rules: allow 3478/udp 49152-65535/udp 5349/tcp from 10.0.0.0/8 5349/tcp from 2001:db8::/32',
      ])
      const [change] = decision.kind === 'changes' ? decision.changes : []
      expect(change?.run.map(({ line }) => line)).toEqual([
        'ufw allow 3478/udp',
        'ufw allow proto udp from any to any port 49152:65535',
        'ufw allow proto tcp from 10.0.0.0/8 to any port 5349',
        'ufw allow proto tcp from 2001:db8::/32 to any port 5349',
      ])
      expect(told(more.plan({ ...sound, config: all, loaded: loaded(4) }, { pending: [] }))).toEqual([
        '= active: 22/tcp 80/tcp 3478/udp 49152-65535/udp 5349/tcp from 10.0.0.0/8 5349/tcp from 2001:db8::/32',
      ])
    })

    test('one that is open to more than it should be is another one', () => {
      const wide = config([...ours, ...rules, 'allow tcp 5349 @ any @ in'])
      expect(told(more.plan({ ...sound, config: wide, loaded: loaded(5) }, { pending: [] }))).toEqual([
        '+ firewall rules: allow 5349/tcp from 10.0.0.0/8 5349/tcp from 2001:db8::/32',
        '- foreign firewall rule: allow in proto tcp from any to any port 5349',
      ])
    })

    test('what others opened is told before it is closed, with what keeps it', () => {
      const foreign = ['allow any 51820 @ any @ in', 'allow tcp 8080,8081 @ any @ in', 'limit tcp 2022 @ any @ in']
      const now = { ...sound, config: config([...ours, ...foreign]), loaded: loaded(5) }
      const plain = firewall(on, { tcp: [80], ssh: 22, keptBy: 'MORE_PORTS' }).plan(now, { pending: [] })
      expect(plain.kind === 'refused' ? [] : plain.notes).toEqual([
        "the firewall closes what somebody else opened; to keep it open: MORE_PORTS='51820/tcp,51820/udp,8080/tcp,8081/tcp'",
      ])
    })
  })

  test('what could lock us out is guarded; at boot only the files go back, which ufw.service reads by itself', () => {
    const decision = step.plan({ ...sound, ...with_('allow tcp 9999 @ any @ in') }, { pending: [] })
    const [change] = decision.kind === 'changes' ? decision.changes : []
    expect(change).toMatchObject({ risk: 'downtime', guard: { name: 'ufw', seconds: 60 } })
    const [now = '', atBoot = ''] = [change?.guard?.undo?.line, change?.guard?.undoAtBoot?.line]
    expect(now).toMatch(/ufw --force enable/)
    expect(atBoot).toMatch(/cp -a/)
    expect(atBoot).not.toMatch(/ufw --force|iptables -/)
  })

  test('what an interrupted run left armed is confirmed or undone as that run meant it, not opened to everybody', () => {
    const decision = step.plan({ ...sound, armed: true }, { pending: [] })
    expect(decision).toMatchObject({ changes: [{ guard: { name: 'ufw', seconds: 60 } }] })
    expect(JSON.stringify(decision)).not.toContain('disable')
  })
})

describe("ufw's files", () => {
  test('the commands that delete foreign rules, by recorded rules', () => {
    const now = { ...sound, config: ufwConfig.parse(recorded('ufw-config.txt')) }
    const decision = firewall(on, { tcp: [80, 443], ssh: 22 }).plan(now, { pending: [] })
    const removed = decision.kind === 'changes' ? decision.changes.filter(({ verb }) => verb === 'remove') : []
    expect(removed.map(({ run }) => run[1]?.line)).toEqual([
      'ufw delete limit in proto tcp from any to any port 2222',
      'ufw route delete allow in on host0 out on lo from any to any',
      'ufw delete allow in log proto tcp from any to any port 25',
      'ufw delete allow in on host0 proto udp from any to any port 53',
      'ufw delete deny out proto tcp from any to any port 25',
      'ufw delete allow in proto tcp from 10.0.0.0/8 port 99 to any port 77,78',
      'ufw delete allow in proto tcp from 2001:db8::/32 to any port 5432',
      'ufw delete allow in proto tcp from ::/0 to ::/0 port 7777',
    ])
  })

  test('settings and numbers', () => {
    expect(ufwConfig.parse(recorded('ufw-config.txt'))).toMatchObject({
      ...{ enabled: true, ipv6: true, incoming: 'DROP', outgoing: 'ACCEPT' },
      lines: { 4: 12, 6: 7 },
    })
    expect(ufwConfig.parse(nothing)).toBeNull()
    expect(ufwConfig.parse({ code: 0, stdout: '', stderr: '' })).toBeNull()
  })

  test('what the kernel does', () => {
    const active = { active: true, incoming: 'DROP' }
    expect(ufwLoaded.parse(recorded('ufw-loaded.txt'))).toEqual({
      4: { ...active, lines: 3 },
      6: { ...active, lines: 1 },
    })
    expect(ufwLoaded.parse({ code: 0, stdout: '==\n==\n', stderr: 'iptables: not found' })).toEqual({
      4: { active: false, incoming: '', lines: 0 },
      6: null,
    })
    expect(() => ufwLoaded.parse({ code: 0, stdout: '==\n', stderr: 'Permission denied (you must be root)' })).toThrow()
  })
})
