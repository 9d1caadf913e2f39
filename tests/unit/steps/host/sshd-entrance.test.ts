import { nothing } from '@infra/shared/command/command'
import { sshdEntrance } from '@infra/shared/facts/host/sshd-entrance'
import { denialOf } from '@infra/shared/steps/host/sshd-entrance'
import { describe, expect, test } from 'vitest'

const connection = { from: '198.51.100.7', host: 'client.example', to: '203.0.113.10', port: 22 }
const path = '/etc/ssh/sshd_config.d/50-mine.conf'
const plain = { user: 'root', settings: {}, lines: [], socket: false, groups: true }
const judge = (found: Record<string, string[]>, more: object = {}, from: typeof connection | null = connection) => {
  const desired = { ...plain, ...more }
  return denialOf({ ...desired, entrance: { connection: from, users: { [desired.user]: found } } })
}

describe('whether sshd would let us in', () => {
  test.each<[string, Record<string, string[]>, object?]>([
    ['nothing is said', {}],
    ['a list of users with ours', { allowusers: ['chris', 'root'] }],
    ['a pattern that fits', { allowusers: ['ro?t'] }],
    ['our address', { allowusers: ['root@198.51.100.7'] }],
    ['our network', { allowusers: ['root@198.51.100.0/24'] }],
    ['our name, where sshd looks it up', { allowusers: ['root@*.Example'] }],
    ['another network is denied', { denyusers: ['root@192.0.2.0/24', 'root@2001:db8::/32'] }],
    ['another user is denied', { denyusers: ['chris', 'roo'] }],
    ['one of our groups', { groups: ['sudo root'], allowgroups: ['ssh', 'su*'] }],
    ['another group is denied', { groups: ['root'], denygroups: ['sudo'] }],
    ['groups that an earlier step gives', { groups: [''], allowgroups: ['sudo'] }, { groups: false }],
    ['one key of several ways', { authenticationmethods: ['publickey,password publickey'] }],
    ['any method', { authenticationmethods: ['any'] }],
    ['root with keys', { permitrootlogin: ['prohibit-password'] }],
    ['no root, but another user', { permitrootlogin: ['no'] }, { user: 'valence' }],
    [
      'no root and no keys, which the step is about to set',
      { permitrootlogin: ['no'], pubkeyauthentication: ['no'] },
      { settings: { PermitRootLogin: 'prohibit-password', PubkeyAuthentication: 'yes' } },
    ],
    ['our port beside another', { port: ['22', '2222'], listenaddress: ['0.0.0.0:2222', '0.0.0.0:22', '[::]:22'] }],
    ['our address alone', { port: ['22'], listenaddress: ['203.0.113.10:22'] }],
    ['another port, where a socket listens', { port: ['2222'], listenaddress: ['0.0.0.0:2222'] }, { socket: true }],
  ])('yes: %s', (_, found, more) => {
    expect(judge(found, more)).toBeUndefined()
  })

  test.each<[string, Record<string, string[]>, RegExp, object?]>([
    ['a list of users without ours', { allowusers: ['chris'] }, /AllowUsers does not allow it \(allowusers chris\)$/],
    ['ours from elsewhere', { allowusers: ['root@192.0.2.0/24'] }, /AllowUsers/],
    ['ours from everywhere but here', { allowusers: ['root@!198.51.100.7,*'] }, /AllowUsers/],
    ['ours is denied', { denyusers: ['chris', 'ro*'] }, /DenyUsers denies it \(denyusers ro\*\)$/],
    ['denied although allowed', { denyusers: ['root'], allowusers: ['root'] }, /DenyUsers/],
    ['our network is denied', { denyusers: ['*@198.51.0.0/16'] }, /DenyUsers/],
    ['none of our groups', { groups: ['root'], allowgroups: ['ssh'] }, /AllowGroups allows no group/],
    ['one of our groups is denied', { groups: ['root adm'], denygroups: ['ad?'] }, /DenyGroups denies a group/],
    ['no keys', { pubkeyauthentication: ['no'] }, /keys would not be accepted/],
    ['two keys at once', { authenticationmethods: ['publickey,publickey'] }, /more than a key/],
    ['no root', { permitrootlogin: ['no'] }, /PermitRootLogin keeps root out/],
    ['root for set commands only', { permitrootlogin: ['forced-commands-only'] }, /PermitRootLogin/],
    ['another port', { port: ['2222'], listenaddress: ['0.0.0.0:2222', '[::]:2222'] }, /no longer listen on port 22,/],
    [
      'only the other family',
      { port: ['22'], listenaddress: ['[::]:22'] },
      /no longer listen on 203.0.113.10, port 22,/,
    ],
    ['another address', { port: ['22'], listenaddress: ['10.0.0.1:22'] }, /203.0.113.10, port 22/],
  ])('no: %s', (_, found, reason, more) => {
    const denial = judge(found, more)
    expect(denial?.reason).toMatch(/^root would not get in once sshd is restarted: /)
    expect(denial?.reason).toMatch(reason)
    expect(denial?.remedy).toMatch(/run again/)
  })

  test.each<[string, Record<string, string[]>, RegExp, Record<string, string[]>]>([
    ['AllowUsers', { allowusers: ['chris'] }, /^Add root to AllowUsers/, { allowusers: ['chris', 'root'] }],
    ['AllowUsers', { allowusers: ['chris'] }, /or take that line away/, {}],
    ['DenyUsers', { denyusers: ['chris', 'ro*'] }, /^Take ro\* out of DenyUsers/, { denyusers: ['chris'] }],
    [
      'AllowGroups',
      { groups: ['root'], allowgroups: ['ssh'] },
      /^Add a group of root to AllowGroups \(root\)/,
      { groups: ['root'], allowgroups: ['ssh', 'root'] },
    ],
    [
      'DenyGroups',
      { groups: ['root adm'], denygroups: ['ad?', 'x'] },
      /^Take ad\? out of DenyGroups/,
      { groups: ['root adm'], denygroups: ['x'] },
    ],
    [
      'DenyGroups',
      { groups: ['adm'], denygroups: ['adm'] },
      /or root out of the group/,
      { groups: [], denygroups: ['adm'] },
    ],
    [
      'PubkeyAuthentication',
      { pubkeyauthentication: ['no'] },
      /^Set PubkeyAuthentication to yes/,
      { pubkeyauthentication: ['yes'] },
    ],
    [
      'AuthenticationMethods',
      { authenticationmethods: ['publickey,password'] },
      /^Add "publickey" as a list of its own/,
      { authenticationmethods: ['publickey,password', 'publickey'] },
    ],
    [
      'PermitRootLogin',
      { permitrootlogin: ['no'] },
      /^Set PermitRootLogin to prohibit-password/,
      { permitrootlogin: ['prohibit-password'] },
    ],
    [
      'Port',
      { port: ['2222'], listenaddress: ['0.0.0.0:2222'] },
      /^Write "Port 22" beside it/,
      { port: ['2222', '22'], listenaddress: ['0.0.0.0:2222', '0.0.0.0:22'] },
    ],
    [
      'ListenAddress',
      { port: ['22'], listenaddress: ['10.0.0.1:22'] },
      /\(ListenAddress 203\.0\.113\.10\)/,
      { port: ['22'], listenaddress: ['10.0.0.1:22', '203.0.113.10:22'] },
    ],
  ])('the remedy for %s lets in: %j, %s', (_, found, remedy, mended) => {
    expect(judge(found)?.remedy).toMatch(remedy)
    expect(judge(mended)).toBeUndefined()
  })

  test('what hangs on an address that is not known keeps nobody out', () => {
    expect(judge({ allowusers: ['root@192.0.2.1'], denyusers: ['root@198.51.100.7'] }, {}, null)).toBeUndefined()
    expect(judge({ port: ['2222'], listenaddress: ['0.0.0.0:2222'] }, {}, null)).toBeUndefined()
  })

  test('the setting is named with its file', () => {
    const line = (number: number, text: string, match?: string) => {
      const [keyword = '', value = ''] = text.split(/ (.*)/)
      return { path, number, text: `  ${text}  # mine`, keyword: keyword.toLowerCase(), value, match }
    }
    const lines = [
      line(1, 'AllowUsers chris'),
      line(3, 'AllowUsers ana bo', 'Address 198.51.100.7'),
      line(5, 'AllowUsers zoe', 'Address *'),
    ]
    expect(judge({ allowusers: ['chris', 'ana', 'bo'] }, { lines })?.reason).toMatch(
      `(AllowUsers chris in ${path}:1, AllowUsers ana bo for Address 198.51.100.7 in ${path}:3)`,
    )
  })
})

describe('what sshd says of our logins', () => {
  test('is nothing where there is no sshd; what it does not accept is not an answer', () => {
    const { parse } = sshdEntrance(['root'])
    expect(parse(nothing)).toBeNull()
    expect(() => parse({ code: 255, stdout: '', stderr: 'x.conf: Bad configuration option: Nonsense' })).toThrow(
      'Nonsense',
    )
    expect(
      parse({ code: 0, stdout: 'user root\ngroups root\nport 22\nconnection \nhost 192.0.2.1\n', stderr: '' }),
    ).toEqual({
      connection: null,
      users: { root: { groups: ['root'], port: ['22'] } },
    })
  })
})
