import { createHash } from 'node:crypto'
import { installer } from '@infra/shared/steps/host/installer'
import { keyring } from '@infra/shared/steps/host/keyring'
import { nginxSite } from '@infra/shared/steps/host/nginx'
import { pipPackage } from '@infra/shared/steps/host/pip'
import { systemUser } from '@infra/shared/steps/host/system-user'
import { awaitsThat } from '../support/wait.ts'
import type { Kind } from './kind.ts'

const venv = '/opt/contract/pip'
const locked = '/opt/contract/pip-locked'
const builder = 'contract-build'
const site = '/etc/nginx/sites-available/contract'
const enabled = '/etc/nginx/sites-enabled'

const ring = '/usr/share/keyrings/contract.gpg'
const served = (key: string) => `printf %s ${key} | base64 -d >/srv/contract-key.gpg`

// Made for this, by gpg; nobody has their private halves.
const keyFingerprint = '9ABD3B0FF7CA555B7EFEF03AF3A4494A527C0462'
const openPgpKey =
  'mDMEawwLphYJKwYBBAHaRw8BAQdACmEOBNBahy7ptr2+iuQ5y+t/IzvRXSBL9p7Hk4VwCum0FGluZnJhIGNvbnRyYWN0IGtub3duiJAEExYIADgWIQSavTsP98pVW37+8DrzpElKUnwEYgUCawwLpgIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRDzpElKUnwEYiX5AP0edUR07Woki15v6Mr3xsysv/B8FVUnEGsY9Uf5Et22lgD/fz4UYCWP6GqFGvshaJ6iShp1FVTX4bW6ebD6KaTSbgA='
const otherFingerprint = '006DB6A83C1A1DC9C543D347EB3509669B7A4331'
const otherOpenPgpKey =
  'mDMEawwLphYJKwYBBAHaRw8BAQdAkqVjK2uHhgJbtQwWydo2/fiw/yDi/9IJvW66ZmL0CfW0FGluZnJhIGNvbnRyYWN0IG90aGVyiJAEExYIADgWIQQAbbaoPBodycVD00frNQlmm3pDMQUCawwLpgIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRDrNQlmm3pDMe2mAQDTMpRS4h6Myetfr0UaAoB3eSVs2mRUe3uwojMesvuPHAD/f1IHlSs5L2poPpOyKmY8LC1XoAMAgCvVpm1RxLpYcgo='

