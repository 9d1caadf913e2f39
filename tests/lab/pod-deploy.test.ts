import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { plainEnv, project } from '../support/cli.ts'

import { changed, eventsOf, lastLog, logins, mainPids, planned, written } from './pod-probes.ts'
import { barePod, clonePod, convergedPod, halfMadePod, type Pod } from './pod-setup.ts'
import { requireLab, title } from './prerequisites.ts'
import { run, until } from './run.ts'

const skip = requireLab('host', 'git', 'acme')

/** Opens a pod for the tests of a suite. */
function podFor(open: () => Promise<Pod>): () => Pod {
  let pod: Pod | undefined
  beforeAll(async () => {
    pod = await open()
  })
  afterAll(() => pod?.close())
  return () => {
    if (!pod) throw new Error('the pod did not boot')
    return pod
  }
}

describe.skipIf(skip)(title('a deployed pod', skip), () => {
  const opened = podFor(async () => clonePod(await convergedPod()))

  test('a second deploy changes nothing: one login, nothing written, nothing restarted', async () => {
    const pod = opened()
    const [before, pids] = [await logins(pod.host), await mainPids(pod.host)]
    let run = { code: -1, stdout: '' }
    const touched = await written(pod.host, async () => {
      run = await pod.cli('deploy', '--yes')
    })
    expect(touched).toEqual([])
    expect(run).toMatchObject({ code: 0, stdout: expect.stringMatching(/^pod: nothing to change, \d+ unchanged/) })
    expect(await logins(pod.host)).toBe(before + 1)
    expect(await mainPids(pod.host)).toBe(pids)
    expect((await lastLog(pod)).at(-1)).toMatchObject({ type: 'run.end', made: 0, exitCode: 0 })
  })

  test('a rehearsal, as it is typed: boots a host of its own, deploys twice, and verifies', async () => {
    const env = { ...plainEnv(), LAB_REHEARSAL: 'short' }
    const { code, stdout, stderr } = await run('npm', ['run', 'rehearse', '-w', 'pod'], { cwd: project, env })
    expect(code, stdout + stderr).toBe(0)
    expect(stdout.match(/^\$ npm run .*/gm)).toEqual(
      ['validate -w pod -- --generate', 'deploy -w pod -- --yes', 'deploy -w pod -- --yes', 'verify -w pod'].map(
        (line) => `$ npm run ${line}`,
      ),
    )
    const row = (what: string, note = '') => `  pod +${what} +[\\d.]+ s${note}\\n`
    const rows = [
      row('boot'),
      row('first deploy', ' +[1-9] changes?'),
      row('second deploy', ' +0 changes'),
      row('verify'),
    ]
    expect(stdout).toMatch(new RegExp(`\\nThe rehearsal succeeded\\.\\n${rows.join('')}$`))
  })

  test('what the repository requires is there with all that it needs in turn, and works', async () => {
    const python = '/opt/valence/venv/bin/python'
    const uses = 'import asyncpg, cryptography, httptools, mcp, pydantic_settings, uvicorn, uvloop, yaml'
    const run = `cd / && ${python} -m pip check && ${python} -Bc '${uses}'`
    expect(await opened().host.exec(run, 'valence')).toMatchObject({ code: 0 })
  })

  test('what others had set up before the first deploy is in force: their site by both families, their sshd settings', async () => {
    const { host } = opened()
    const asks = (at: string) => `curl -sgH 'Host: www.other.example' http://${at}/; echo`
    const sshd = "sshd -T | grep -E '^(banner|printlastlog) ' | sort"
    const { stdout } = await host.exec(
      `${asks(host.address)}; ${asks(`[${host.address6}]`)}; ${sshd}; head -n 1 /root/.bashrc`,
    )
    expect(stdout.split('\n')).toEqual([
      ...['other', 'other', 'banner /etc/lab-banner', 'printlastlog no'],
      ...['echo "welcome to $(uname -n)"; echo \'warning: no mail\' >&2', ''],
    ])
  })

  test('a check writes nothing and says that there is nothing to change', async () => {
    const { host, cli } = opened()
    const touched = await written(host, async () => {
      const runs = [await cli('deploy', '--check', '--detailed-exitcode'), await cli('plan', '--verbose')]
      expect(runs.map(({ code }) => code)).toEqual([0, 0])
      expect(runs[1]?.stdout).toMatch(/= +database valence|= .*postgres\.database valence/)
    })
    expect(touched).toEqual([])
  })

  test('--json prints events and nothing else; without it, results and messages are apart', async () => {
    const { cli, host } = opened()
    const run = await cli('deploy', '--check', '--json')
    const events = eventsOf(run)
    expect(events[0]).toMatchObject({ type: 'version', format: 1 })
    expect(events.at(-1)).toMatchObject({ type: 'run.end', exitCode: 0 })
    for (const event of events)
      expect(event).toMatchObject({ level: expect.any(String), timestamp: expect.any(String) })
    expect(run.stderr).toBe('')
    const { stdout, stderr } = await cli('plan')
    expect(stdout).toMatch(/^pod: nothing to change/)
    // A host that takes its time is told.
    expect(stderr.replace(/^waiting for .*\n/gm, '')).toBe(`pod → root@${host.address}\n`)
  })

  test('a script runs alone, and so do the scripts of a tag', async () => {
    const { cli, cliWith } = opened()
    const alone = await cliWith({ file: 'pod/scripts/30-postgresql.ts' }, '--check', '--json')
    const tagged = await cli('plan', '--tags', 'db', '--json')
    for (const { code, stdout } of [alone, tagged]) {
      expect(code).toBe(0)
      const plan = eventsOf({ stdout }).find(({ type }) => type === 'plan')?.steps as { script: string }[]
      expect(new Set(plan.map(({ script }) => script))).toEqual(new Set(['postgresql']))
    }
  })

  test('a host that loses its IPv4 has nothing to change, and is verified by IPv6', async () => {
    const pod = opened()
    const { host, cli } = pod
    const hosts = `sed -i 's/^${host.address.replaceAll('.', '\\.')} /${host.address6} /' /etc/hosts`
    const without = await host.exec(`cp /etc/hosts /root/hosts; ${hosts}; ip -4 addr flush dev host0`)
    expect(without).toMatchObject({ code: 0 })
    await pod.configure({ VALENCE_POD_IP: host.address6 })
    const runs = [await cli('deploy', '--yes'), await cli('verify')]
    const with4 = `cat /root/hosts >/etc/hosts; ip addr add ${host.address}/24 dev host0; ip route add default via ${host.gateway}`
    expect(await host.exec(with4)).toMatchObject({ code: 0 })
    await pod.configure()
    expect(
      runs.map(({ code }) => code),
      runs.map(({ stdout, stderr }) => stdout + stderr).join('\n'),
    ).toEqual([0, 0])
    expect(runs[0]?.stdout).toMatch(/^pod: nothing to change/)
    const { stdout } = await cli('verify', '--json', '--only', 'synapse.addresses')
    expect(stdout).toContain(`${host.address}, ${host.address6}`)
  })

  test('whatever was changed on the host is shown, mended by a saved plan, and then there is nothing to do', async () => {
    const pod = opened()
    const { host, cli, cliWith, root } = pod
    await pod.configure({ VALENCE_EXTRA_PORTS: '3478/udp,49152-49200/udp,5349/tcp from 10.0.0.0/8' })
    const drift = await host.exec(`set -e
      ufw allow 8080/tcp
      ufw allow 3478/udp
      echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/00-cloud.conf
      systemctl reload ssh
      systemctl stop fail2ban
      systemctl disable --now unattended-upgrades apt-daily-upgrade.timer
      cd /
      runuser -u postgres -- psql -qc "ALTER SYSTEM SET listen_addresses = '*'" -c 'ALTER DATABASE valence OWNER TO postgres'
      systemctl restart postgresql@17-main`)
    expect(drift).toMatchObject({ code: 0 })
    const file = join(root, 'reviewed')
    const shown = [
      'firewall rules: allow 49152-49200/udp 5349/tcp from 10.0.0.0/8',
      'foreign firewall rule: allow in proto tcp from any to any port 8080',
      'sshd: passwordauthentication yes in /etc/ssh/sshd_config.d/00-cloud.conf:1',
      'fail2ban started',
      'apt-daily-upgrade.timer at boot',
      'unattended-upgrades.service at boot',
      'unattended-upgrades.service started',
      'setting listen_addresses * → localhost',
      'postgresql@17-main restarted',
      'owner of database valence postgres → valence',
    ]
    const plan = await cli('plan', '--json', '--detailed-exitcode', '--out', file)
    expect(plan.code).toBe(2)
    expect(planned(eventsOf(plan))).toEqual(expect.arrayContaining(shown))
    expect(planned(eventsOf(plan)).join()).not.toMatch(/port 3478/)
    expect(plan.stdout).toMatch(
      /closes what somebody else opened; to keep it open: VALENCE_EXTRA_PORTS='3478\/udp,[^']*,8080\/tcp'/,
    )
    expect((await cli('verify')).code).toBe(3)

    // What was reviewed is not what is found any more.
    await host.exec('ufw --force disable')
    const touched = await written(host, async () => {
      const stale = await cli('deploy', '--plan', file)
      expect(stale).toMatchObject({ code: 6, stderr: expect.stringMatching(/stale[\s\S]*firewall/) })
    })
    expect(touched).toEqual([])

    const again = await cli('plan', '--json', '--out', file)
    expect(planned(eventsOf(again))).toContain('firewall enabled')
    const summary = join(root, 'summary.md')
    const env = { GITHUB_ACTIONS: 'true', CI: 'true', GITHUB_STEP_SUMMARY: summary }
    const { code, stdout, stderr } = await cliWith({ env }, 'deploy', '--plan', file)
    expect(code, stdout + stderr).toBe(0)
    expect(changed(await lastLog(pod))).toEqual(planned(eventsOf(again)))
    expect(stderr).toMatch(/^::group::security$[\s\S]*^::endgroup::$[\s\S]*^::group::postgresql$[\s\S]*^::endgroup::$/m)
    expect(await readFile(summary, 'utf8')).toMatch(
      /### pod: \d+ to create[\s\S]*foreign firewall rule[\s\S]*### pod verify/,
    )
    expect(await cli('deploy', '--yes')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing to change'),
    })
  })
})

