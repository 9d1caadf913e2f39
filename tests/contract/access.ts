import { sshd } from '@infra/shared/steps/host/sshd'
import { firewall } from '@infra/shared/steps/host/ufw'
import type { Kind } from './kind.ts'

const dropIn = '/etc/ssh/sshd_config.d/00-contract.conf'
const arm = (name: string) => `systemd-run --quiet --collect --unit=infra-revert-${name} --on-active=600 true`

/** Kinds that decide who gets in, each change of which is confirmed or reverted. */
export const accessKinds: readonly Kind[] = [
  {
    kind: 'sshd',
    covers: ['sshd'],
    steps: (on) => [
      sshd(on, {
        dropIn: '00-contract.conf',
        settings: { PasswordAuthentication: 'no', PermitRootLogin: 'prohibit-password', X11Forwarding: 'no' },
        users: ['root', 'valence'],
        login: 'root',
      }),
    ],
    damages: [
      { name: 'its drop-in removed', sh: `rm ${dropIn}`, says: /^\/etc\/ssh\/sshd_config.d\/00-contract.conf$/ },
      {
        name: 'its drop-in edited',
        sh: `sed -i s/no/yes/ ${dropIn}`,
        says: /^\/etc\/ssh\/sshd_config.d\/00-contract.conf$/,
      },
      {
        name: 'a drop-in that is read before it lets passwords in',
        sh: 'echo PasswordAuthentication yes >/etc/ssh/sshd_config.d/00-a.conf; systemctl restart ssh',
        says: /^sshd: passwordauthentication yes in .*00-a.conf:1$/,
      },
      {
        name: 'a Match block lets passwords in for one user',
        sh: `printf '%s\\n' 'Match User valence' '  PasswordAuthentication yes' >>/etc/ssh/sshd_config; systemctl restart ssh`,
        says: /^sshd: passwordauthentication yes for user valence in \/etc\/ssh\/sshd_config:\d+$/i,
      },
      {
        name: 'drop-ins are not read',
        sh: 'sed -i /^Include/d /etc/ssh/sshd_config; systemctl restart ssh',
        says: /^\/etc\/ssh\/sshd_config reads its drop-ins$/,
      },
      {
        name: 'drop-ins are not read, and a Match block lets root in: its own lines stay its own',
        sh: `sed -i /^Include/d /etc/ssh/sshd_config
printf '%s\\n' 'Match User backup' 'PermitRootLogin yes' 'ForceCommand /bin/false' >>/etc/ssh/sshd_config; systemctl restart ssh`,
        says: /^sshd: permitrootlogin yes for user backup in .*:\d+, \/etc\/ssh\/sshd_config reads its drop-ins$/i,
        healed: `tail -n 3 /etc/ssh/sshd_config | tr '\\n' ' ' | grep -qx 'Match User backup #PermitRootLogin yes ForceCommand /bin/false ' &&
sshd -T -C user=root,host=x,addr=192.0.2.1,laddr=192.0.2.2,lport=22 | grep -qx 'forcecommand none'`,
      },
      {
        name: 'not restarted after a change: a run that died in between',
        sh: `touch ${dropIn}`,
        says: /^sshd restarted$/,
      },
      { name: 'not started at boot', sh: 'systemctl disable ssh', says: /^sshd at boot$/ },
      { name: 'a revert that a killed run left armed', sh: arm('sshd'), says: /interrupted run confirmed$/ },
      {
        name: 'a configuration that sshd does not accept',
        sh: 'echo Nonsense yes >/etc/ssh/sshd_config.d/99-nonsense.conf',
        stops: /sshd does not accept its configuration/,
        mend: 'rm /etc/ssh/sshd_config.d/99-nonsense.conf; systemctl restart ssh',
      },
    ],
  },
  {
    kind: 'firewall',
    covers: ['firewall'],
    steps: (on) => [firewall(on, { tcp: [80, 443], ssh: 22 })],
    damages: [
      { name: 'disabled', sh: 'ufw --force disable', says: /^firewall enabled$/ },
      { name: 'a foreign rule', sh: 'ufw allow 9999/tcp', says: /^foreign firewall rule: .*9999$/ },
      { name: 'a rule for one source', sh: 'ufw allow from 198.51.100.7 to any port 5432', says: /^foreign .*5432$/ },
      { name: 'a rule removed', sh: 'ufw delete allow 443/tcp', says: /^firewall rules: allow 443\/tcp$/ },
      { name: 'open by default', sh: 'ufw default allow incoming', says: /^firewall enabled: deny incoming/ },
      {
        name: 'closed for what goes out',
        sh: 'ufw default deny outgoing',
        says: /^firewall enabled: .*allow outgoing/,
      },
      { name: 'its unit disabled', sh: 'systemctl disable ufw', says: /^firewall at boot$/ },
      {
        name: 'flushed in the kernel by another tool',
        sh: 'iptables -P INPUT ACCEPT; iptables -F',
        says: /^firewall (enabled|rules loaded anew)$/,
      },
      { name: 'a revert that a killed run left armed', sh: arm('ufw'), says: /interrupted run confirmed$/ },
      {
        name: 'its unit masked',
        sh: 'systemctl mask ufw',
        stops: /ufw.service is masked/,
      },
    ],
  },
]
