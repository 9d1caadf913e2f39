import { onHost } from './backup-drill.ts'
import type { LabHost } from './host.ts'

/** What user valence knows: a password of its own, as the old way of sudo wanted one. */
export const password = 'let-me-in-for-the-lab-9'

/** Programs, one for each way: whoever runs it leaves a file of their own with its name where everybody may. */
const programs = '/tmp/lab-marks'
const marks = '/run/lab-marks'

/**
 * Ways out of sudo to a shell, or to a file of root's (GTFOBins, sudo's own advisories), as lines that valence types. MARK
 * is a program that leaves a mark; what else is typed leaves one by the keys that pagers, editors and psql take for a
 * command.
 */
export const escapes: Readonly<Record<string, string>> = {
  'a command': 'sudo MARK',
  'a shell': 'sudo -s',
  'a login shell': 'sudo -i',
  'su by sudo': 'sudo su',
  'the pager of systemctl': 'sudo systemctl status postgresql matrix-synapse vkb nginx',
  'the pager of journalctl': 'sudo journalctl -u matrix-synapse',
  'the pager of a log that goes on': 'sudo journalctl -u matrix-synapse -f',
  'a pager of its own, kept': 'SYSTEMD_PAGER=MARK PAGER=MARK SYSTEMD_PAGERSECURE=0 sudo -E journalctl -u certbot',
  'a pager of its own, given': 'sudo SYSTEMD_PAGER=MARK SYSTEMD_PAGERSECURE=0 journalctl -u certbot',
  'a pager of its own, listed': 'SYSTEMD_PAGER=MARK sudo --preserve-env=SYSTEMD_PAGER journalctl -u certbot',
  'a filter of less':
    'LESSOPEN="|MARK" LESSSECURE=0 PATH=/tmp/lab-marks/bin:$PATH sudo -E journalctl -u matrix-synapse',
  less: 'sudo less /etc/hosts',
  vim: 'sudo vim /etc/hosts',
  'vim that begins with a command': "sudo vim -c ':!MARK' /etc/hosts",
  'the editor of sudo': 'SUDO_EDITOR=MARK EDITOR=MARK sudo -e /etc/hosts',
  'the editor of systemctl': 'SYSTEMD_EDITOR=MARK EDITOR=MARK sudo systemctl edit nginx',
  'a unit of its own': 'sudo systemctl link /tmp/lab.service; sudo systemctl start lab.service',
  'the environment of systemd': 'sudo systemctl set-environment PATH=/tmp',
  'more options of systemctl': 'sudo systemctl status postgresql matrix-synapse vkb nginx --root=/tmp',
  'a host of systemctl': 'sudo systemctl -H MARK status nginx',
  'a file that journalctl writes': `sudo journalctl -u certbot --cursor-file=${marks}/cursor`,
  'a file that journalctl reads': 'sudo journalctl --file=/tmp/lab.journal',
  'options in one word': `sudo journalctl "-u certbot --cursor-file=${marks}/cursor"`,
  'words taken apart': 'sudo journalctl --since 10 minutes ago',
  'another folder for the root of sudo': 'mkdir -p /tmp/etc; sudo -R /tmp MARK',
  'another working directory': 'sudo -D /tmp MARK',
  'a user by a number that is none': 'sudo -u#-1 MARK',
  'a user by the greatest number': 'sudo -u#4294967295 MARK',
  'the group of sudo': 'sudo -g sudo MARK',
  'another group': 'newgrp sudo </dev/null',
  'a library before all others': 'LD_PRELOAD=/tmp/lab.so sudo -E ufw status',
  "ufw's python": 'PYTHONPATH=/tmp/lab-marks PYTHONINSPECT=1 HOME=/tmp/lab-marks sudo -E ufw status',
  "ufw's programs": 'PATH=/tmp/lab-marks/bin:$PATH sudo ufw status',
  'more words of ufw': 'sudo ufw status verbose; sudo ufw show raw',
  'the superuser of PostgreSQL': `sudo -u postgres psql -d valence -c "COPY (SELECT 1) TO PROGRAM 'MARK'"`,
  'psql of postgres': 'sudo -u postgres psql -d valence',
  'the service account of Synapse': 'sudo -u matrix-synapse MARK',
  'the same program by a link': 'ln -sf /usr/bin/env /tmp/journalctl; sudo /tmp/journalctl -u certbot',
  'root by its password': 'su -c MARK root',
}

