import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { overriding, sshd } from '@infra/shared/steps/host/sshd'
import { holds } from '@infra/shared/steps/host/sshd-strict'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'
import { told } from '../told.ts'

const folder = '/etc/ssh/sshd_config.d'
const path = `${folder}/00-valence.conf`
const settings = { PermitRootLogin: 'prohibit-password', PasswordAuthentication: 'no' }
const step = sshd(blank('a new host'), { dropIn: '00-valence.conf', settings, users: ['root'], login: 'root' })
const content =
  '# For each setting sshd takes the first value that it reads, and reads this file first.\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n'

const line = (path: string, number: number, text: string, match?: string) => {
  const [keyword = '', value = ''] = text.trim().split(/ (.*)/)
  return { path, number, text, keyword: keyword.toLowerCase(), value, match, from: path }
}
const include = line('/etc/ssh/sshd_config', 12, `Include ${folder}/*.conf`)
const yes = (file: string, match?: string) => line(`${folder}/${file}`, 1, 'PasswordAuthentication yes', match)
const unit = { exists: true, active: 'active', enabled: 'enabled', since: 2000 }
/** What sshd would do with root, who comes from 198.51.100.7. */
const entrance = (settings: object) => ({
  connection: { from: '198.51.100.7', host: '198.51.100.7', to: '203.0.113.10', port: 22 },
  users: { root: { groups: ['root'], port: ['22'], listenaddress: ['[::]:22', '0.0.0.0:22'], ...settings } },
})
const sound = {
  dropIn: { type: 'file', mode: '0644', owner: 'root', group: 'root', content },
  lines: [include],
  effective: { root: { permitrootlogin: ['prohibit-password'], passwordauthentication: ['no'] } },
  service: unit,
  socket: { ...unit, active: 'inactive', enabled: 'disabled', since: undefined },
  touched: 1000,
  rescued: false,
  entrance: entrance({}),
  armed: false,
  keys: { folder: null, file: null, lines: ['ssh-ed25519 AAAA'] },
}
// Our own login is another one than root.
const root = { entrance: { ...entrance({}), users: {} } }
const fine = '= PermitRootLogin prohibit-password, PasswordAuthentication no'
const asleep = { ...unit, active: 'inactive', enabled: 'disabled', since: undefined }