describe.skipIf(skip)(title('a half-made pod', skip), () => {
  const opened = podFor(async () => clonePod(await halfMadePod()))

  test('a check writes nothing and tells that there is something to change', async () => {
    const { host, cli } = opened()
    const touched = await written(host, async () => {
      const [plain, detailed] = [await cli('deploy', '--check'), await cli('deploy', '-n', '--detailed-exitcode')]
      expect([plain.code, detailed.code]).toEqual([0, 2])
      expect(plain.stdout).toMatch(/^ {2}\+\?? role valence$/m)
    })
    expect(touched).toEqual([])
  })

  test('a run that is stopped finishes its change, another one meanwhile is refused, the next converges', async () => {
    const { host, cli, start } = opened()
    const first = start('deploy', '--yes')
    const isInstalling = async () => (await host.exec('pgrep -x apt-get || pgrep -x dpkg')).code === 0
    await until('the packages to be installed', 60_000, async () => (await isInstalling()) || undefined)
    const touched = await cli('deploy', '--yes')
    expect(touched).toMatchObject({ code: 5, stderr: expect.stringMatching(/another run holds the lock: \S+@\S+/) })

    first.kill('SIGINT')
    const { code, stderr } = await first.ended
    expect(code).toBe(130)
    expect(stderr).toMatch(/stopping: finishing "package/)
    expect(stderr).toMatch(/stopped as requested, after 1 change/)
    expect((await host.exec('dpkg --audit; dpkg -s tmux nginx >/dev/null; echo $?')).stdout).toBe('0\n')
    expect((await host.exec('ls /run/infra/lock /opt/valence')).stdout).toBe('')

    const { code: done, stdout } = await cli('deploy', '--yes')
    expect(done).toBe(0)
    expect(stdout).toMatch(/✓ postgresql {2}\d+ checks passed[\s\S]*pod: \d+ passed/)
    expect(await cli('deploy', '--yes')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing to change'),
    })
  })
})

