import { secret } from '@infra/shared/command/secret'
import type { Target } from '@infra/shared/engine/target'
import { aptPackages } from '@infra/shared/steps/host/apt'
import { aptSource } from '@infra/shared/steps/host/apt-source'
import { directory } from '@infra/shared/steps/host/file'
import { gitCheckout } from '@infra/shared/steps/host/git'
import { installer } from '@infra/shared/steps/host/installer'
import { supportedSystem } from '@infra/shared/steps/host/os'
import { statOverride } from '@infra/shared/steps/host/stat-override'
import { systemUser } from '@infra/shared/steps/host/system-user'
import { unattendedUpgrades, upgradesFrom } from '@infra/shared/steps/host/unattended-upgrades'
import { pgdgSource } from '@infra/shared/steps/postgres/pgdg'
import { mirrors } from '../lab/machine.ts'
import { awaits } from '../support/wait.ts'
import type { Kind } from './kind.ts'

// The machine's own, which the host's other sources use as well.
const mirror = (await mirrors().catch(() => undefined))?.archive ?? 'http://mirror.invalid/debian'
const packaged = '/srv/contract-package'
const site = new URL(mirror).hostname

const repo = '/opt/contract/repo'
// A proxy of user valence's: it keeps what it is told, and asks for a password.
const thief = `cat >/tmp/thief.py <<'END'
import os, socket
door = socket.create_server(("127.0.0.1", 8419))
open("/tmp/thief.pid", "w").write(str(os.getpid()))
while True:
    guest, _ = door.accept()
    open("/tmp/thief.log", "ab").write(guest.recv(65536))
    guest.sendall(b'HTTP/1.1 401 No\\r\\nWWW-Authenticate: Basic realm="x"\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n')
    guest.close()
END
setsid runuser -u valence -- python3 /tmp/thief.py </dev/null >/dev/null 2>&1 &
${awaits('/tmp/thief.pid')}`

const privateRepo = '/opt/contract/private'
const inPrivate = (git: string) => `runuser -u valence -- git -C ${privateRepo} ${git}`
const inRepo = (git: string) => `runuser -u valence -- git -C ${repo} ${git}`

const backports = (on: Target) =>
  aptSource(on, 'backports', {
    uri: mirror,
    suite: (release) => `${release}-backports`,
    components: ['main'],
    signedBy: '/usr/share/keyrings/debian-archive-keyring.gpg',
    needless: () => 'not needed',
  })

