import { all, raw, type Shell, sh } from '../../command/sh.ts'
import { rescueConfig, rescueUnit } from '../../facts/host/sshd.ts'

// Sessions survive a restart (KillMode=process). Where a socket starts sshd, one that does not run has nothing to do.
// A listener that systemd lost sight of has the port: the unit would fail to start, and take away the /run/sshd that the
// listener needs, so it must go first. systemd refuses the sixth start within ten seconds, a revert's as well, and then
// there is no sshd: it is made to forget the others.
const start = raw(
  `systemctl reset-failed ssh.service 2>/dev/null
if systemctl is-active --quiet ssh.service; then systemctl restart ssh.service
elif ! systemctl is-active --quiet ssh.socket; then
if pkill -f '^sshd: .*[[]listener[]]'; then sleep 1; fi; systemctl start ssh.service; fi`,
)

/** sshd started anew with the files below /etc/ssh, whatever it was started with before. */
export const restartSshd: Shell = raw(
  `if [ -e ${rescueUnit} ]; then rm -f ${rescueUnit} ${rescueConfig} && systemctl daemon-reload; fi\n${start.line}`,
)

/** For whom sshd is started all the same. */
export interface Rescue {
  /** Who may come in, beside those whom AllowUsers allows. */
  readonly users: readonly string[]
  /** Where sshd shall listen, unless a socket does. */
  readonly port: number
}

/** {@link rescueSshd} without its start: before ssh.service starts at boot, which must not be waited for there. */
export function rescueAtBoot(rescue: Rescue): Shell {
  // `sshd -T` wants its folder, which the unit makes.
  return all(sh`mkdir -p -m 0755 /run/sshd`, rescueFiles(rescue), sh`systemctl daemon-reload`)
}

/**
 * The way back when a restart locked us out. The same restart would read the same files, and what sshd had in force before
 * cannot be read from anywhere. So it is started with a configuration of its own, which lets in these users by key alone,
 * until the next deployment or boot. The files below /etc/ssh stay as they are.
 */
export function rescueSshd(rescue: Rescue): Shell {
  return all(rescueFiles(rescue), sh`systemctl daemon-reload; ${start}`)
}

function rescueFiles({ users, port }: Rescue): Shell {
  const lines = [
    `Port ${port}`,
    `AllowUsers ${[...new Set(users)].join(' ')}`,
    'PubkeyAuthentication yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'UsePAM yes',
  ]
  const unit = ['[Service]', 'ExecStartPre=', 'ExecStart=', `ExecStart=/usr/sbin/sshd -D -f ${rescueConfig}`]
  const folders = [rescueConfig, rescueUnit].map((path) => path.slice(0, path.lastIndexOf('/')))
  // The host keys stay those that the client knows.
  const kept = raw(
    `sshd -T 2>/dev/null | sed -n -e 's/^hostkey /HostKey /p' -e 's/^hostcertificate \\(\\/.*\\)/HostCertificate \\1/p' -e 's/^allowusers /AllowUsers /p'`,
  )
  return all(
    sh`mkdir -p ${folders}`,
    sh`{ printf ${'%s\\n'} ${lines}; ${kept}; } >${rescueConfig}`,
    sh`printf ${'%s\\n'} ${unit} >${rescueUnit}`,
  )
}
