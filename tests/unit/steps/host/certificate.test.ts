import type { CertificateState } from '@infra/shared/facts/host/certificate'
import { certificate } from '@infra/shared/steps/host/certificate'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const directory = 'https://acme.example.net/directory'
const step = certificate(blank('new'), 'pod.example.org', {
  optional: ['matrix.pod.example.org'],
  email: 'admin@example.org',
  webroot: '/var/www/acme',
  directory,
  address: '203.0.113.10',
  without: '',
})
const notes = `version = 4.0.0
[renewalparams]
server = ${directory}
authenticator = webroot
webroot_path = /var/www/acme,
[[webroot_map]]
pod.example.org = /var/www/acme
matrix.pod.example.org = /var/www/acme
`
const held: CertificateState = {
  names: ['pod.example.org'],
  issuer: 'CN = Example',
  serial: '01',
  notBefore: Date.UTC(2026, 0, 1),
  notAfter: Date.UTC(2026, 3, 1),
  due: false,
  renewal: notes,
}
const file = { type: 'file', mode: '0644', owner: 'root', group: 'root', content: notes }
const dns = { names: { 'pod.example.org': ['203.0.113.10'], 'matrix.pod.example.org': [] }, own: ['10.0.0.5'] }
const sound = { now: held, dns: { ...dns, names: { 'matrix.pod.example.org': [] } }, notes: file }
const matrix = 'matrix.pod.example.org'
const here = ['203.0.113.10']
const both: CertificateState = { ...held, names: ['pod.example.org', matrix] }
const led = (main: readonly string[], more?: readonly string[]) => ({
  now: both,
  dns: { ...dns, names: { 'pod.example.org': main, ...(more && { [matrix]: more }) } },
})
const leads = (...addresses: string[]) => ({ now: null, dns: { ...dns, names: { 'pod.example.org': addresses } } })