describe.skipIf(skip)(title('a bare host', skip), () => {
  const opened = podFor(() => barePod())

  test('a check writes nothing', async () => {
    const { host, cli } = opened()
    const touched = await written(host, async () => {
      const [plain, detailed] = [await cli('plan'), await cli('deploy', '--check', '--detailed-exitcode')]
      expect([plain.code, detailed.code]).toEqual([0, 2])
    })
    expect(touched).toEqual([])
  })

  test('a system that is not supported is refused before anything is changed', async () => {
    const { host, cli } = opened()
    await host.exec(`printf 'ID=arch\\nPRETTY_NAME="Arch Linux"\\n' >/usr/lib/os-release`)
    const touched = await written(host, async () => {
      const run = await cli('deploy', '--yes')
      expect(run).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/error: .*Arch Linux is not supported[\s\S]*Ubuntu 24\.04/),
      })
    })
    expect(touched).toEqual([])
  })
})

describe.skipIf(skip)(title('Debian 12', skip), () => {
  const opened = podFor(() => barePod({ release: 'bookworm' }))

  test('the first deploy converges and verifies, the second finds nothing to change', async () => {
    const { host, cli } = opened()
    // Its pgvector comes from the PostgreSQL project: without a way there, what needs no database is deployed.
    const isReachable = (await host.exec('getent hosts apt.postgresql.org')).code === 0
    const deploy = () => cli('deploy', '--yes', ...(isReachable ? [] : ['--skip-tags', 'postgresql,synapse,vkb']))
    const { code, stdout, stderr } = await deploy()
    expect(code, stdout + stderr).toBe(0)
    expect(stdout).toMatch(/✓ security {2}\d+ checks passed[\s\S]*pod: \d+ passed/)
    expect(await deploy()).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to change') })
  })
})
