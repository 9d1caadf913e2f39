/** The ports on which nginx answers: web, and Matrix federation. */
export const webPorts: readonly number[] = [80, 443, 8448]

/** The TCP ports that everybody may reach beside ssh. */
export const openPorts: readonly number[] = [...webPorts]

/** Where Synapse and PostgreSQL may come from: what these sites have newer is taken as security updates are. */
export const vendorOrigins = { synapse: 'packages.matrix.org', postgresql: 'apt.postgresql.org' } as const

/**
 * Only keys let anybody in: an agent that offers six of them too (MaxAuthTries). What is lent over a connection is a tunnel
 * into the host, as to its database. Whoever does not answer for three minutes is gone, and the lock with it.
 */
export const sshdSettings: Readonly<Record<string, string>> = {
  PermitRootLogin: 'prohibit-password',
  PubkeyAuthentication: 'yes',
  PasswordAuthentication: 'no',
  KbdInteractiveAuthentication: 'no',
  X11Forwarding: 'no',
  AllowTcpForwarding: 'local',
  AllowAgentForwarding: 'no',
  MaxAuthTries: '6',
  LoginGraceTime: '30',
  ClientAliveInterval: '60',
  ClientAliveCountMax: '3',
  // OpenSSH's own list without SHA-1 and without tags of 64 bits.
  MACs: [
    ...['umac-128-etm@openssh.com', 'hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
    ...['umac-128@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  ].join(','),
  // With each key that was offered.
  LogLevel: 'VERBOSE',
}

// Where only keys open, all that sshd says of an attempt at a user that exists is this, and fail2ban's own filter does
// not count it.
const attempt =
  '^(?:Connection (?:closed|reset) by|Disconnected from) authenticating user <F-USER>\\S+</F-USER> <ADDR> port \\d+ \\[preauth\\]\\s*$'

/** fail2ban's jail for sshd: 3 attempts within 10 minutes, banned for an hour. */
export const sshBan = (port: number) => ({
  settings: {
    enabled: 'true',
    port: port === 22 ? 'ssh' : `ssh,${port}`,
    backend: 'systemd',
    journalmatch: '_SYSTEMD_UNIT=ssh.service + _COMM=sshd + _COMM=sshd-session',
    failregex: `${attempt}\n            %(known/failregex)s`,
    banaction: 'nftables',
    maxretry: '3',
    findtime: '10m',
    bantime: '1h',
    ignoreself: 'true',
  },
  inForce,
})

const inForce = { maxretry: '3', findtime: '600', bantime: '3600' }