/** Kinds of what serves the web: a user to run as, software of its own, a site. */
export const webKinds: readonly Kind[] = [
  {
    kind: 'system user',
    covers: ['systemUser'],
    steps: (on) => [systemUser(on, 'contract-daemon', { home: '/var/lib/contract' })],
    damages: [
      { name: 'removed', sh: 'userdel contract-daemon', says: /^system user contract-daemon$/ },
      { name: 'given a shell', sh: 'usermod --shell /bin/bash contract-daemon', says: /^shell of contract-daemon → / },
      {
        name: 'given a password',
        sh: 'echo contract-daemon:contract-password | chpasswd',
        says: /^no login for contract-daemon$/,
      },
    ],
  },
  {
    kind: 'package of pip',
    covers: ['pipPackage'],
    prepare: `python3 -m venv ${venv} && useradd --system --create-home --home-dir /var/lib/${builder} ${builder}`,
    steps: (on) => [pipPackage(on, 'six', { version: '1.17.0', venv, builder })],
    damages: [
      { name: 'another version', sh: `${venv}/bin/pip install -q six==1.16.0`, says: /^six 1.16.0 → 1.17.0$/ },
      { name: 'removed', sh: `${venv}/bin/pip uninstall -q -y six`, says: /^six==1.17.0$/ },
      {
        name: 'half installed, as pip leaves it when it is killed',
        sh: `cd ${venv}/lib/python3*/site-packages && rm six.py six-*.dist-info/INSTALLER six-*.dist-info/RECORD`,
        says: /^half installed: six==1.17.0, six==1.17.0$/,
      },
      {
        name: 'half installed, as a full disk leaves it: with the RECORD of the wheel, and an empty METADATA',
        sh: `cd ${venv}/lib/python3*/site-packages && rm six.py six-*.dist-info/INSTALLER && : >$(echo six-*.dist-info/METADATA)`,
        says: /^half installed: six==1.17.0, six==1.17.0$/,
      },
      {
        name: 'not compiled, as a run leaves it that was killed before it had done that',
        sh: `rm -r ${venv}/lib/python3*/site-packages/__pycache__`,
        says: /^byte code of six.py$/,
      },
    ],
  },
  {
    kind: 'package of pip by a lock',
    covers: [],
    prepare: `python3 -m venv ${locked}
printf 'six==1.17.0 --hash=sha256:%s\\n' "$(sha256sum </var/cache/lab-wheels/six-1.17.0-py2.py3-none-any.whl | cut -d ' ' -f 1)" >/srv/six.lock`,
    steps: (on) => [
      pipPackage(on, 'six', {
        ...{ version: '1.17.0', venv: locked, builder },
        lock: { wheels: '/srv/six.lock', names: ['six'], built: [] },
      }),
    ],
    damages: [
      {
        name: 'removed, and what the index has of it is another file of the same name',
        sh: `${locked}/bin/pip uninstall -q -y six; cp /etc/pip.conf /root/pip.conf
mkdir /srv/forged; cp /var/cache/lab-wheels/six-1.17.0-*.whl /srv/forged
python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "a").writestr("six_forged.py", "")' /srv/forged/six-*.whl
printf '[global]\\nno-index = true\\nfind-links = /srv/forged\\n' >/etc/pip.conf`,
        fails: /six==1\.17\.0 is not the file that the lock has the hash of: it was not installed/,
        left: `! ls ${locked}/lib/python3*/site-packages/six* /var/tmp/infra-wheels.* ~${builder}/wheels.* 2>/dev/null`,
        mend: 'mv /root/pip.conf /etc/pip.conf; rm -r /srv/forged',
      },
      {
        name: 'half installed, as pip leaves it when it is killed',
        sh: `cd ${locked}/lib/python3*/site-packages && rm six.py six-*.dist-info/INSTALLER six-*.dist-info/RECORD`,
        says: /^half installed: six==1.17.0$/,
      },
    ],
  },
  {
    kind: 'package of pip that is built on the host',
    covers: [],
    prepare: `python3 -m venv ${locked}-built; mkdir -p /srv/sources/contract_built-1.0; cd /srv/sources
cat >contract_built-1.0/setup.py <<'END'
import getpass, setuptools
open("/var/tmp/built-by", "w").write(getpass.getuser())
setuptools.setup(name="contract-built", version="1.0", py_modules=[])
END
printf 'Metadata-Version: 2.1\\nName: contract-built\\nVersion: 1.0\\n' >contract_built-1.0/PKG-INFO
tar -czf contract_built-1.0.tar.gz contract_built-1.0; rm -r contract_built-1.0
printf '[global]\\nno-index = true\\nfind-links = /srv/sources /var/cache/lab-wheels\\n' >/etc/pip.conf`,
    steps: (on) => [pipPackage(on, 'contract-built', { version: '1.0', venv: `${locked}-built`, builder })],
    damages: [
      {
        name: 'removed: built by an account of its own, never by root',
        sh: `${locked}-built/bin/pip uninstall -q -y contract-built; rm /var/tmp/built-by`,
        says: /^contract-built==1.0$/,
        healed: `[ "$(cat /var/tmp/built-by)" = ${builder} ]`,
      },
    ],
  },
  {
    kind: 'installer of one checksum',
    covers: [],
    // It makes the program in another place than the one before.
    prepare: `printf '#!/bin/sh\\nmkdir -p ~/.local/bin && cp /bin/true ~/.local/bin/tool\\n' >/srv/install.sh`,
    steps: (on) => [
      installer(on, 'the tool', {
        ...{ url: 'file:///srv/install.sh', user: 'valence', creates: '.local/bin/tool', without: '' },
        sha256: createHash('sha256')
          .update('#!/bin/sh\nmkdir -p ~/.local/bin && cp /bin/true ~/.local/bin/tool\n')
          .digest('hex'),
      }),
    ],
    damages: [
      {
        name: 'its program removed, and its site gives another script',
        sh: 'rm ~valence/.local/bin/tool; cp /srv/install.sh /root/; echo touch /var/tmp/forged >>/srv/install.sh',
        fails: /the installer of the tool has the SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}: it was not run/,
        left: '[ ! -e /var/tmp/forged ] && [ ! -e ~valence/.local/bin/tool ]',
        mend: 'mv /root/install.sh /srv/install.sh',
      },
    ],
  },
  {
    kind: 'keys of a package source',
    covers: ['keyring'],
    prepare: `DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends gpg >/dev/null
${served(openPgpKey)}`,
    steps: (on) => [keyring(on, ring, { url: 'file:///srv/contract-key.gpg', fingerprint: keyFingerprint })],
    damages: [
      { name: 'removed', sh: `rm ${ring}`, says: /^\/usr\/share\/keyrings\/contract.gpg$/ },
      { name: 'empty', sh: `: >${ring}`, says: /contract.gpg: no key → / },
      {
        name: 'a key of somebody else in its place',
        sh: `printf %s ${otherOpenPgpKey} | base64 -d >${ring}`,
        says: new RegExp(`contract.gpg: ${otherFingerprint} → ${keyFingerprint}$`),
      },
      {
        name: 'a key of somebody else beside it',
        sh: `printf %s ${otherOpenPgpKey} | base64 -d >>${ring}`,
        says: new RegExp(`contract.gpg: ${otherFingerprint} → ${keyFingerprint}$`),
      },
      {
        name: 'removed, and its site gives the key of somebody else',
        sh: `rm ${ring}; ${served(otherOpenPgpKey)}`,
        fails: new RegExp(`is not the key ${keyFingerprint}, but ${otherFingerprint}: it was not taken`),
        left: `! ls ${ring}* 2>/dev/null`,
        mend: served(openPgpKey),
      },
    ],
  },
  {
    kind: 'site of nginx',
    covers: ['nginxSite'],
    steps: (on) => [
      nginxSite(on, 'contract', {
        names: ['contract.example.org'],
        certificate: 'contract.example.org',
        content: ({ ipv6 }) =>
          `server {\n  listen 80;\n${ipv6 ? '  listen [::]:80;\n' : ''}  server_name contract.example.org;\n  return 204;\n}\n`,
      }),
    ],
    damages: [
      { name: 'edited', sh: `echo '# a note' >>${site}`, says: /^\S+\/contract, nginx reloaded$/ },
      { name: 'removed', sh: `rm ${site}`, says: /^\S+\/contract, nginx reloaded$/ },
      { name: 'disabled', sh: `rm ${enabled}/contract`, says: /^site contract enabled, nginx reloaded$/ },
      {
        name: 'another site in its place',
        sh: `echo 'server { listen 80; server_name other.example.org; return 200; }' >/etc/nginx/sites-available/other
ln -sfn /etc/nginx/sites-available/other ${enabled}/contract; systemctl reload nginx`,
        says: /^site contract enabled, not \/etc\/nginx\/sites-available\/other in its place, nginx reloaded$/,
      },
      {
        name: 'a file instead of the link',
        sh: `rm ${enabled}/contract; echo '# of somebody' >${enabled}/contract; systemctl reload nginx`,
        says: /^site contract enabled, nginx reloaded$/,
        healed: `grep -q somebody /var/lib/infra/previous${enabled}/contract`,
      },
      { name: 'nginx stopped', sh: 'systemctl stop nginx', says: /^nginx started$/ },
      {
        name: 'nginx killed',
        sh: `pkill -9 -x nginx; ${awaitsThat('! systemctl -q is-active nginx')}`,
        says: /^nginx started$/,
      },
      { name: 'nginx not started at boot', sh: 'systemctl disable nginx', says: /^nginx at boot$/ },
      {
        name: "Debian's default site",
        sh: `ln -s ../sites-available/default ${enabled}/default`,
        says: /^site \S+\/default, nginx reloaded$/,
      },
      {
        name: 'another site that claims its name, in force',
        sh: `printf 'server {\\n  listen 80;\\n  server_name _ # of ours\\n    "Contract.example.org";\\n}\\n' >/etc/nginx/conf.d/a.conf; systemctl reload nginx`,
        says: /^site \/etc\/nginx\/conf.d\/a.conf, nginx reloaded$/,
      },
      {
        name: 'a file of its name and of another site, which serves on',
        sh: `printf 'server {\\n  listen 80;\\n  server_name shop.example.com;\\n  return 200 shop;\\n}\\nserver {\\n  listen 80;\\n  server_name Contract.example.org;\\n}\\n' >/etc/nginx/conf.d/a.conf; systemctl reload nginx`,
        stops:
          /: \/etc\/nginx\/conf.d\/a.conf claims contract.example.org, and put aside it would take shop.example.com down$/,
        mend: `curl -fsS -H 'Host: shop.example.com' http://127.0.0.1/ | grep -qx shop
old=$(pgrep -P $(systemctl show -p MainPID --value nginx)); rm /etc/nginx/conf.d/a.conf; systemctl reload nginx
for worker in $old; do ${awaitsThat('! kill -0 $worker 2>/dev/null')}; done`,
      },
      {
        name: 'written, but not loaded: a run that died before the reload',
        sh: `touch ${site}`,
        says: /^nginx reloaded$/,
      },
      {
        name: 'masked',
        sh: 'systemctl mask nginx',
        stops: /nginx.service is masked/,
      },
    ],
  },
]