describe('sshd', () => {
  test.each<[string, object, string[]]>([
    ['as desired', {}, [fine]],
    [
      'a blank host',
      { ...sound, dropIn: null, lines: null, effective: null, keys: null, service: { ...asleep, exists: false } },
      [`+ ${path}`],
    ],
    ['no drop-in', { dropIn: null }, [`+ ${path}`]],
    ['a later file says otherwise', { lines: [include, yes('50-cloud-init.conf')] }, [fine]],
    [
      'an earlier file wins',
      { lines: [include, yes('00-aaa.conf')] },
      [`- sshd: passwordauthentication yes in ${folder}/00-aaa.conf:1`],
    ],
    [
      'a Match block wins',
      { lines: [include, yes('90.conf', 'User git')] },
      [`- sshd: passwordauthentication yes for User git in ${folder}/90.conf:1`],
    ],
    ['drop-ins are not read', { lines: [] }, ['~ /etc/ssh/sshd_config reads its drop-ins']],
    [
      'drop-ins are not read, and a Match block wins: the line that moves all others comes last',
      { lines: [line('/etc/ssh/sshd_config', 3, '\tPermitRootLogin yes', 'User backup')] },
      [
        '- sshd: permitrootlogin yes for User backup in /etc/ssh/sshd_config:3',
        '~ /etc/ssh/sshd_config reads its drop-ins',
      ],
    ],
    [
      'a value from who knows where',
      { effective: { root: { permitrootlogin: ['yes'] } } },
      ['! sshd would still have permitrootlogin yes for root'],
    ],
    [
      'a stricter value of another file, which ours would hide',
      { lines: [include, line('/etc/ssh/sshd_config', 40, 'PermitRootLogin no')], ...root },
      [`~ ${path}`],
    ],
    ['a looser one there', { lines: [include, line('/etc/ssh/sshd_config', 40, 'PermitRootLogin yes')] }, [fine]],
    [
      'a file that is read before ours by an Include of its own',
      {
        lines: [
          line('/etc/ssh/sshd_config', 2, 'Include mine/*.conf'),
          { ...yes('../mine/a.conf'), from: '/etc/ssh/mine/a.conf' },
          include,
        ],
      },
      [`- sshd: passwordauthentication yes in ${folder}/../mine/a.conf:1`],
    ],
    [
      'drop-ins that are read by a relative path',
      { lines: [line('/etc/ssh/sshd_config', 2, 'Include sshd_config.d/*.conf')] },
      [fine],
    ],
    ['older than its files', { touched: 3000 }, ['~ sshd restarted']],
    ['started anew after it had locked us out', { rescued: true }, ['~ sshd restarted']],
    [
      'older than its files, which would keep us out',
      { touched: 3000, entrance: entrance({ allowusers: ['chris'] }) },
      ['! root would not get in once sshd is restarted: AllowUsers does not allow it (allowusers chris)'],
    ],
    [
      'no drop-in, and what was never in force would keep us out',
      {
        dropIn: null,
        lines: [include, line(`${folder}/50.conf`, 3, 'AllowUsers chris')],
        entrance: entrance({ allowusers: ['chris'] }),
      },
      [
        `! root would not get in once sshd is restarted: AllowUsers does not allow it (AllowUsers chris in ${folder}/50.conf:3)`,
      ],
    ],
    ['what would keep us out, and no restart', { entrance: entrance({ allowusers: ['chris'] }) }, [fine]],
    ['started by its socket, asleep', { service: asleep, socket: unit, touched: 3000 }, [fine]],
    [
      'started by its socket, awake and old',
      { service: { ...unit, enabled: 'disabled' }, socket: unit, touched: 3000 },
      ['~ sshd restarted'],
    ],
    ['runs outside of systemd', { service: { ...asleep, enabled: 'enabled' } }, ['~ sshd restarted']],
    ['neither at boot', { service: { ...unit, enabled: 'disabled' } }, ['+ sshd at boot']],
    [
      'nobody could log in',
      { keys: { folder: null, file: null, lines: [] } },
      ['! no key would let root in once passwords are off'],
    ],
    ['no ssh.service', { service: { ...asleep, exists: false } }, ['! this host has no ssh.service']],
    ['an interrupted run', { armed: true }, ['~ sshd change of an interrupted run confirmed']],
  ])('%s', (_, now, desired) => {
    expect(told(step.plan({ ...sound, ...now }, { pending: [] }))).toEqual(desired)
  })

  test.each<[string, object, RegExp, object]>([
    ['a key', { keys: { ...sound.keys, lines: [] } }, /^Put a public key into ~root\/\.ssh\/authorized_keys/, {}],
    ['OpenSSH', { service: { ...asleep, exists: false } }, /^Install openssh-server/, {}],
    [
      'what grep finds taken away',
      { effective: { root: { permitrootlogin: ['yes'] } } },
      /^Look for it: grep -rin 'permitrootlogin' \/etc\/ssh$/,
      {},
    ],
  ])('the remedy leads out: %s', (_, now, remedy, mended) => {
    expect(step.plan({ ...sound, ...now } as never, { pending: [] })).toMatchObject({
      remedy: expect.stringMatching(remedy),
    })
    expect(told(step.plan({ ...sound, ...mended }, { pending: [] }))).toEqual([fine])
  })

  test('keys that an earlier step will add let the user in', () => {
    const now = { ...sound, dropIn: null, keys: { folder: null, file: null, lines: [] } }
    expect(told(step.plan(now, { pending: ['authorized keys of root'] }))).toEqual([`+ ${path}`])
  })

  test('a line is commented out where it is still the one that was read', () => {
    const file = join(tempFolder(), 'sshd_config')
    const decision = step.plan(
      { ...sound, lines: [include, line(file, 2, '\tPermitRootLogin yes', 'User it')] },
      { pending: [] },
    )
    const [change] = decision.kind === 'changes' ? decision.changes : []
    const edit = change?.run[1]?.line ?? ''
    const after = (before: string) => {
      writeFileSync(file, before)
      const { status, stderr } = spawnSync('sh', ['-c', edit], { encoding: 'utf8' })
      return { status, stderr, content: readFileSync(file, 'utf8') }
    }
    const content = 'Match User it\n#\tPermitRootLogin yes\n'
    expect(after('Match User it\n\tPermitRootLogin yes\n')).toEqual({ status: 0, stderr: '', content })
    const moved = 'X11Forwarding no\nMatch User it\n\tPermitRootLogin yes\n'
    expect(after(moved)).toEqual({ status: 1, stderr: `${file}:2 is another line by now\n`, content: moved })
  })

  test.each<[string, object, RegExp]>([
    ['files that were in force', { lines: [include, yes('00-a.conf')] }, /systemctl restart ssh/],
    ['files that were never in force', { touched: 3000, dropIn: { ...sound.dropIn, content: '' } }, /sshd -D -f \/run/],
    ['only a restart', { touched: 3000 }, /sshd -D -f \/run/],
    ['a first deployment', { dropIn: null }, /printf '%s\\n' 'PasswordAuthentication no' >\S+00-valence.conf/],
  ])('the way back from a change of %s', (_, now, line) => {
    const decision = step.plan({ ...sound, ...now }, { pending: [] })
    const [change] = decision.kind === 'changes' ? decision.changes : []
    expect(change?.guard?.undo?.line).toMatch(line)
    // Before ssh.service starts at boot: to wait for it would be to wait for ever.
    expect(change?.guard?.undoAtBoot?.line).not.toMatch(/systemctl (re)?start/)
    if (!String(line).includes('restart')) expect(change?.guard?.undoAtBoot?.line).toMatch(line)
  })

  test('which other users of ours would not get in is told, and is not a reason to refuse', () => {
    const users = { ...entrance({}).users, valence: { denyusers: ['valence'] } }
    const decision = step.plan({ ...sound, touched: 3000, entrance: { ...sound.entrance, users } }, { pending: [] })
    expect(told(decision)).toEqual(['~ sshd restarted'])
    expect(decision).toMatchObject({ notes: [expect.stringMatching(/^valence would not get in/)] })
  })

  test('what another file says more strictly is what our own says, too', () => {
    const lines = [
      include,
      line('/etc/ssh/sshd_config', 40, 'PermitRootLogin no'),
      line('/etc/ssh/sshd_config', 50, 'PermitRootLogin yes'),
    ]
    const decision = step.plan({ ...sound, ...root, lines }, { pending: [] })
    const [change] = decision.kind === 'changes' ? decision.changes : []
    expect(change?.diff).toMatchObject({ after: content.replace('prohibit-password', 'no') })
    const kept = { ...sound.dropIn, content: content.replace('prohibit-password', 'no') }
    const effective = { root: { permitrootlogin: ['no'], passwordauthentication: ['no'] } }
    expect(told(step.plan({ ...sound, ...root, lines, dropIn: kept, effective }, { pending: [] }))).toEqual([
      '= PermitRootLogin no, PasswordAuthentication no',
    ])
    // Where we log in as root, that would be the end of it.
    expect(
      told(step.plan({ ...sound, lines, entrance: entrance({ permitrootlogin: ['no'] }) }, { pending: [] })),
    ).toEqual([
      '! root would not get in once sshd is restarted: PermitRootLogin keeps root out (PermitRootLogin no in /etc/ssh/sshd_config:40)',
    ])
  })

  test('whom sshd must let in is not shut out, whether or not sshd would be changed', () => {
    const own = sshd(blank('a new host'), {
      dropIn: '00-valence.conf',
      settings,
      users: ['root'],
      login: 'root',
      entering: ['valence'],
    })
    const users = { ...entrance({}).users, valence: { allowusers: ['root'] } }
    const lines = [include, line(`${folder}/50.conf`, 1, 'AllowUsers root')]
    for (const more of [{}, { touched: 3000 }, { dropIn: null }])
      expect(own.plan({ ...sound, lines, entrance: { ...sound.entrance, users }, ...more }, { pending: [] })).toEqual({
        kind: 'refused',
        reason: `valence would not get in once sshd is restarted: AllowUsers does not allow it (AllowUsers root in ${folder}/50.conf:1)`,
        remedy: 'Add valence to AllowUsers, or take that line away, then run again.',
      })
  })

  test('every change is validated and guarded', () => {
    const decision = step.plan({ ...sound, dropIn: null }, { pending: [] })
    const [change] = decision.kind === 'changes' ? decision.changes : []
    expect(change?.run.map(({ line }) => line)).toContain('sshd -t')
    expect(change?.guard).toMatchObject({ name: 'sshd', seconds: 60 })
  })
})

