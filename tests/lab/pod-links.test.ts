import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quote } from '@infra/shared/command/sh'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { payload } from '../../pod/backup/backup.ts'
import { onHost as on } from './backup-drill.ts'
import { objects, places, withObjects } from './objects.ts'
import { type CliEvent, logins, planned } from './pod-probes.ts'
import { deployed, eventsOf, failureOf, lastOf } from './pod-runs.ts'
import { clonePod, convergedPod, type Pod } from './pod-setup.ts'
import { labDomain as domain } from './prepare.ts'
import { requireLab, title } from './prerequisites.ts'
import { escaped, escapes, password, typed } from './sudo-escapes.ts'
import { tracedShell, traceOf, unknown, whatRootFollows } from './trace.ts'
import { addModules } from './unkind.ts'

const skip = requireLab('host', 'git', 'age')

/** Where the links of user valence lead: what root writes there runs as root with the next apt. */
const outside = '/etc/apt/apt.conf.d'
const fingerprint = `find /etc/apt /etc/cron.d /etc/sudoers.d /root/.ssh -printf '%p %y %m %u:%g %l\\n' | sort
find /etc/apt /etc/cron.d /etc/sudoers.d /root/.ssh -type f -print0 | sort -z | xargs -0 sha256sum`

/** Python that user valence runs in a tight loop, beside whatever root does meanwhile. */
const exchanging = {
  '.bashrc and what it was': `link('.bashrc.link')
os.replace('.bashrc.link', '.bashrc')
open('.bashrc.text', 'w').write('# mine\\n')
os.replace('.bashrc.text', '.bashrc')`,
  'every name that a restore may take': `if child == 0:
    link('config.restoring')
    continue
for name in os.listdir('.'):
    if name.startswith('.restoring') and not os.path.islink(name):
        os.rename(name, '.away%d' % time.monotonic_ns())
        link(name)`,
}

