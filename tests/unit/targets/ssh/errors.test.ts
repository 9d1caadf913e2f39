import type { SshAddress } from '@infra/shared/targets/ssh/connection'
import { sshFailure } from '@infra/shared/targets/ssh/errors'
import { describe, expect, test } from 'vitest'

const address: SshAddress = {
  host: '203.0.113.10',
  port: 22,
  user: 'admin',
  keyFile: '/home/me/.ssh/pod',
  knownHosts: '/srv/infra/.infra/known_hosts',
}

const changedKey = `@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Someone could be eavesdropping on you right now (man-in-the-middle attack)!
It is also possible that a host key has just been changed.
The fingerprint for the ED25519 key sent by the remote host is
SHA256:jhGdoGnzjDzfVLLqBdUgPwHpPTHTM1eYcPoDOjLNLNE.
Please contact your system administrator.
Add correct host key in /srv/infra/.infra/known_hosts to get rid of this message.
Offending ED25519 key in /srv/infra/.infra/known_hosts:1
Host key for 203.0.113.10 has changed and you have requested strict checking.
Host key verification failed.
`

const openKey = `@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Permissions 0644 for '/home/me/.ssh/pod' are too open.
It is required that your private key files are NOT accessible by others.
This private key will be ignored.
Load key "/home/me/.ssh/pod": bad permissions
admin@203.0.113.10: Permission denied (publickey).
`

/** What OpenSSH and sudo really say, what we make of it, and what we advise. */
const table: [stderr: string, message: RegExp, remedy: RegExp][] = [
  [
    changedKey,
    /host key .* is not the one seen before/,
    /ssh-keygen -f \/srv\/infra\/.infra\/known_hosts -R '203.0.113.10'/,
  ],
  [
    'ssh: connect to host 203.0.113.10 port 22: Connection refused',
    /refuses the connection/,
    /port 22.*fail2ban.*VALENCE_SSH_PORT/,
  ],
  ['ssh: connect to host 203.0.113.10 port 22: Connection timed out', /does not answer/, /running/],
  ['ssh: connect to host 203.0.113.10 port 22: Operation timed out', /does not answer/, /VALENCE_POD_IP/],
  ['Connection timed out during banner exchange\nConnection to 203.0.113.10 port 22 timed out', /does not answer/, /./],
  ['ssh: connect to host 203.0.113.10 port 22: No route to host', /does not answer/, /firewall/],
  [
    'ssh: connect to host 203.0.113.10 port 22: Network is unreachable',
    /^this machine has no network/,
    /this machine online\?$/,
  ],
  ['Timeout, server 203.0.113.10 not responding.', /does not answer/, /./],
  ['no answer for 120 seconds', /does not answer/, /./],
  ['ssh: Could not resolve hostname pod.example: Name or service not known', /cannot be resolved/, /DNS/],
  [
    'ssh: Could not resolve hostname pod.example: Temporary failure in name resolution',
    /cannot be resolved/,
    /online.*DNS/,
  ],
  [
    'Warning: Identity file /home/me/.ssh/pod not accessible: No such file or directory.\nadmin@203.0.113.10: Permission denied (publickey).',
    /private key .* is not there/,
    /VALENCE_SSH_PRIVATE_KEY_FILE/,
  ],
  [
    'no such identity: /home/me/.ssh/pod: No such file or directory\nadmin@203.0.113.10: Permission denied (publickey).',
    /private key .* is not there/,
    /VALENCE_SSH_PRIVATE_KEY_FILE/,
  ],
  [openKey, /others can read it/, /chmod 600 \/home\/me\/.ssh\/pod/],
  [
    'Load key "/home/me/.ssh/pod": error in libcrypto\nadmin@203.0.113.10: Permission denied (publickey).',
    /cannot read the private key/,
    /\/home\/me\/.ssh\/pod/,
  ],
  [
    'Load key "/x": invalid format\nadmin@203.0.113.10: Permission denied (publickey).',
    /cannot read the private key/,
    /\.pub/,
  ],
  ['admin@203.0.113.10: Permission denied (publickey).', /permission denied/, /authorized_keys.*passphrase/],
  ['admin@203.0.113.10: Permission denied (publickey,password).', /permission denied/, /now \/home\/me\/.ssh\/pod/],
  [
    'Received disconnect from 203.0.113.10 port 22:2: Too many authentication failures',
    /permission denied/,
    /ssh agent|now/,
  ],
  ['sudo: a password is required', /sudo on admin@203.0.113.10 wants a password/, /NOPASSWD.*VALENCE_SSH_USER=root/],
  ['sudo: a terminal is required to read the password; either use the -S option', /wants a password/, /Let admin use/],
  ['sudo: no tty present and no askpass program specified', /wants a password/, /NOPASSWD/],
  ['sudo: interactive authentication is required', /wants a password/, /NOPASSWD/],
  ['sudo: sorry, you must have a tty to run sudo', /on a terminal only \(requiretty\)/, /Defaults:admin !requiretty/],
  ['admin is not in the sudoers file.  This incident will be reported.', /may not use sudo/, /sudoers/],
  ['Sorry, user admin may not run sudo on pod.', /may not use sudo/, /sudoers/],
  ['bash: line 1: sudo: command not found', /may not use sudo/, /VALENCE_SSH_USER=root/],
  ['sh: 1: sudo: not found', /may not use sudo/, /./],
  ['Connection closed by 203.0.113.10 port 22', /was closed/, /fail2ban/],
  [
    'kex_exchange_identification: read: Connection reset by peer\nConnection reset by 203.0.113.10 port 22',
    /was closed/,
    /./,
  ],
  ['client_loop: send disconnect: Broken pipe', /was closed/, /./],
]