describe('certificate', () => {
  test('one that cannot be had leaves the rest to be done', () => {
    expect(step.continueOnError).toBe(true)
  })

  test.each<[string, object, string[]]>([
    ['a valid one is used', {}, ['= pod.example.org until 2026-04-01']],
    ['none yet', { now: null, dns, notes: null }, ['+ certificate for pod.example.org from acme.example.net']],
    [
      'a blank host',
      { now: null, dns: null, notes: null },
      ['+ certificate for pod.example.org from acme.example.net'],
    ],
    [
      'the other name leads here as well',
      { now: null, dns: { ...dns, names: { ...dns.names, 'matrix.pod.example.org': ['203.0.113.10'] } } },
      ['+ certificate for pod.example.org, matrix.pod.example.org from acme.example.net'],
    ],
    [
      'the other name leads here by now',
      { dns: { ...dns, names: { 'matrix.pod.example.org': ['203.0.113.10'] } } },
      ['~ certificate also for matrix.pod.example.org'],
    ],
    [
      'the other name leads elsewhere',
      { dns: { ...dns, names: { 'matrix.pod.example.org': ['198.51.100.7'] } } },
      ['= pod.example.org until 2026-04-01'],
    ],
    ["one of the host's own addresses", leads('10.0.0.5'), ['+ certificate for pod.example.org from acme.example.net']],
    ['its /etc/hosts', leads('127.0.1.1'), ['+ certificate for pod.example.org from acme.example.net']],
    [
      'elsewhere',
      leads('198.51.100.7'),
      ['! pod.example.org leads to 198.51.100.7, not to this host (203.0.113.10, 10.0.0.5)'],
    ],
    [
      'here and elsewhere: the authority would pick one',
      leads('203.0.113.10', '2001:db8::7'),
      ['! pod.example.org leads to 2001:db8::7, not to this host (203.0.113.10, 10.0.0.5)'],
    ],
    ['nowhere', leads(), ['! pod.example.org does not resolve: there is no certificate for it before it does']],
    ['near its end', { now: { ...held, due: true } }, ['~ certificate renewed: its end is near']],
    [
      'of the staging authority',
      { now: { ...held, renewal: notes.replace('acme.', 'staging.') } },
      ['~ certificate from acme.example.net, not staging.example.net'],
    ],
    [
      'of another authority that is not a test either',
      { now: { ...held, renewal: notes.replace('acme.', 'other.') } },
      ['~ certificate from acme.example.net, not other.example.net'],
    ],
    [
      'for another name',
      { now: { ...held, names: ['old.example.org'] }, dns },
      ['~ certificate for pod.example.org, not old.example.org'],
    ],
    [
      'both names, which nobody needs to look up',
      { now: both },
      ['= pod.example.org matrix.pod.example.org until 2026-04-01'],
    ],
    ['late, but both lead here', led(here, here), ['= pod.example.org matrix.pod.example.org until 2026-04-01']],
    [
      'late, and the other name is gone',
      led(here, []),
      [
        '~ certificate renewed, without matrix.pod.example.org, which does not resolve: no renewal succeeds with matrix.pod.example.org',
      ],
    ],
    [
      'late, and the other name leads elsewhere',
      led(here, ['198.51.100.7']),
      [
        '~ certificate renewed, without matrix.pod.example.org, which leads to 198.51.100.7, not to this host (203.0.113.10, 10.0.0.5): no renewal succeeds with matrix.pod.example.org',
      ],
    ],
    [
      'late, and nobody tells where the other name leads',
      led(here),
      ['= pod.example.org matrix.pod.example.org until 2026-04-01'],
    ],
    ['late, and no name resolves', led([], []), ['= pod.example.org matrix.pod.example.org until 2026-04-01']],
    [
      'late, and nobody tells where the first name leads',
      { now: both, dns: { ...dns, names: { [matrix]: [] } } },
      ['= pod.example.org matrix.pod.example.org until 2026-04-01'],
    ],
    [
      'near its end, and the other name is gone',
      { ...led(here, []), now: { ...both, due: true } },
      ['~ certificate renewed: its end is near, without matrix.pod.example.org, which does not resolve'],
    ],
    [
      'near its end, and leads elsewhere',
      { ...led(['198.51.100.7'], here), now: { ...both, due: true } },
      ['! pod.example.org leads to 198.51.100.7, not to this host (203.0.113.10, 10.0.0.5)'],
    ],
    [
      'near its end, and nobody tells where names lead',
      { now: { ...both, due: true }, dns: { ...dns, names: {} } },
      ['~ certificate renewed: its end is near'],
    ],
    [
      'of the staging authority, and the other name is gone',
      { ...led(here, []), now: { ...both, renewal: notes.replace('acme.', 'staging.') } },
      [
        '~ certificate from acme.example.net, not staging.example.net, without matrix.pod.example.org, which does not resolve',
      ],
    ],
    [
      'of the staging authority, and leads elsewhere',
      { ...led(['198.51.100.7']), now: { ...both, renewal: notes.replace('acme.', 'staging.') } },
      ['! pod.example.org leads to 198.51.100.7, not to this host (203.0.113.10, 10.0.0.5)'],
    ],
    [
      'the other name leads here by now, but the first one does no more',
      { ...led(['198.51.100.7'], here), now: held },
      ['= pod.example.org until 2026-04-01'],
    ],
    [
      'near its end, and for a site of somebody else as well',
      { now: { ...held, names: ['pod.example.org', 'shop.example.com'], due: true } },
      ['~ certificate renewed: its end is near, without shop.example.com, which is not a name of this deployment'],
    ],
    [
      'for another name and one that is gone',
      { ...led(here, []), now: { ...held, names: ['old.example.org', matrix] } },
      ['~ certificate for pod.example.org, not old.example.org, matrix.pod.example.org'],
    ],
    [
      'renewed by another folder',
      { notes: { ...file, content: notes.replaceAll('/var/www/acme', '/var/www/html') } },
      ['~ renewal of certificate pod.example.org by /var/www/acme'],
    ],
    [
      "renewed by certbot's nginx plugin",
      {
        notes: {
          ...file,
          content: notes.replace('authenticator = webroot', 'authenticator = nginx\ninstaller = nginx'),
        },
      },
      ['~ renewal of certificate pod.example.org by /var/www/acme'],
    ],
  ])('%s', (_, now, desired) => {
    expect(told(step.plan({ ...sound, ...now }, { pending: [] }))).toEqual(desired)
  })

  test('the authority is asked for the names that lead here, and certbot to leave out the rest', () => {
    const run = (now: object) => {
      const decision = step.plan({ ...sound, ...now }, { pending: [] })
      return decision.kind === 'changes' ? decision.changes[0]?.run[0]?.line : undefined
    }
    const words = '--cert-name pod.example.org -d pod.example.org'
    expect(run(led(here, []))).toMatch(`${words} --force-renewal --renew-with-new-domains`)
    const due = { ...both, due: true }
    expect(run({ ...led(here), now: due })).toMatch(`${words} -d ${matrix} --force-renewal`)
    expect(run({ now: null, dns, notes: null })).toMatch(new RegExp(`${words} ?$`))
  })

  test('a test certificate takes no real one away; what is of a test is renewed as such', () => {
    const authority = 'https://acme-staging.example.net/directory'
    const trial = certificate(blank('new'), 'pod.example.org', {
      email: '',
      webroot: '/w',
      directory: authority,
      without: '',
    })
    const plan = (now: object) => told(trial.plan({ now, dns: null, notes: null }, { pending: [] }))
    expect(plan(held)).toEqual([
      '! a test certificate of acme-staging.example.net would take the place of one of acme.example.net that browsers trust',
    ])
    const renewal = notes.replace(directory, authority)
    expect(plan({ ...held, renewal })).toEqual(['= pod.example.org until 2026-04-01'])
    expect(plan({ ...held, renewal, due: true })).toEqual(['~ certificate renewed: its end is near'])
  })

  test('that renewals fail is told while the certificate is still used', () => {
    expect(step.plan({ ...sound, ...led(['198.51.100.7'], here) }, { pending: [] })).toMatchObject({
      kind: 'converged',
      notes: [
        expect.stringMatching(/^no renewal of certificate pod\.example\.org succeeds: pod\.example\.org leads to 198/),
      ],
    })
  })

  test.each([
    ['by the last folder, where no other is noted', 'webroot_path = /srv/other, /var/www/acme,\n[[webroot_map]]\n', 0],
    ['by a folder that is not the last', 'webroot_path = /var/www/acme, /srv/other,\n[[webroot_map]]\n', 1],
    ['by another folder', `webroot_path = /var/www/acme,\n[[webroot_map]]\n${held.names[0]} = /srv/other\n`, 1],
    ['by none', '', 1],
  ])('a name that is proven %s', (_, lines, changed) => {
    const content = `[renewalparams]\nserver = ${directory}\nauthenticator = webroot\n${lines}`
    const decision = step.plan({ ...sound, notes: { ...file, content } }, { pending: [] })
    expect(decision.kind === 'changes' ? decision.changes.length : 0).toBe(changed)
  })

  const shapes: readonly (readonly [string, string])[] = [
    ['as certbot writes them', notes],
    ['without blanks, and with others', notes.replaceAll(' = ', '=').replace('server=', 'server =   ')],
    ['in quotes', notes.replace(/ = (https\S+|webroot|\/var\/www\/acme)/g, ' = "$1"')],
    ['indented', notes.replace(/^(?=\w)/gm, '    ').replace('[[webroot_map]]', '  [[ webroot_map ]]')],
    ['with comments', notes.replace(/^(\w.*)$/gm, '# before\n$1 # by hand').replace(',\n', ', \n')],
    ['with a section after them', `${notes}[acme_renewal_info]\nari_retry_after = 2026-02-01T00:00:00\n`],
  ]

  test.each(shapes)("certbot's notes mean the same %s", (_, content) => {
    const now = { ...sound, now: { ...held, renewal: content }, notes: { ...file, content } }
    expect(told(step.plan(now, { pending: [] }))).toEqual(['= pod.example.org until 2026-04-01'])
  })

  test.each(shapes)('and lose nothing but the way of the proof, whichever that was, %s', (_, content) => {
    const before = content.replaceAll('/var/www/acme', '/srv/other')
    const decision = step.plan({ ...sound, notes: { ...file, content: before } }, { pending: [] })
    const [change] = decision.kind === 'changes' ? decision.changes : []
    const after = change?.diff?.kind === 'text' ? change.diff.after : ''
    expect(after.match(/^ *(authenticator|webroot_path|\[\[) *.*$/gm)).toHaveLength(3)
    expect(after).not.toContain('/srv/other')
    const rest = /^(?:version|server|ari_\w+|\[\w+\]).*$/gm
    const plain = (text: string) => text.replace(/^ +/gm, '').match(rest)
    expect(plain(after)).toEqual(plain(before))
    expect(after.indexOf('[[webroot_map]]')).toBeLessThan(after.indexOf('[acme_renewal_info]') >>> 0)
    expect(told(step.plan({ ...sound, notes: { ...file, content: after } }, { pending: [] }))).toEqual([
      '= pod.example.org until 2026-04-01',
    ])
  })

  test("certbot's notes keep all but the way of the proof", () => {
    const content = `# a note\nversion = 4.0.0\n[renewalparams]\nauthenticator = nginx\ninstaller = nginx\nserver = ${directory}\nkey_type = ecdsa\n`
    const decision = step.plan({ ...sound, notes: { ...file, content } }, { pending: [] })
    const diff = decision.kind === 'changes' ? decision.changes[0]?.diff : undefined
    expect(diff).toMatchObject({
      after: `# a note\nversion = 4.0.0\n[renewalparams]\nserver = ${directory}\nkey_type = ecdsa\nauthenticator = webroot\nwebroot_path = /var/www/acme,\n[[webroot_map]]\npod.example.org = /var/www/acme\n`,
    })
  })
})

test.each([
  ['Account https://acme.example.net/acct/1 not found.', /^the authority does not know the account that the host has/],
  [
    'Error creating new order :: too many certificates already issued',
    /^the authority has had enough of us for now: too/,
  ],
  ['  Detail: 203.0.113.10: Connection refused', /^the authority could not see the proof: 203/],
  ['[SSL: CERTIFICATE_VERIFY_FAILED]', /^the host does not trust the authority of ACME_DIRECTORY_URL$/],
])('certbot that says %j', (line, desired) => {
  const decision = step.plan({ ...leads('203.0.113.10'), notes: null } as never, { pending: [] })
  const [change] = decision.kind === 'changes' ? decision.changes : []
  const stderr = `Saving debug log\nAn unexpected error occurred:\n${line}\n`
  expect(change?.explain?.({ code: 1, stdout: '', stderr })).toMatch(desired)
})
