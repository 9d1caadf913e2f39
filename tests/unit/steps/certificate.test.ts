import { nothing } from '@infra/shared/command/command'
import { type CertificateState, certificateState } from '@infra/shared/facts/certificate'
import { resolved } from '@infra/shared/facts/dns'
import { certificate } from '@infra/shared/steps/certificate'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from './told.ts'

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
const leads = (...addresses: string[]) => ({ now: null, dns: { ...dns, names: { 'pod.example.org': addresses } } })

describe('certificate', () => {
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
      'for another name',
      { now: { ...held, names: ['old.example.org'] }, dns },
      ['~ certificate for pod.example.org, not old.example.org'],
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
  ])('%s', (_, now, wish) => {
    expect(told(step.plan({ ...sound, ...now }, { pending: [] }))).toEqual(wish)
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
])('certbot that says %j', (line, wish) => {
  const decision = step.plan({ ...leads('203.0.113.10'), notes: null } as never, { pending: [] })
  const [change] = decision.kind === 'changes' ? decision.changes : []
  const stderr = `Saving debug log\nAn unexpected error occurred:\n${line}\n`
  expect(change?.explain?.({ code: 1, stdout: '', stderr })).toMatch(wish)
})

describe('what is found', () => {
  test('of a certificate', () => {
    const { parse } = certificateState('pod.example.org')
    const stdout = `notBefore=Nov 24 14:47:19 2026 GMT
notAfter=Feb 22 14:47:18 2027 GMT
serial=7F189ED75627940A
issuer=C=US, O=Let's Encrypt, CN=R10
X509v3 Subject Alternative Name:
    DNS:matrix.Pod.example.org, DNS:pod.example.org
due
renewal
server = x
`
    expect(parse({ code: 0, stdout, stderr: '' })).toEqual({
      names: ['matrix.pod.example.org', 'pod.example.org'],
      issuer: "C=US, O=Let's Encrypt, CN=R10",
      serial: '7F189ED75627940A',
      notBefore: Date.UTC(2026, 10, 24, 14, 47, 19),
      notAfter: Date.UTC(2027, 1, 22, 14, 47, 18),
      due: true,
      renewal: 'server = x\n',
    })
    expect(parse(nothing)).toBeNull()
    expect(parse({ code: 0, stdout: '', stderr: '' })).toBeNull()
    expect(() => parse({ code: 1, stdout: '', stderr: 'unable to load' })).toThrow('unable to load')
  })

  test('of names', () => {
    const { parse } = resolved(['a.example.org', 'b.example.org'], '/nowhere')
    const stdout = 'name a.example.org 203.0.113.10 2001:db8::1\nname b.example.org\nown 10.0.0.5\n'
    expect(parse({ code: 0, stdout, stderr: '' })).toEqual({
      names: { 'a.example.org': ['203.0.113.10', '2001:db8::1'], 'b.example.org': [] },
      own: ['10.0.0.5'],
    })
    expect(parse(nothing)).toBeNull()
  })
})