test.each<[keyword: string, value: string, desired: string, expected: boolean]>([
  ['maxauthtries', '3', '6', true],
  ['maxauthtries', '10', '6', false],
  ['logingracetime', '20s', '30', true],
  ['logingracetime', '2m', '30', false],
  ['logingracetime', '0', '30', false],
  ['clientaliveinterval', '0', '60', false],
  ['allowtcpforwarding', 'no', 'local', true],
  ['allowtcpforwarding', 'yes', 'local', false],
  ['allowtcpforwarding', 'remote', 'local', false],
  ['loglevel', 'DEBUG1', 'VERBOSE', true],
  ['loglevel', 'INFO', 'VERBOSE', false],
  ['loglevel', 'LOUD', 'VERBOSE', false],
  ['macs', 'hmac-sha2-512', 'hmac-sha2-256,hmac-sha2-512', true],
  ['macs', '+hmac-sha1', 'hmac-sha2-256,hmac-sha2-512', false],
  ['passwordauthentication', 'yes', 'no', false],
])('whether "%s %s" is as strict as %s: %s', (keyword, value, desired, expected) => {
  expect(holds(keyword, value, desired)).toBe(expected)
})

test('a block that lets some accounts do less is left, one that lets them do more is not', () => {
  const less = line(`${folder}/90.conf`, 2, 'AllowTcpForwarding no', 'Group sftp')
  const more = line(`${folder}/90.conf`, 4, 'AllowTcpForwarding yes', 'User git')
  expect(overriding([include, less, more], path, { AllowTcpForwarding: 'local' })).toEqual([more])
})