describe('what ssh says, in one clear line and with what to do', () => {
  test.each(table)('%s', (stderr, message, remedy) => {
    const failure = sshFailure(address, stderr)
    expect(failure.kind).toBe('unreachable')
    expect(failure.message).toMatch(message)
    expect(failure.message).not.toContain('\n')
    expect(failure.remedy).toMatch(remedy)
    expect(failure.detail.length).toBeGreaterThan(0)
    expect(failure.detail.length).toBeLessThanOrEqual(6)
    expect(failure.detail.join('\n')).not.toContain('@@@')
  })

  test.each(['sh: 1: exec: ssh: not found', 'bash: ssh: command not found'])(
    'no ssh here is no host away: %s',
    (said) => {
      const failure = sshFailure(address, said)
      expect([failure.kind, failure.remedy]).toEqual(['error', expect.stringContaining('openssh-client')])
    },
  )

  test('anything else is told as it is', () => {
    const failure = sshFailure(address, 'Bad configuration option: nonsense')
    expect(failure.message).toBe('ssh to admin@203.0.113.10 failed')
    expect(failure.detail).toEqual(['Bad configuration option: nonsense'])
  })

  test('another port is named, as ssh-keygen wants it', () => {
    const failure = sshFailure({ ...address, port: 2222 }, changedKey)
    expect(failure.message).toContain('admin@203.0.113.10 port 2222')
    expect(failure.remedy).toContain("-R '[203.0.113.10]:2222'")
  })

  test('a connection that breaks in mid-run says what was under way, and that it is uncertain', () => {
    const failure = sshFailure(address, 'client_loop: send disconnect: Broken pipe', {
      during: 'running: apt-get install x',
    })
    expect(failure.message).toBe('the connection to admin@203.0.113.10 was lost while running: apt-get install x')
    expect(failure.remedy).toContain('may or may not')
  })

  test.each([
    ['no answer for 120 seconds', /^logged in to admin@203\.0\.113\.10, but the host did not answer for 120 s$/],
    ['', /^logged in to admin@203\.0\.113\.10, but the host ended the session at once$/],
  ])('a login that went through, with nothing after it (%j), is told as that', (stderr, message) => {
    const failure = sshFailure(address, stderr, { loggedIn: true })
    expect(failure).toMatchObject({ kind: 'unreachable', message: expect.stringMatching(message) })
    expect(failure.remedy).toMatch(/PAM.*time ssh admin@203\.0\.113\.10 true.*journalctl -u ssh/)
  })

  test('after a login too sudo is told by its own words', () => {
    const failure = sshFailure(address, 'sudo: a password is required', { loggedIn: true })
    expect(failure.message).toMatch(/wants a password/)
  })

  test('a lost lock is not a lost connection', () => {
    expect(sshFailure(address, 'the lock was lost\n', { during: 'running: x' })).toMatchObject({ kind: 'locked' })
  })
})
