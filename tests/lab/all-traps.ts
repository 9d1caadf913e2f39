import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onHost } from './backup-drill.ts'
import { fingerprintFiles } from './fingerprint.ts'
import type { LabHost } from './host.ts'

/** Where valence keeps what others shall run, and where whoever runs it leaves a name: `root: .bashrc`. */
const place = '/var/tmp/lab-traps'
const marks = '/run/lab-trap-marks'

const forger = readFileSync(join(import.meta.dirname, 'forger.pl'), 'utf8')

const mark = `#!/bin/sh
PATH=/usr/bin:/bin
: >"${marks}/$(id -un): $1"
# Who runs a program by its name gets nothing from it.
exit 1
`

// The real python, for which a process waits that prints into whatever it was given, once nobody looks any more.
const python = `#!/bin/bash
${place}/mark python
[ -e ${place}/begun ] || { : >${place}/begun
setsid sh -c 'tail --pid='$$' -f /dev/null; exec perl ${place}/forger.pl ${place}' 3>&1 >&2 </dev/null & }
exec -a "$0" /usr/bin/python3 "$@"
`

// In folders where tar or a shell is given all names: names that are options, and one that draws on a terminal.
const names = `: >'--checkpoint=1'; cp ${place}/mark mark-tar; : >'--checkpoint-action=exec=sh mark-tar tar'; : >"$(printf 'a\\033]0;b\\007')"
ln -sf /etc/shadow out; ln -sfn /etc/apt/apt.conf.d into; [ -e pipe ] || mkfifo pipe`

const programs = 'age awk cat find git id ln mv pg_dump pg_restore psql python3 rm sh stat sudo systemctl tar timeout'

/** What user valence lays out, in everything that it owns and may write, as the script by which it does. */
const ofValence = `umask 022; export HOME=/home/valence; cd
for file in .bashrc .profile .bash_profile .bash_login .bash_logout .zshenv .ssh/rc; do echo "${place}/mark $file" >>$file; done
echo "PATH=${place}/bin" >>.ssh/environment; echo "PATH DEFAULT=${place}/bin" >>.pam_environment
printf 'Host *\\n ProxyCommand ${place}/mark ssh\\n' >.ssh/config; printf '\\\\! ${place}/mark psqlrc\\n' >.psqlrc
mkdir -p ${place}/bin ${place}/hooks .local/bin .config/git .config/systemd/user/default.target.wants
for name in ${programs}; do printf '#!/bin/sh\\n${place}/mark %s\\n' $name >${place}/bin/$name; chmod 755 ${place}/bin/$name; cp ${place}/bin/$name .local/bin/$name; done
printf '[Service]\\nExecStart=${place}/mark unit\\n' >.config/systemd/user/default.target.wants/trap.service
for hook in post-checkout post-index-change reference-transaction fsmonitor pre-auto-gc; do
printf '#!/bin/sh\\n${place}/mark hook-%s\\n' $hook >${place}/hooks/$hook; chmod 755 ${place}/hooks/$hook; cp ${place}/hooks/$hook /opt/valence/repo/.git/hooks/; done
for config in .gitconfig /opt/valence/repo/.git/config; do
git config -f $config core.fsmonitor ${place}/hooks/fsmonitor; git config -f $config core.hooksPath ${place}/hooks
git config -f $config core.pager '${place}/mark pager'; git config -f $config core.sshCommand '${place}/mark ssh'; done
for site in /opt/valence/venv/lib/python3*/site-packages .local/lib/python3.13/site-packages; do mkdir -p $site
echo 'import os; os.system("${place}/mark pth")' >$site/trap.pth
for module in sitecustomize usercustomize; do printf 'import os\\nos.system("${place}/mark %s")\\n' $module >$site/$module.py; done; done
rm -f /opt/valence/venv/bin/python; cp ${place}/python /opt/valence/venv/bin/python
for module in json os re; do echo 'raise SystemExit(1)' >/tmp/$module.py; done
for name in infra valence-backup valence-restore infra-wheels; do ln -sfn /etc/apt/apt.conf.d /tmp/$name; ln -sfn /etc/apt/apt.conf.d /var/tmp/$name; done
cd /opt/valence/config; ${names}
[ -e shell ] || { cp /bin/sh shell; chmod 4755 shell; truncate -s 1G large; }
head -c 4096 /dev/urandom >pod.lab.example.org-20300101T000000Z.tar.age`

/** Has valence, and Synapse's account beside it, set every trap that they can. */
export async function setTraps(host: LabHost): Promise<void> {
  const written = { mark, 'forger.pl': forger, python }
  const files = Object.entries(written).map(([name, text]) => `cat >${place}/${name} <<'END OF IT'\n${text}END OF IT`)
  await onHost(
    host,
    `rm -rf ${marks} ${place}; mkdir -m 1777 ${marks}; mkdir ${place}; ${files.join('\n')}
chmod 755 ${place}/*; chown -R valence: ${place}
runuser -u valence -- bash -es <<'END OF IT'\n${ofValence}\nEND OF IT
runuser -u matrix-synapse -- sh -es <<'END OF IT'\ncd /var/lib/matrix-synapse/media; ${names}\nEND OF IT`,
  )
}

/** Who ran what of it: `valence: hook-fsmonitor`. */
export async function trapsSprung(host: LabHost): Promise<string[]> {
  return (await onHost(host, `ls ${marks}`)).split('\n').filter(Boolean)
}

/** Ends what the traps left running, as valence's own; gives what runs of them as anybody else. */
export async function trapsRunning(host: LabHost): Promise<string> {
  const others = `ps -eo user:20=,args= | grep -F ${place} | grep -v -e '^valence ' -e grep || true`
  const found = await onHost(host, others)
  await onHost(host, 'pkill -KILL -u valence || true')
  return found
}

// What a deployment, a backup and a restore write by their own work, and what belongs to the accounts with the traps.
const expected = [
  /^(home|opt)\/valence(\/|$)/,
  /^var\/lib\/(infra|postgresql|matrix-synapse|systemd|fail2ban|sudo|private)\b/,
  /^var\/(log|cache|backups\/valence)\b/,
  /\.before-restore-/,
]

/** The files outside of all that, with owner, mode and checksum, to be compared. */
export async function outsideOfTraps(host: LabHost): Promise<ReadonlyMap<string, string>> {
  const all = await fingerprintFiles(host.root)
  return new Map([...all].filter(([path]) => !expected.some((pattern) => pattern.test(path))))
}
