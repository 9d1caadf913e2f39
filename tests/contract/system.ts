import { text } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { jail } from '@infra/shared/steps/host/fail2ban'
import { directory, file } from '@infra/shared/steps/host/file'
import { line } from '@infra/shared/steps/host/line'
import { timezone } from '@infra/shared/steps/host/timezone'
import { authorized, user } from '@infra/shared/steps/host/user'
import type { Kind } from './kind.ts'

const keys = [
  'AAAAC3NzaC1lZDI1NTE5AAAAIGbU3GZA2deOGdL6V9pXBatKlCIO1',
  'AAAAC3NzaC1lZDI1NTE5AAAAIOtherKeyOfTheContract',
].map((base64, index) => ({ base64, line: `ssh-ed25519 ${base64} key ${index + 1}` }))
const conf = '/etc/contract/conf'
/** Kinds of the system itself: files, users, the time zone, a jail. */
export const systemKinds: readonly Kind[] = [
  {
    kind: 'file',
    covers: ['file'],
    prepare: 'mkdir -p /etc/contract',
    steps: (on) => [file(on, conf, { content: 'one = 1\n', mode: '0640', group: 'valence' })],
    damages: [
      { name: 'edited', sh: `echo 'two = 2' >>${conf}`, says: /^\/etc\/contract\/conf$/ },
      { name: 'emptied', sh: `: >${conf}`, says: /^\/etc\/contract\/conf$/ },
      { name: 'removed', sh: `rm ${conf}`, says: /^\/etc\/contract\/conf$/ },
      { name: 'open to everybody', sh: `chmod 666 ${conf}`, says: /0666 root:valence → 0640 root:valence$/ },
      { name: 'owned by another', sh: `chown valence:root ${conf}`, says: /0640 valence:root → 0640 root:valence$/ },
      {
        name: 'a folder in its place',
        sh: `mv ${conf} ${conf}.kept; mkdir ${conf}`,
        stops: /is a directory, not a file/,
      },
    ],
  },
  {
    kind: 'file with a secret',
    covers: ['file'],
    prepare: 'mkdir -p /etc/contract',
    steps: (on) => [
      file(on, '/etc/contract/secret', { content: text`token = ${secret('not to be seen 17')}\n`, mode: '0600' }),
    ],
    damages: [
      { name: 'edited', sh: `echo >>/etc/contract/secret`, says: /^\/etc\/contract\/secret$/ },
      { name: 'open to everybody', sh: 'chmod 644 /etc/contract/secret', says: /0644 root:root → 0600 root:root$/ },
    ],
  },
  {
    kind: 'directory',
    covers: ['directory'],
    steps: (on) => [directory(on, '/opt/contract/folder', { owner: 'valence', mode: '0750' })],
    damages: [
      { name: 'removed', sh: 'rm -rf /opt/contract/folder', says: /^\/opt\/contract\/folder\/$/ },
      { name: 'open to everybody', sh: 'chmod 777 /opt/contract/folder', says: /0777 .* → 0750 valence:valence$/ },
      { name: 'owned by root', sh: 'chown root: /opt/contract/folder', says: /root:root → 0750 valence:valence$/ },
      {
        name: 'a file in its place',
        sh: 'rmdir /opt/contract/folder; touch /opt/contract/folder',
        stops: /is a file, not a directory/,
      },
    ],
  },
  {
    kind: 'line of a file',
    covers: ['line'],
    steps: (on) => [line(on, '/home/valence/.profile', 'export CONTRACT=yes', { owner: 'valence' })],
    damages: [
      { name: 'removed', sh: 'sed -i /CONTRACT/d /home/valence/.profile', says: /^\/home\/valence\/.profile$/ },
      {
        name: 'commented out',
        sh: 'sed -i "s/^export CONTRACT/#&/" /home/valence/.profile',
        says: /^\/home\/valence\/.profile$/,
      },
      {
        name: 'replaced by one without the end of a line',
        sh: 'printf "export CONTRACT=no" >/home/valence/.profile',
        says: /^\/home\/valence\/.profile$/,
      },
      { name: 'gone with its file', sh: 'rm /home/valence/.profile', says: /^\/home\/valence\/.profile$/ },
    ],
  },
  {
    kind: 'user',
    covers: ['user'],
    steps: (on) => [user(on, 'contract', { groups: ['sudo'] })],
    damages: [
      { name: 'removed', sh: 'userdel --remove contract', says: /^user contract$/ },
      { name: 'removed, but not its home', sh: 'userdel contract', says: /^user contract$/ },
      {
        name: 'another shell',
        sh: 'usermod --shell /usr/sbin/nologin contract',
        says: /^shell of contract → \/bin\/bash/,
      },
      { name: 'out of its group', sh: 'gpasswd --delete contract sudo', says: /^contract in group sudo$/ },
      { name: 'without a password', sh: 'passwd --delete contract', says: /^no login without a password for contract/ },
      { name: 'its home removed', sh: 'rm -rf /home/contract', says: /^home of contract$/ },
      { name: 'its home owned by root', sh: 'chown root: /home/contract', says: /^home of contract, owned by root$/ },
    ],
  },
  {
    kind: 'authorized keys',
    covers: ['authorized'],
    prepare: 'useradd --create-home keyholder',
    steps: (on) => [authorized(on, 'keyholder', keys)],
    damages: [
      {
        name: 'a key removed',
        sh: 'sed -i "/key 2/d" ~keyholder/.ssh/authorized_keys',
        says: /^key of keyholder: key 2$/,
      },
      {
        name: 'a key commented out',
        sh: 'sed -i "/key 1/s/^/# /" ~keyholder/.ssh/authorized_keys',
        says: /^key of keyholder: key 1$/,
      },
      { name: 'the folder removed', sh: 'rm -rf ~keyholder/.ssh', says: /^2 keys of keyholder/ },
      {
        name: 'open to be written by others, which sshd refuses',
        sh: 'chmod 777 ~keyholder/.ssh; chmod 666 ~keyholder/.ssh/authorized_keys',
        says: /.ssh 0777 keyholder → 0700 keyholder, .*authorized_keys 0666 keyholder → 0600 keyholder$/,
      },
      {
        name: 'written by root with root as its owner',
        sh: 'chown root: ~keyholder/.ssh/authorized_keys',
        says: /authorized_keys 0600 root → 0600 keyholder/,
      },
      {
        name: 'the file a link',
        sh: 'mv ~keyholder/.ssh/authorized_keys ~keyholder/keys; ln -s ../keys ~keyholder/.ssh/authorized_keys',
        stops: /authorized_keys is a symbolic link/,
        mend: 'mv ~keyholder/keys ~keyholder/.ssh/authorized_keys',
      },
    ],
  },
  {
    kind: 'time zone',
    covers: ['timezone'],
    prepare: 'echo Etc/UTC >/etc/timezone',
    steps: (on) => [timezone(on, 'Europe/Zurich')],
    damages: [
      {
        name: 'another zone',
        sh: 'ln -sf /usr/share/zoneinfo/America/Toronto /etc/localtime',
        says: /^time zone America\/Toronto → Europe\/Zurich$/,
      },
      { name: 'its link removed', sh: 'rm /etc/localtime', says: /^time zone UTC → Europe\/Zurich$/ },
      {
        name: 'a copy of a zone in place of the link',
        sh: 'rm /etc/localtime; cp /usr/share/zoneinfo/Europe/Paris /etc/localtime',
        says: /^time zone a file of its own → Europe\/Zurich$/,
      },
      { name: 'another name of it told', sh: 'echo Asia/Tokyo >/etc/timezone', says: /Asia\/Tokyo → Europe\/Zurich$/ },
    ],
  },
  {
    kind: 'fail2ban jail',
    covers: ['jail'],
    steps: (on) => [
      jail(on, 'sshd', {
        settings: {
          enabled: 'true',
          backend: 'systemd',
          maxretry: '4',
          findtime: '10m',
          bantime: '1h',
          ignoreself: 'true',
        },
        inForce: { maxretry: '4', findtime: '600', bantime: '3600' },
      }),
    ],
    damages: [
      { name: 'stopped', sh: 'systemctl stop fail2ban', says: /^fail2ban started$/ },
      { name: 'disabled', sh: 'systemctl disable fail2ban', says: /^fail2ban at boot$/ },
      {
        name: 'its file edited',
        sh: 'sed -i s/1h/1m/ /etc/fail2ban/jail.d/zz-sshd.local',
        says: /zz-sshd.local, fail2ban restarted$/,
      },
      {
        name: 'its file removed',
        sh: 'rm /etc/fail2ban/jail.d/zz-sshd.local',
        says: /zz-sshd.local, fail2ban restarted/,
      },
      {
        name: 'turned down in the running server',
        sh: 'fail2ban-client set sshd maxretry 100',
        says: /^fail2ban restarted: it has maxretry 100$/,
      },
      { name: 'taken out of the running server', sh: 'fail2ban-client stop sshd', says: /: it has no jail sshd$/ },
      {
        name: 'not restarted after a change',
        sh: 'touch /etc/fail2ban/jail.d/zz-sshd.local',
        says: /^fail2ban restarted$/,
      },
      {
        name: 'masked',
        sh: 'systemctl mask fail2ban',
        stops: /fail2ban.service is masked/,
      },
    ],
  },
]
