import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bootHost } from './host.ts'
import { ensureState, type SavedState } from './states.ts'
import { type VendorDebs, vendorDebs } from './vendor-debs.ts'

// What an Ubuntu 24.04 droplet has and a Debian one lacks, on Debian 13's packages: Ubuntu's own cannot be had everywhere.
const packages =
  'needrestart unattended-upgrades ufw systemd-resolved libnss-resolve python3 python3-yaml curl gpg lsb-release'

const osRelease = `PRETTY_NAME="Ubuntu 24.04.3 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.3 LTS (Noble Numbat)"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
HOME_URL="https://www.ubuntu.com/"
UBUNTU_CODENAME=noble
LOGO=ubuntu-logo
`

const lsbRelease = `DISTRIB_ID=Ubuntu
DISTRIB_RELEASE=24.04
DISTRIB_CODENAME=noble
DISTRIB_DESCRIPTION="Ubuntu 24.04.3 LTS"
`

const sources = `Types: deb
URIs: http://archive.ubuntu.com/ubuntu
Suites: noble
Components: main
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
`

const upgrades = `Unattended-Upgrade::Allowed-Origins {
	"\${distro_id}:\${distro_codename}";
	"\${distro_id}:\${distro_codename}-security";
	"\${distro_id}ESMApps:\${distro_codename}-apps-security";
	"\${distro_id}ESM:\${distro_codename}-infra-security";
};
Unattended-Upgrade::Package-Blacklist {
};
Unattended-Upgrade::DevRelease "auto";
`

const socket = `[Unit]
Description=OpenBSD Secure Shell server socket
Before=sockets.target ssh.service
ConditionPathExists=!/etc/ssh/sshd_not_to_be_run

[Socket]
ListenStream=0.0.0.0:22
ListenStream=[::]:22
BindIPv6Only=ipv6-only
Accept=no
FreeBind=yes

[Install]
WantedBy=sockets.target
RequiredBy=ssh.service
`

// The socket listens where sshd_config says, as Ubuntu's sshd-socket-generator has it since 24.04.
const generator = `#!/bin/sh
ports=$(sed -nE 's/^[[:space:]]*port[[:space:]]+([0-9]+).*/\\1/Ip' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf 2>/dev/null | sort -u)
[ -n "$ports" ] && [ "$ports" != 22 ] || exit 0
mkdir -p "$1/ssh.socket.d"
{ printf '[Socket]\\nListenStream=\\n'; for port in $ports; do printf 'ListenStream=0.0.0.0:%s\\nListenStream=[::]:%s\\n' $port $port; done; } >"$1/ssh.socket.d/addresses.conf"
`

/** The makers' packages, built on a bare host. */
export const nobleDebs = (): Promise<VendorDebs> => vendorDebs(() => bootHost())

/** Shell text: the release's package `postgresql-common` brings the key of apt.postgresql.org; from now on that of the lab's. */
export const trustPgdg = async ({ folder }: VendorDebs): Promise<string> => {
  const place = '/usr/share/postgresql-common/pgdg'
  return `dpkg-divert --quiet --add --no-rename --divert ${place}/of-the-package.asc ${place}/apt.postgresql.org.asc
mkdir -p ${place} && cat >${place}/apt.postgresql.org.asc <<'END'
${await readFile(join(folder, 'key.asc'), 'utf8')}END`
}

/**
 * A host that is Ubuntu 24.04 as far as Debian's packages let it be: its names, its package sources, sshd started by its
 * socket, cloud-init's drop-in, needrestart, unattended-upgrades' origins, systemd-resolved's stub, ufw off. Made once.
 */
export async function nobleHost(): Promise<SavedState> {
  const debs = await nobleDebs()
  const recipe = { version: 1, packages, osRelease, sources, upgrades, socket, generator, debs: debs.fingerprint }
  return ensureState('noble', recipe, async (as) => {
    const host = await bootHost({ cloudInit: true })
    try {
      const key = (await readFile(join(debs.folder, 'key.gpg'))).toString('base64')
      const { code, stdout, stderr } = await host.exec(`set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends ${packages} >/dev/null
put() { mkdir -p "\${1%/*}"; cat >"$1"; }
put /usr/lib/os-release <<'END'
${osRelease}END
put /etc/lsb-release <<'END'
${lsbRelease}END
put /etc/apt/sources.list.d/ubuntu.sources <<'END'
${sources}END
put /etc/apt/apt.conf.d/50unattended-upgrades <<'END'
${upgrades}END
put /etc/systemd/system/ssh.socket <<'END'
${socket}END
put /usr/lib/systemd/system-generators/sshd-socket-generator <<'END'
${generator}END
chmod 755 /usr/lib/systemd/system-generators/sshd-socket-generator
# Services are restarted without a question since 24.04.
put /etc/needrestart/conf.d/ubuntu.conf <<'END'
$nrconf{restart} = 'a';
END
echo '${key}' | base64 -d >/usr/share/keyrings/ubuntu-archive-keyring.gpg
mv /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list.d/below.sources
rm -f /var/lib/apt/lists/*_dists_* /var/lib/infra/lists-fetched
${await trustPgdg(debs)}
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
systemctl -q disable ssh.service
systemctl -q enable ssh.socket`)
      if (code !== 0) throw new Error(`lab: the host does not become Ubuntu's\n${stdout}${stderr}`)
      return await host.save(as)
    } finally {
      await host.destroy()
    }
  })
}