// A terminal for each, all at once: the password where one is asked for, else the next keys where it is silent.
const typist = `import json, os, pty, pwd, select, signal, sys, time
ways, password = json.load(sys.stdin)
who = pwd.getpwnam('valence')
open_, said = {}, {}
for name, (line, *keys) in ways.items():
    pid, terminal = pty.fork()
    if pid == 0:
        os.initgroups('valence', who.pw_gid); os.setgid(who.pw_gid); os.setuid(who.pw_uid); os.chdir(who.pw_dir)
        env = {'HOME': who.pw_dir, 'USER': 'valence', 'LOGNAME': 'valence', 'SHELL': '/bin/bash', 'TERM': 'xterm',
            'PATH': '/usr/local/bin:/usr/bin:/bin', 'LANG': 'C.UTF-8'}
        os.execve('/bin/bash', ['bash', '-c', line], env)
    open_[terminal] = [name, pid, keys, time.monotonic()]
    said[name] = ''
while open_:
    for terminal in select.select(list(open_), [], [], 0.2)[0]:
        one = open_[terminal]
        try: text = os.read(terminal, 65536).decode('utf8', 'replace')
        except OSError: text = ''
        if text == '':
            os.close(terminal); del open_[terminal]; os.waitpid(one[1], 0)
            continue
        said[one[0]] += text
        one[3] = time.monotonic()
        if 'assword' in text: os.write(terminal, (password + '\\n').encode())
    for terminal, one in list(open_.items()):
        if time.monotonic() - one[3] < 1: continue
        one[3] = time.monotonic()
        if one[2]: os.write(terminal, one[2].pop(0).encode())
        else: os.kill(one[1], signal.SIGHUP); os.close(terminal); del open_[terminal]
json.dump(said, sys.stdout)
`

/** What user valence sees at a terminal of its own for each: a line that it types, then keys, one where it is silent. */
export async function typed(
  host: LabHost,
  ways: Readonly<Record<string, readonly string[]>>,
): Promise<Readonly<Record<string, string>>> {
  const told = JSON.stringify([ways, password])
  const stdout = await onHost(
    host,
    `cat >/run/typist.py <<'END'\n${typist}END\npython3 /run/typist.py <<'END'\n${told}\nEND`,
  )
  return JSON.parse(stdout) as Record<string, string>
}

// What pagers, editors, psql and shells take for a command; then an end.
const keys = ['!MARK\n', ':!MARK\n', '\u001b:!MARK\n', '\\! MARK\n', 'MARK\n', '\u0003', 'q']

/** Has valence try these ways, and says which of them ran something as another account: `root: vim`. */
export async function escaped(host: LabHost, ways: Readonly<Record<string, string>>): Promise<string[]> {
  const all = Object.entries(ways).map(([name, line]) => {
    const mark = `${programs}/${name.replace(/[^a-z]+/gi, '-')}`
    return [name, mark, [line, ...keys].map((words) => words.replaceAll('MARK', mark))] as const
  })
  await onHost(
    host,
    `rm -rf ${marks} ${programs} && mkdir -m 1777 ${marks} && mkdir -p ${programs}/bin
cat >${programs}/mark <<'END'
#!/bin/sh
touch "${marks}/$(id -un): \${0##*/}"
END
chmod 755 ${programs}/mark; cd ${programs}
for name in ${all.map(([, mark]) => mark).join(' ')}; do cp mark $name; done
for name in iptables ip6tables ufw env less; do cp mark bin/$name; done
printf 'import os\\nos.system("${programs}/python")\\n' >sitecustomize.py; cp mark python
for name in re usercustomize; do cp sitecustomize.py $name.py; done
printf '[Service]\\nExecStart=${programs}/unit\\n' >/tmp/lab.service; cp mark unit
chown -R valence: . /tmp/lab.service`,
  )
  await typed(host, Object.fromEntries(all.map(([name, , words]) => [name, words])))
  const left = await onHost(
    host,
    `find ${marks} -mindepth 1 ! -user valence -printf '%f\\n' | sort -u; rm -rf ${marks}`,
  )
  return left.split('\n').filter(Boolean)
}
