import { Failure } from '../../engine/failure.ts'
import type { SshAddress } from './connection.ts'

/** OpenSSH's own words, and ours: one clear message each, with what to do. First match wins. */
const changed = /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed/

const cases: readonly [pattern: RegExp, say: (at: string) => string, remedy: (address: SshAddress) => string][] = [
  [
    changed,
    (at) => `the host key of ${at} is not the one seen before`,
    ({ host, port, knownHosts }) =>
      `If the machine was rebuilt, forget the old key: ssh-keygen -f ${knownHosts} -R '${port === 22 ? host : `[${host}]:${port}`}'. If not, somebody may stand in between: do not go on.`,
  ],
  [
    /Connection refused/,
    (at) => `${at} refuses the connection`,
    ({ port }) =>
      `Nothing listens on port ${port}, or a firewall rejects it, as fail2ban does for an hour after 3 failed logins. Is sshd running? Is VALENCE_SSH_PORT right?`,
  ],
  [
    /Network is unreachable/,
    (at) => `this machine has no network that leads to ${at}`,
    ({ host }) =>
      host.includes(':') ? 'Is this machine online, with IPv6? Its ip -6 route shows.' : 'Is this machine online?',
  ],
  [
    /timed out|not responding|no answer for|No route to host|Host is down/i,
    (at) => `${at} does not answer`,
    () => 'Is the machine running, is VALENCE_POD_IP right, does a firewall let you in?',
  ],
  [
    /Could not resolve hostname|Name or service not known/,
    (at) => `the name of ${at} cannot be resolved`,
    () => 'Is this machine online? Otherwise check VALENCE_POD_IP and the DNS of this machine.',
  ],
  [
    /not accessible: No such file|Identity file .* not accessible|no such identity/,
    (at) => `the private key for ${at} is not there`,
    () => 'Check VALENCE_SSH_PRIVATE_KEY_FILE.',
  ],
  [
    /UNPROTECTED PRIVATE KEY FILE|bad permissions/,
    () => 'ssh ignores the private key: others can read it',
    ({ keyFile }) => `chmod 600 ${keyFile ?? 'the key file'}`,
  ],
  [
    /Load key .*: (invalid format|error in libcrypto)/,
    () => 'ssh cannot read the private key',
    ({ keyFile }) =>
      `Is ${keyFile ?? 'the key file'} the private half (not .pub), whole, with the line end of its last line?`,
  ],
  [
    /Permission denied|Too many authentication failures/,
    (at) => `permission denied: ${at} does not accept this key`,
    ({ keyFile }) =>
      `Is the right key in VALENCE_SSH_PRIVATE_KEY_FILE${keyFile ? ` (now ${keyFile})` : ' or in your ssh agent'}, and its public half in the user's authorized_keys? A key with a passphrase needs ssh-add first.`,
  ],
  [
    /sudo: .*(password|terminal|askpass|interactive authentication)/,
    (at) => `sudo on ${at} wants a password`,
    ({ user }) => `Let ${user} use sudo without one (NOPASSWD in /etc/sudoers.d), or set VALENCE_SSH_USER=root.`,
  ],
  [
    /sudo: .*must have a tty/,
    (at) => `sudo on ${at} works on a terminal only (requiretty), and a deployment has none`,
    ({ user }) =>
      `On the host, as root: echo 'Defaults:${user} !requiretty' >/etc/sudoers.d/${user}-no-tty, mode 0440. Or set VALENCE_SSH_USER=root.`,
  ],
  [
    /not in the sudoers file|may not run sudo|sudo: (command )?not found/,
    (at) => `the user of ${at} may not use sudo`,
    ({ user }) => `Add ${user} to sudoers with NOPASSWD, or set VALENCE_SSH_USER=root.`,
  ],
  [
    /Connection (closed|reset)|Broken pipe|client_loop|kex_exchange_identification/i,
    (at) => `the connection to ${at} was closed`,
    () =>
      'The host ended it: too many connections, a fail2ban ban of your address, or a reboot. Wait a little, run again.',
  ],
]

export interface WhenLost {
  /** What was under way when the connection broke. */
  readonly during?: string | undefined
  /** Whether the host had let us in by then, and had said nothing yet. */
  readonly loggedIn?: boolean
}

/** The failure that ssh's stderr tells of. */
export function sshFailure(address: SshAddress, stderr: string, { during, loggedIn = false }: WhenLost = {}): Failure {
  const at = `${address.user}@${address.host}${address.port === 22 ? '' : ` port ${address.port}`}`
  const found = cases.find(([pattern]) => pattern.test(stderr))
  if (/the lock was lost/.test(stderr)) {
    return new Failure('locked', `the lock on ${at} was lost: another run took it, or it was removed by hand`, {
      remedy: 'See that no other run is under way, then run again: it checks the current state first.',
    })
  }
  if (/\bssh: (command )?not found/.test(stderr))
    return new Failure('error', 'this machine has no ssh', {
      remedy: 'Install it: apt-get install openssh-client (Debian, Ubuntu), dnf install openssh-clients (Fedora).',
    })
  if (address.hostKey !== undefined && changed.test(stderr))
    return new Failure('unreachable', `the host key of ${at} is not the one that VALENCE_SSH_HOST_KEY names`, {
      remedy:
        "If the machine was rebuilt, read its new key on the provider's console (cat /etc/ssh/ssh_host_ed25519_key.pub) and set it. If not, somebody may stand in between: do not go on.",
    })
  const silent = loggedIn ? silence(at, stderr, found) : undefined
  if (silent) return new Failure('unreachable', ...silent)
  const lost = during ? `the connection to ${at} was lost while ${during}` : undefined
  const message = lost ?? found?.[1](at) ?? `ssh to ${at} failed`
  const remedy = lost
    ? 'What was under way may or may not have been done. When the host answers again, run the same command: it checks the current state first.'
    : found?.[2](address)
  return new Failure('unreachable', message, {
    ...(remedy && { remedy }),
    detail: stderr
      .trim()
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('@'))
      .slice(-6),
  })
}

/** What is told of a host that let us in and then said nothing; undefined where ssh or sudo did say something. */
function silence(
  at: string,
  stderr: string,
  found: (typeof cases)[number] | undefined,
): [message: string, { remedy: string }] | undefined {
  const seconds = stderr.match(/^no answer for (\d+) seconds$/m)?.[1]
  if (seconds === undefined && (found || stderr.trim() !== '')) return undefined
  const what = seconds === undefined ? 'the host ended the session at once' : `the host did not answer for ${seconds} s`
  const remedy = `Something in the login holds it up: a module of PAM, a home folder that is not there, a host without memory. See how long this takes: time ssh ${at.replace(/ port (\d+)$/, ' -p $1')} true. On the host: journalctl -u ssh -n 50.`
  return [`logged in to ${at}, but ${what}`, { remedy }]
}
