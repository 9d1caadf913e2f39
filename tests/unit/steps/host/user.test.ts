import { nothing, revealText } from '@infra/shared/command/command'
import { type AuthorizedKeys, authorizedKeys, type UserState, userState } from '@infra/shared/facts/host/user'
import { authorized, user } from '@infra/shared/steps/host/user'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const on = blank('a new host')
const valence: UserState = {
  uid: 1000,
  home: '/home/valence',
  shell: '/bin/bash',
  groups: ['valence', 'sudo'],
  password: 'locked',
  homeOwner: 'valence',
}

describe('user', () => {
  const step = user(on, 'valence', { groups: ['sudo'] })
  test.each<[string, UserState | null, string[]]>([
    ['absent', null, ['+ user valence']],
    ['as desired', valence, ['= uid 1000, valence sudo']],
    ['in other groups too', { ...valence, groups: ['valence', 'docker', 'sudo'] }, ['= uid 1000, valence docker sudo']],
    ['not in sudo', { ...valence, groups: ['valence'] }, ['~ valence in group sudo']],
    ['another shell', { ...valence, shell: '/bin/sh' }, ['~ shell of valence → /bin/bash']],
    ['a password of its own', { ...valence, password: 'set' }, ['= uid 1000, valence sudo']],
    ['an empty password', { ...valence, password: 'empty' }, ['~ no login without a password for valence']],
    ['no home', { ...valence, homeOwner: undefined }, ['+ home of valence']],
    ['a home of another', { ...valence, homeOwner: 'root' }, ['~ home of valence, owned by root']],
  ])('%s', (_, now, desired) => {
    expect(told(step.plan({ now }, { pending: [] }))).toEqual(desired)
  })

  test('out of groups that it must not be in, and told what it keeps', () => {
    const out = user(on, 'valence', { without: { groups: ['sudo'], instead: 'it keeps what is listed' } })
    const decision = out.plan({ now: valence }, { pending: [] })
    expect(told(decision)).toEqual(['- valence out of group sudo: it keeps what is listed'])
    expect(decision).toMatchObject({ changes: [{ risk: 'rights' }] })
    expect(told(out.plan({ now: { ...valence, groups: ['valence', 'docker'] } }, { pending: [] }))).toEqual([
      '= uid 1000, valence docker',
    ])
  })

  test('what getent, id, passwd and stat say', () => {
    const { parse } = userState('valence')
    const stdout =
      'valence:x:1000:1000::/home/valence:/bin/bash\nvalence sudo\nvalence L 2026-11-22 0 99999 7 -1\nvalence\n'
    expect(parse({ code: 0, stdout, stderr: '' })).toEqual(valence)
    const withoutOwner = stdout.replace(/valence\n$/, '')
    expect(parse({ code: 1, stdout: withoutOwner, stderr: 'stat: No such file' })).toMatchObject({
      homeOwner: undefined,
    })
    expect(parse({ code: 2, stdout: '', stderr: '' })).toBeNull()
    expect(parse(nothing)).toBeNull()
    expect(() => parse({ code: 1, stdout: '', stderr: 'nss is down' })).toThrow('nss is down')
  })
})

const ours = { base64: 'AAAAC3Nz1', line: 'ssh-ed25519 AAAAC3Nz1 ana@laptop' }
const sound: AuthorizedKeys = {
  folder: { kind: 'directory', mode: '0700', owner: 'valence' },
  file: { kind: 'regular file', mode: '0600', owner: 'valence' },
  lines: [ours.line],
}
const root = { mode: '0700', owner: 'root' }

describe('authorized keys', () => {
  const step = authorized(on, 'valence', [ours])
  test.each<[string, AuthorizedKeys | null, string[]]>([
    ['no such user yet', null, ['+ key of valence: ana@laptop']],
    ['no folder', { folder: null, file: null, lines: [] }, ['+ key of valence: ana@laptop']],
    ['there', sound, ['= 1 of ours']],
    ['there with options', { ...sound, lines: [`from="10.0.0.0/8" ${ours.line}`] }, ['= 1 of ours']],
    ['a foreign one beside it', { ...sound, lines: ['ssh-rsa AAAAB', ours.line] }, ['= 1 of ours, 1 other kept']],
    ['only a foreign one', { ...sound, lines: ['ssh-rsa AAAAB'] }, ['+ key of valence: ana@laptop']],
    ['of root', { ...sound, folder: { kind: 'directory', ...root } }, ['~ ~valence/.ssh 0700 root → 0700 valence']],
    ['a link', { ...sound, folder: { kind: 'symbolic link', ...root } }, ['! ~/.ssh is a symbolic link']],
  ])('%s', (_, now, desired) => {
    expect(told(step.plan({ now }, { pending: [] }))).toEqual(desired)
  })

  const key = 'ssh-ed25519 AAAAC3Nz1'
  test.each<[string, boolean]>([
    [`${key}`, true],
    [`${key} somebody else's name`, true],
    [`ssh-ed25519\tAAAAC3Nz1\tana@laptop`, true],
    [`no-pty,from="10.0.0.0/8,!10.0.0.1" ${key} ana`, true],
    [`command="echo \\"a b\\" ssh-rsa AAAAB",no-pty ${key}`, true],
    [`environment="X=cert-authority" ${key}`, true],
    [`sk-ssh-ed25519@openssh.com AAAAC3Nz1`, true],
    [`cert-authority ${key} ana`, false],
    [`no-pty,cert-authority,principals="a" ${key}`, false],
    [`ssh-rsa AAAAB AAAAC3Nz1`, false],
    [`command="${key}" ssh-rsa AAAAB`, false],
    [`ssh-ed25519 AAAAC3Nz1x`, false],
  ])('%s opens: %s', (line, opens) => {
    const decision = step.plan({ now: { ...sound, lines: [line] } }, { pending: [] })
    expect(told(decision)).toEqual([opens ? '= 1 of ours' : '+ key of valence: ana@laptop'])
  })

  test('the keys go by stdin, one a line', () => {
    const decision = step.plan({ now: null }, { pending: [] })
    const [change] = decision.kind === 'changes' ? decision.changes : []
    expect(revealText(change?.run[0]?.stdin ?? { parts: [] })).toBe(`${ours.line}\n`)
  })

  test('what stat and cat say', () => {
    const { parse } = authorizedKeys('valence')
    const stdout = `700|valence|directory\n600|valence|regular file\n# by hand\n${ours.line}\n\n`
    expect(parse({ code: 0, stdout, stderr: '' })).toEqual(sound)
    expect(parse({ code: 0, stdout: 'none\nnone\n', stderr: '' })).toEqual({ folder: null, file: null, lines: [] })
    expect(parse({ code: 0, stdout: '', stderr: '' })).toBeNull()
  })
})
