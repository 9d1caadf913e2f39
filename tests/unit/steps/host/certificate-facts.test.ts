import { nothing } from '@infra/shared/command/command'
import { sh } from '@infra/shared/command/sh'
import { certificateState } from '@infra/shared/facts/host/certificate'
import { resolved } from '@infra/shared/facts/host/dns'
import { describe, expect, test } from 'vitest'

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
    const { parse } = resolved(['a.example.org', 'b.example.org'], { chain: '/nowhere', near: sh`false` })
    const stdout = 'name a.example.org 203.0.113.10 2001:db8::1\nname b.example.org\nown 10.0.0.5\n'
    expect(parse({ code: 0, stdout, stderr: '' })).toEqual({
      names: { 'a.example.org': ['203.0.113.10', '2001:db8::1'], 'b.example.org': [] },
      own: ['10.0.0.5'],
    })
    expect(parse(nothing)).toBeNull()
  })
})