/** Kinds that bring software: packages, sources, a repository, an installer. */
export const packageKinds: readonly Kind[] = [
  {
    kind: 'operating system',
    covers: ['supportedSystem'],
    judges: true,
    steps: (on) => [supportedSystem(on)],
    damages: [
      {
        name: 'another distribution',
        sh: `cp -P /etc/os-release /etc/os-release.kept; rm /etc/os-release
printf '%s\\n' 'ID=fedora' 'VERSION_ID=43' 'PRETTY_NAME="Fedora Linux 43"' >/etc/os-release`,
        stops: /Fedora Linux 43 is not supported/,
        mend: 'mv -f /etc/os-release.kept /etc/os-release',
      },
    ],
  },
  {
    kind: 'packages',
    covers: ['aptPackages'],
    steps: (on) => [aptPackages(on, ['less', 'nano'])],
    damages: [
      { name: 'one removed', sh: 'apt-get -y remove less', says: /^package less$/ },
      { name: 'both purged', sh: 'apt-get -y purge less nano', says: /^packages less nano$/ },
      {
        name: 'one unpacked, not configured',
        sh: 'dpkg --unpack /var/cache/apt/archives/less_*.deb',
        says: /^packages left half installed, package less$/,
      },
      {
        name: 'one half installed, as dpkg leaves it when it is killed while it unpacks',
        sh: `sed -i '/^Package: less$/,/^$/ s/^Status: .*/Status: install reinstreq half-installed/' /var/lib/dpkg/status`,
        says: /^packages left half installed, package less$/,
      },
      {
        name: 'one half installed that another waits for, as a full disk leaves them',
        sh: `cd /var/lib/dpkg && sed -i -e '/^Package: libncursesw6$/,/^$/ s/^Status: .*/Status: install reinstreq half-installed/' \\
-e '/^Package: nano$/,/^$/ s/^Status: .*/Status: install ok unpacked/' status`,
        says: /^packages left half installed, package nano$/,
        healed: '[ ! -e /var/cache/apt/archives/torn ]',
      },
      {
        name: 'another package of the host not configured',
        sh: `sed -i '/^Package: nano$/,/^$/ s/^Status: .*/Status: install ok half-configured/' /var/lib/dpkg/status`,
        says: /^packages left half installed/,
      },
      {
        name: 'one removed, and its version gone from the mirror since the lists were fetched',
        sh: `apt-get -y remove less; rm -f /var/cache/apt/archives/less_*; cd /var/lib/apt/lists
sed -i 's|^Filename: .*/less_|&0.|' *_Packages; sed -i -E 's/^ [0-9a-f]{2}/ 00/' *_trixie_InRelease; touch -d 2020-01-01 *_trixie_InRelease
touch /var/lib/infra/lists-fetched; ! apt-get -y install less`,
        says: /^package less$/,
      },
    ],
  },
  {
    kind: 'package source',
    covers: ['aptSource'],
    steps: (on) => [backports(on)],
    damages: [
      {
        name: 'removed',
        sh: 'rm /etc/apt/sources.list.d/backports.sources',
        says: /^source backports$/,
      },
      {
        name: 'turned off by hand',
        sh: 'echo "Enabled: no" >>/etc/apt/sources.list.d/backports.sources',
        says: /^source backports$/,
      },
      {
        // Before Debian 13 it does so with none as well.
        name: 'another source of the same archive with another key, with which apt does nothing at all',
        sh: `echo 'deb [signed-by=/usr/share/keyrings/old.gpg] ${mirror}/ trixie-backports main' >/etc/apt/sources.list.d/old.list
apt-get -s install less 2>&1 | grep 'Conflicting values set for option Signed-By'`,
        says: /^other source \/etc\/apt\/sources.list.d\/old.list of the same archive put aside$/,
        healed: 'apt-get -s install less && [ -e /var/lib/infra/previous/etc/apt/sources.list.d/old.list ]',
      },
      {
        name: 'another source of it in a file of several, ours not there yet: as somebody before us left it',
        sh: `rm /etc/apt/sources.list.d/backports.sources
printf '%s\\n' 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} trixie main' 'deb ${mirror} trixie-backports main' >/etc/apt/sources.list.d/old.list`,
        says: /^other source \S+old.list:2 of the same archive commented out, source backports$/,
        healed: `grep -qx 'deb .* trixie main' /etc/apt/sources.list.d/old.list && rm /etc/apt/sources.list.d/old.list`,
      },
      {
        name: 'written, but its lists never fetched',
        sh: 'rm /var/lib/apt/lists/*backports*',
        says: /^lists of source backports$/,
      },
    ],
  },
  {
    kind: "PostgreSQL's package source",
    covers: ['pgdgSource'],
    judges: true,
    steps: (on) => [pgdgSource(on, 17, { dependsOn: [] })],
    damages: [],
  },
  {
    kind: "the owner of a package's path",
    covers: ['statOverride'],
    prepare: `mkdir -p ${packaged}`,
    steps: (on) => [statOverride(on, packaged, { owner: 'root', group: 'root', mode: '0755' })],
    damages: [
      {
        name: 'given to another account',
        sh: `dpkg-statoverride --remove ${packaged}; dpkg-statoverride --update --add valence valence 0755 ${packaged}`,
        says: /is valence valence 0755 → root root 0755 for its package$/,
        healed: `[ "$(stat -c %U ${packaged})" = root ]`,
      },
      {
        name: 'taken out of the list',
        sh: `dpkg-statoverride --remove ${packaged}`,
        says: /^\/srv\/contract-package is root root 0755 for its package$/,
      },
    ],
  },
  {
    kind: 'unattended upgrades',
    covers: ['unattendedUpgrades'],
    steps: (on) => unattendedUpgrades(on),
    damages: [
      {
        name: 'turned off by dpkg-reconfigure',
        sh: `printf '%s\\n' 'APT::Periodic::Update-Package-Lists "0";' 'APT::Periodic::Unattended-Upgrade "0";' >/etc/apt/apt.conf.d/20auto-upgrades`,
        step: 'file /etc/apt/apt.conf.d/20auto-upgrades',
        says: /20auto-upgrades/,
      },
      {
        name: 'a timer disabled',
        sh: 'systemctl disable --now apt-daily-upgrade.timer',
        step: 'service apt-daily-upgrade.timer',
        says: /^apt-daily-upgrade.timer at boot, apt-daily-upgrade.timer started$/,
      },
      {
        name: 'a timer masked',
        sh: 'systemctl mask --now apt-daily.timer',
        stops: /apt-daily.timer is masked/,
      },
      { name: 'its service stopped', sh: 'systemctl stop unattended-upgrades', says: /started$/ },
    ],
  },
  {
    kind: 'updates from a site',
    covers: ['upgradesFrom'],
    steps: (on) => {
      const source = backports(on)
      return [source, upgradesFrom(on, site, { keepFiles: true, dependsOn: [source] })]
    },
    damages: [
      {
        name: 'removed',
        sh: 'rm /etc/apt/apt.conf.d/52*',
        says: /^\/etc\/apt\/apt.conf.d\/52unattended-upgrades-[\w-]+$/,
        healed: `unattended-upgrade --dry-run --debug 2>&1 | grep '^Allowed origins are:.*site=${site}' &&
python3 -c 'import runpy; assert not runpy.run_path("/usr/bin/unattended-upgrade")["dpkg_conffile_prompt"]()'`,
      },
    ],
  },
  {
    kind: 'repository',
    covers: ['gitCheckout'],
    steps: (on, { git }) => [
      gitCheckout(on, repo, { url: git.publicUrl, ref: 'v1.0.1', user: 'valence', mark: 'src/valence' }),
    ],
    damages: [
      { name: 'another commit checked out', sh: inRepo('checkout -q v1.0.2'), says: /repo \w{7} → v1.0.1$/ },
      { name: 'its tag deleted', sh: inRepo('tag -d v1.0.1'), says: /→ v1.0.1$/ },
      { name: 'a file of root in it', sh: `chown root: ${repo}/README.md`, says: /belongs to valence .*README/ },
      {
        name: 'a checkout that was killed',
        sh: `rm ${repo}/README.md; runuser -u valence -- touch ${repo}/.git/index.lock`,
        says: /an interrupted checkout put aside$/,
      },
      {
        name: 'another address',
        sh: inRepo('remote set-url origin http://elsewhere.invalid/valence.git'),
        says: /from http:\/\/elsewhere.invalid\/valence.git → http/,
      },
      { name: 'removed', sh: `rm -rf ${repo}`, says: /^\/opt\/contract\/repo at v1.0.1$/ },
      {
        name: 'left as an empty folder, with the rest of a clone that broke off',
        sh: `rm -rf ${repo}; mkdir ${repo} /opt/contract/.clone.x; chown valence: ${repo} /opt/contract/.clone.x`,
        says: /at v1.0.1$/,
      },
      ...['one', 'the other'].map((which) => ({
        name: `a copy without git in its place, such as rsync leaves, with ${which} file of somebody's`,
        sh: `rm -rf ${repo}/.git; runuser -u valence -- touch '${repo}/${which}'`,
        says: /repo at v1.0.1, in place of a copy without git, which is kept in \S+\/repo$/,
        healed: `[ -e '/var/lib/infra/previous${repo}/${which}' ] && [ ! -e '${repo}/${which}' ] && ${inRepo('status')}`,
      })),
      {
        name: 'a file edited by hand',
        sh: `echo 'a note' >>${repo}/README.md`,
        stops: /has local modifications: README.md/,
        mend: inRepo('checkout -- .'),
      },
      {
        name: 'something else in its place',
        sh: `mv ${repo} ${repo}.old; mkdir ${repo}; touch ${repo}/data`,
        stops: /is not a git repository/,
      },
    ],
  },
  {
    // The branch of a private server: what moves is asked for, by the account that has the token.
    kind: 'private repository',
    covers: ['gitCheckout'],
    steps: (on, { git }) => {
      const account = 'contract-fetch'
      const made = systemUser(on, account, { home: `/var/lib/${account}` })
      const home = directory(on, `/var/lib/${account}`, { owner: account, mode: '0700', dependsOn: [made] })
      const access = { token: secret(git.token), account }
      const desired = { url: git.privateUrl, ref: 'main', user: 'valence', access, dependsOn: [home] }
      return [made, home, gitCheckout(on, privateRepo, desired)]
    },
    damages: [
      { name: 'an older commit checked out', sh: inPrivate('checkout -q v1.0.1'), says: /private \w{7} → main$/ },
      {
        name: 'its mirror damaged',
        sh: `rm -r /var/lib/contract-fetch/mirror.git/objects; ${inPrivate('checkout -q v1.0.1')}`,
        says: /private \w{7} → main$/,
      },
      { name: 'removed', sh: `rm -rf ${privateRepo}`, says: /^\/opt\/contract\/private at main$/ },
      {
        name: 'led to a proxy by its owner, who waits there for the token',
        sh: `${thief}\n${inPrivate('config http.proxy http://127.0.0.1:8419')}; ${inPrivate('checkout -q v1.0.1')}`,
        says: /private \w{7} → main$/,
        healed: 'kill "$(cat /tmp/thief.pid)" && [ ! -e /tmp/thief.log ]',
      },
    ],
  },
  {
    kind: 'installer',
    covers: ['installer'],
    steps: (on, { claude }) => [
      installer(on, 'Claude Code', { url: claude.url, user: 'valence', creates: '.local/bin/claude', without: '' }),
    ],
    damages: [
      { name: 'its program removed', sh: 'rm ~valence/.local/bin/claude', says: /^Claude Code$/ },
      { name: 'its program not executable', sh: 'chmod a-x ~valence/.local/bin/claude', says: /^Claude Code$/ },
    ],
  },
]