describe.skipIf(skip)(title('user valence, who wants to be root', skip), () => {
  let pod: Pod
  let before: string
  const onHost = (script: string) => on(pod.host, script)
  const asValence = (script: string) => onHost(`runuser -u valence -- sh -ec ${quote(script)}`)

  beforeAll(async () => {
    pod = await clonePod(await convergedPod())
    await onHost(`echo '// the lab' >${outside}/00lab`)
    before = await onHost(fingerprint)
  })
  afterAll(() => pod?.close())

  /** Runs this while user valence exchanges names in a folder, as fast as that goes. */
  async function racing<T>(folder: string, what: keyof typeof exchanging, work: () => Promise<T>): Promise<T> {
    const body = exchanging[what].replace(/^/gm, '        ')
    await onHost(`cat >/tmp/race.py <<'END'
import os, time
os.chdir('${folder}')
def link(name, to='${outside}/00lab' if 'bashrc' in '''${what}''' else '${outside}'):
    os.symlink(to, name)
child = os.fork()
while True:
    try:
${body}
    except OSError:
        pass
END
systemd-run --quiet --unit=lab-race --uid=valence python3 /tmp/race.py`)
    return work().finally(() => onHost('systemctl stop lab-race; rm -f /tmp/race.py'))
  }

  test('a link where the previous version is kept is replaced, not written through', async () => {
    await onHost(`mkdir -p /var/lib/infra/previous/home/valence
ln -sfn ${outside}/00lab /var/lib/infra/previous/home/valence/.bashrc`)
    await asValence('echo "# mine" >~valence/.bashrc')
    expect(await deployed(pod, '--skip-verification')).toEqual([expect.stringContaining('.bashrc')])
    expect(await onHost(fingerprint)).toBe(before)
    expect(await onHost('stat -c "%F %a %U" /var/lib/infra/previous/home/valence/.bashrc')).toBe(
      'regular file 600 root\n',
    )
  })

  test('.bashrc that becomes a link while root deploys: none is kept, and nothing read through it', async () => {
    await racing('/home/valence', '.bashrc and what it was', async () => {
      for (let round = 0; round < 3; round++) await pod.cli('deploy', '--yes', '--tags', 'common')
    })
    expect(await onHost(fingerprint)).toBe(before)
    expect(await onHost('find /var/lib/infra/previous/home -type l')).toBe('')
    await asValence('rm -f ~valence/.bashrc*; echo "# mine" >~valence/.bashrc')
    await deployed(pod, '--skip-verification')
    expect(await onHost('cat /home/valence/.bashrc')).toBe('# mine\nexport PATH="$HOME/.local/bin:$PATH"\n')
  })

  test('links that lead to a file, a folder and nowhere are refused or left, and nothing behind them changes', async () => {
    await asValence(`cd ~valence; mv .bashrc .bashrc.kept; mv .claude.json .claude.kept
ln -s ${outside}/99red .bashrc; ln -s ${outside}/99red.json .claude.json`)
    await onHost(`cd /opt/valence && mv config config.kept && ln -s ${outside} config`)
    const { message } = failureOf(await pod.cli('deploy', '--yes', '--json'), 1)
    expect(message).toMatch(/is a link, not a directory|is a link: it cannot be added to/)
    expect(await onHost(fingerprint)).toBe(before)
    await onHost('cd /opt/valence && rm config && mv config.kept config')
    await asValence('cd ~valence; mv -f .bashrc.kept .bashrc')
    const unmade = await pod.cli('deploy', '--yes', '--json')
    expect(unmade.code).toBe(1)
    expect(await onHost(fingerprint)).toBe(before)
    await asValence('cd ~valence; mv -f .claude.kept .claude.json')
    expect(await deployed(pod, '--skip-verification')).toEqual([])
  })

  test('a pod whose folder valence owns is brought over by one deploy', async () => {
    await onHost('chown valence: /opt/valence')
    expect((await pod.cli('plan')).stdout).toContain('/opt/valence 0755 valence:valence → 0755 root:root')
    expect(await deployed(pod, '--skip-verification')).toEqual([
      expect.stringContaining('/opt/valence 0755 valence:valence → 0755 root:root'),
    ])
    expect(await deployed(pod, '--skip-verification')).toEqual([])
    expect((await pod.host.exec(`runuser -u valence -- mkdir /opt/valence/config.restoring`)).code).toBe(1)
    const own = 'for d in repo venv config; do touch /opt/valence/$d/.mine; rm /opt/valence/$d/.mine; done'
    await asValence(own)
  })

  test('a restore in a folder that valence owns, and exchanges names in, moves nothing out of it', async () => {
    const { stdout, code } = await pod.cli('backup', '--to', join(pod.root, 'archive'))
    expect(code).toBe(0)
    const restore = () => pod.cli('restore', stdout.trim(), '--confirm', domain, '--json')
    await onHost('chown valence: /opt/valence')
    const config = 'cd /opt/valence/config && stat -c "%n %a %U" . * && sha256sum *'
    const there = await onHost(config)
    const raced = await racing('/opt/valence', 'every name that a restore may take', restore)
    expect(await onHost(fingerprint)).toBe(before)
    expect(await onHost(config)).toBe(there)
    // Whether the loop is quick enough to be in the way, or not.
    if (raced.code !== 0)
      expect(failureOf(raced, 1).message).toBe('the restore failed and was undone: all is as it was')
    await onHost('rm -rf /opt/valence/.away* /opt/valence/config.restoring')
    const calm = await restore()
    expect(calm.code, calm.stdout + calm.stderr).toBe(0)
    expect(await onHost(fingerprint)).toBe(before)
    expect(await onHost(config)).toBe(there)
    expect(await onHost('find /etc /opt /var/lib/matrix-synapse -name ".restoring*"')).toBe('')
  })

  test('15,000 modules more in each environment cost a plan their folders, and no module is looked at', async () => {
    await onHost('chown root: /opt/valence') // the attacks before took it: the plan is of the modules alone
    await addModules(pod.host)
    const before = await logins(pod.host)
    const run = { code: -1, stdout: '' }
    const calls = (await traceOf(pod.host, async () => void Object.assign(run, await pod.cli('plan', '--json')))).join(
      '\n',
    )
    expect(run.code, lastOf(run.stdout)).toBe(0)
    expect(planned(eventsOf(run.stdout) as CliEvent[])).toEqual([])
    expect(await logins(pod.host)).toBe(before + 1)
    // Both environments were looked into, by their 201 folders each: a few calls for one of those, and none for a module.
    const within = calls.match(/^.*site-packages\/wide(?:\/|").*$/gm) ?? []
    expect(within.filter((line) => /\.pyc?"/.test(line))).toEqual([])
    expect(within.length).toBeGreaterThan(200)
    expect(within.length).toBeLessThan(3000)
    expect(run.stdout.length).toBeLessThan(60_000)
  })

  test('what of them has no byte code gets it, where a package is cut as where a folder is', async () => {
    await onHost('rm -r /opt/venvs/matrix-synapse/lib/python3*/site-packages/wide/part3*/__pycache__')
    await asValence('rm -r /opt/valence/venv/lib/python3*/site-packages/wide/part7/__pycache__')
    expect(await deployed(pod, '--skip-verification', '-t', 'synapse,vkb')).toEqual([
      expect.stringMatching(/^pip matrix-synapse: byte code of wide$/),
      expect.stringMatching(/^python package valence: byte code of wide$/),
    ])
    const count = 'find /opt/venvs/matrix-synapse/lib /opt/valence/venv/lib -path "*/wide/*.pyc" | wc -l'
    expect(await onHost(count)).toBe('30000\n')
  })

  /** Milliseconds that a deployment takes which changes nothing, to see what hangs beyond that. */
  let quiet = 0
  test('nothing is left to do before the next', async () => {
    const begun = performance.now()
    expect(await deployed(pod, '--skip-verification')).toEqual([])
    quiet = performance.now() - begun
  })

  describe.each(Object.entries(objects))('%s in the place of everything that valence owns', (_, make) => {
    test.each(Object.entries(places))('of its %s: a deployment ends, and nothing outside changes', async (_, paths) => {
      const begun = performance.now()
      const { code, stdout, stderr } = await withObjects(pod.host, paths, make, () =>
        pod.cli('deploy', '--yes', '--json', '--skip-verification'),
      )
      expect(performance.now() - begun - quiet, lastOf(stdout + stderr)).toBeLessThan(30_000)
      expect(code, lastOf(stdout + stderr)).toBe(1)
      expect(await onHost(fingerprint)).toBe(before)
    })
  })

  test('a backup reads nothing through what valence put into its folder, and waits for nothing', async () => {
    const names = Object.keys(objects).map((name) => name.replace(/[^a-z]+/gi, '-'))
    const made = Object.values(objects).map((make, index) => `p=/opt/valence/config/${names[index]}; ${make}`)
    await asValence(made.join('\n'))
    await onHost('install -m 600 /dev/null /etc/apt/only-root; echo the secret of root >/etc/apt/only-root')
    await asValence('ln -s /etc/apt/only-root /opt/valence/config/read-me')
    const folder = join(pod.root, 'with-objects')
    const begun = performance.now()
    const { code, stdout, stderr } = await pod.cli('backup', '--to', folder)
    expect(code, stdout + stderr).toBe(0)
    expect(performance.now() - begun).toBeLessThan(30_000)
    const restored = await pod.cli('restore', stdout.trim(), '--confirm', domain, '--json')
    expect(restored.code, lastOf(restored.stdout + restored.stderr)).toBe(0)
    // What leads out is not made again.
    for (const left of ['read-me', 'a-link-to-etc'])
      expect(restored.stdout).toContain(`left out: /opt/valence/config/${left}, a link that leads out of its folder`)
    expect(await onHost('find /opt/valence/config ! -type d ! -type f')).toBe('')
    await asValence(`cd /opt/valence/config; rm -rf ${names.join(' ')}`)
    await onHost('rm -rf /etc/apt/only-root /opt/valence/*.before-restore-*')
    expect(await onHost(fingerprint)).toBe(before)
  })

  test('traced: root follows no name in a folder of another account, whatever it mends, looks at, saves and restores', async () => {
    const recipient = (await readFile(`${pod.host.keyFile}.pub`, 'utf8')).trim()
    const program = `cat >/run/backup.sh <<'END OF IT'\n${payload('backup.sh')}\nEND OF IT
${tracedShell} -c ${quote(`bash /run/backup.sh ${domain} '${recipient}' >/dev/null`)}`
    const archive = await pod.cli('backup', '--to', join(pod.root, 'to-be-traced'))
    const traced = async (work: () => Promise<{ readonly code: number; readonly stdout: string }>) => {
      const followed = await whatRootFollows(pod.host, async () => {
        const { code, stdout } = await work()
        expect(code, lastOf(stdout)).toBe(0)
      })
      return unknown(followed)
    }
    await onHost(`cd /home/valence; echo '# mine' >.bashrc; rm -rf .claude.json .local/bin/claude; chmod 777 .ssh
chown root: .ssh/authorized_keys; cd /opt/valence; echo x >>config/vkb.env; chmod 777 config; chown -R root: repo
chown root: venv; sed -i s/auto/manual/ /etc/postgresql/*/main/start.conf`)
    const deploy = () => pod.cli('deploy', '--yes', '--json', '--skip-verification')
    expect(await traced(deploy)).toEqual([])
    await onHost('rm -rf /opt/valence/repo')
    expect(await traced(deploy)).toEqual([])
    expect(await traced(() => pod.cli('verify', '--json'))).toEqual([])
    expect(await traced(() => pod.host.exec(program))).toEqual([])
    expect(await traced(() => pod.cli('restore', archive.stdout.trim(), '--confirm', domain, '--json'))).toEqual([])
    expect(await onHost(fingerprint)).toBe(before)
  })

  test('valence at a terminal, who knows its password, becomes root by none of the known ways out of sudo', async () => {
    await onHost(`echo 'valence:${password}' | chpasswd`)
    const loose = '/etc/sudoers.d/99-loose'
    await onHost(`echo 'valence ALL=(root) NOPASSWD: /usr/bin/less /etc/hosts, /usr/bin/vim /etc/hosts' >${loose}`)
    // That the ways lead to root where a rule is loose: else no mark would mean nothing.
    const { less = '', vim = '' } = escapes
    const loosely = await escaped(pod.host, { less, vim }).finally(() => onHost(`rm ${loose}`))
    expect(loosely).toEqual(['root: less', 'root: vim'])
    expect(await escaped(pod.host, escapes)).toEqual([])
  })

  test('what the instructions let valence type works, without a password and without a pager', async () => {
    const lines = {
      status: 'sudo systemctl status postgresql matrix-synapse vkb nginx; echo "ended with $?"',
      synapse: 'sudo journalctl -u matrix-synapse; echo "ended with $?"',
      errors: 'sudo journalctl --since "10 minutes ago" | grep -ci error',
      firewall: 'sudo ufw status; echo "ended with $?"',
      database: 'sudo -u valence psql -h localhost -d valence',
    }
    const said = await typed(pod.host, Object.fromEntries(Object.entries(lines).map(([name, line]) => [name, [line]])))
    // 3: vkb is stopped, as it shall be.
    expect(said.status).toMatch(/nginx.service - [\s\S]*ended with 3/)
    expect(said.synapse).toMatch(/systemd\[1\]: Started [\s\S]*ended with 0/)
    expect(said.errors).toMatch(/^\d+\s*$/)
    expect(said.firewall).toMatch(/Status: active[\s\S]*ended with 0/)
    expect(said.database).toMatch(/^Password for user valence:/)
    expect(`${said.status}${said.synapse}${said.firewall}`).not.toMatch(/\[sudo\]|not allowed/)
  })

  test('a pod where valence is in group sudo is told so in the plan, and brought over by one deploy', async () => {
    await onHost('rm -f /etc/sudoers.d/00-valence; usermod --append --groups sudo valence')
    const out = /valence out of group sudo: it keeps the commands of \/etc\/sudoers.d\/00-valence.*VALENCE_SUDO=full/
    const { stdout } = await pod.cli('plan')
    expect(stdout).toMatch(out)
    expect(stdout).toContain('(fewer rights)')
    expect(await deployed(pod, '--skip-verification')).toEqual([
      expect.stringContaining('/etc/sudoers.d/00-valence'),
      expect.stringMatching(out),
    ])
    expect(await onHost('id -nG valence')).not.toContain('sudo')
    expect(await deployed(pod, '--skip-verification')).toEqual([])
    expect((await pod.cli('verify', '--only', 'security.sudo')).stdout).not.toContain('may run')
  })

  test('a deployment that works by the sudo of valence is refused before it takes that away', async () => {
    await onHost(
      `echo 'valence ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/90-mine; usermod --append --groups sudo valence`,
    )
    await pod.configure({ VALENCE_SSH_USER: 'valence' })
    const state = 'id -nG valence; cd /etc/sudoers.d && stat -c "%n %Z" *'
    const now = await onHost(state)
    const { message, remedy } = failureOf(await pod.cli('deploy', '--yes', '--json'), 1)
    expect(message).toMatch(/logs in as valence .* VALENCE_SUDO=commands takes away/)
    expect(remedy).toContain('VALENCE_SSH_USER')
    expect(await onHost(state)).toBe(now)
    await pod.configure({ VALENCE_SSH_USER: 'valence', VALENCE_SUDO: 'full' })
    expect(await deployed(pod, '--skip-verification')).toEqual([expect.stringContaining('/etc/sudoers.d/00-valence')])
    expect(await deployed(pod, '--skip-verification')).toEqual([])
    await pod.configure()
    await onHost('rm /etc/sudoers.d/90-mine')
  })
})
