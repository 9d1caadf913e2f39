import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deployed, deployUntil, eventsOf, expectConverged, type JsonEvent, lastOf, madeBy } from './pod-runs.ts'
import { barePod, clonePod, convergedPod, type Pod } from './pod-setup.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'

const skip = requireLab('host', 'git', 'acme')

const apt =
  (pattern: RegExp) =>
  ({ type, line }: JsonEvent) =>
    type === 'change.output' && pattern.test(line ?? '')
const done = ({ type, outcome }: JsonEvent) => type === 'change.end' && outcome === 'done'

const lookFor = (pod: Pod, what: string, condition: string) =>
  until(what, 60_000, async () => ((await pod.host.exec(condition)).code === 0 ? true : undefined))

// What a change runs in holds `busy`; apt keeps that from dpkg.
const killChange = `for f in /proc/[0-9]*/fd/8; do
  if [ "$(readlink $f)" = /run/infra/busy ]; then f=\${f#/proc/}; kill -9 "\${f%%/*}"; fi
done; pkill -9 -x dpkg; true`

/** A program of the host that takes its time before or after its work, so that it can be killed there. */
const slow = (program: string, when: string, moment: 'before' | 'after') => `cat >/usr/local/sbin/${program} <<'END'
#!/bin/sh
case " $* " in *" ${when} "*) ;; *) exec /usr/bin/${program} "$@" ;; esac
${moment === 'after' ? `/usr/bin/${program} "$@"` : ''}
touch /run/slow.d/there
sleep 60
END
chmod 755 /usr/local/sbin/${program}; rm -rf /run/slow.d; mkdir -m 1777 /run/slow.d`

describe.skipIf(skip)(title('a first deployment that is killed again and again', skip), () => {
  let pod: Pod

  beforeAll(async () => {
    pod = await barePod()
  })
  afterAll(() => pod?.close())

  test('killed while dpkg unpacks', async () => {
    const { run, seen } = await deployUntil(pod, apt(/^Unpacking /))
    expect(seen, lastOf(run.said())).toBe(true)
    run.kill('SIGKILL')
    await run.ended
  })

  test('apt and dpkg killed on the host', async () => {
    const { run, seen } = await deployUntil(pod, apt(/^(Unpacking|Setting up) /))
    expect(seen, lastOf(run.said())).toBe(true)
    await pod.host.exec(killChange)
    const { code, stdout, stderr } = await run.ended
    expect([1, 4], lastOf(stdout + stderr)).toContain(code)
    expect(eventsOf(stdout).filter(({ type }) => type === 'failure')).toHaveLength(1)
  })

  test('the power lost while dpkg sets up', async () => {
    const { run, seen } = await deployUntil(pod, apt(/^Setting up /))
    expect(seen, lastOf(run.said())).toBe(true)
    await pod.host.powerOff('hard')
    const { code, stdout, stderr } = await run.ended
    expect(code, lastOf(stdout + stderr)).toBe(4)
    await pod.host.powerOn()
  })

  test('killed after every change: each run goes on where the other ended', async () => {
    const runs: string[][] = []
    for (;;) {
      const { run, seen } = await deployUntil(pod, done)
      if (seen) run.kill('SIGKILL')
      const { code, stdout, stderr } = await run.ended
      if (!seen) {
        expect(code, lastOf(stdout + stderr)).toBe(0)
        break
      }
      runs.push(madeBy(stdout))
      expect(runs.length, runs.join('\n')).toBeLessThan(80)
    }
    // None began anew: what one run made, no later one made again.
    const made = runs.flat().filter((change) => !/restarted|reloaded|confirmed|half installed/.test(change))
    expect(made).toEqual([...new Set(made)])
    expect(runs.length).toBeGreaterThan(10)
  })

  test('in the end all is as after a run that nobody disturbed', () => expectConverged(pod))
})

describe.skipIf(skip)(title('a change that is killed half way', skip), () => {
  let pod: Pod

  beforeAll(async () => {
    pod = await clonePod(await convergedPod())
  })
  afterAll(() => pod?.close())

  /** Damages, deploys until the slow program is reached, kills both sides there, and says what the next run does. */
  async function killedAt(damage: string, ...[program, when, moment]: Parameters<typeof slow>): Promise<string[]> {
    const { code, stderr } = await pod.host.exec(`{ ${damage}; } && ${slow(program, when, moment)}`)
    expect(code, stderr).toBe(0)
    const run = pod.start('deploy', '--yes', '--json')
    await lookFor(pod, `${program} ${when}`, '[ -e /run/slow.d/there ]').catch((error) => {
      throw new Error(`${error.message}\n${lastOf(run.said())}`)
    })
    run.kill('SIGKILL')
    await pod.host.exec(`rm /usr/local/sbin/${program}; ${killChange}`)
    await run.ended
    return deployed(pod)
  }

  test('a clone, before it has its name', async () => {
    const made = await killedAt('rm -rf /opt/valence/repo', 'git', 'clone', 'after')
    expect(made).toEqual(['repository /opt/valence/repo: /opt/valence/repo at v1.0.1'])
    expect((await pod.host.exec('ls -A /opt/valence')).stdout).not.toContain('.clone')
  })

  test("sshd's drop-in, written but not in force", async () => {
    const dropIn = '/etc/ssh/sshd_config.d/00-valence.conf'
    const open = `sed -i s/no/yes/ ${dropIn}; systemctl restart ssh`
    const made = await killedAt(open, 'systemctl', 'restart ssh.service', 'before')
    expect(made.join()).toMatch(/^sshd: sshd restarted/)
    expect((await pod.host.exec('systemctl list-units --all | grep infra-revert')).stdout).toBe('')
  })

  test('a setting of PostgreSQL, written but not in force', async () => {
    const open = `cd / && runuser -u postgres -- psql -qXc "ALTER SYSTEM SET listen_addresses = '*'" && systemctl restart postgresql@17-main`
    const made = await killedAt(open, 'systemctl', 'restart postgresql@17-main', 'before')
    expect(made).toEqual(['postgres.setting listen_addresses: postgresql@17-main restarted'])
    const listening = (await pod.host.exec('ss -Hltn sport = :5432')).stdout
    expect(listening).toContain('127.0.0.1:5432')
    expect(listening).not.toMatch(/0\.0\.0\.0:5432|\*:5432|\[::\]:5432/)
  })

  test("fail2ban's jail, written but not in force", async () => {
    const open = 'sed -i s/1h/1m/ /etc/fail2ban/jail.d/zz-sshd.local && systemctl restart fail2ban'
    const made = await killedAt(open, 'systemctl', 'restart fail2ban.service', 'before')
    expect(made.join()).toMatch(/^fail2ban sshd: fail2ban restarted/)
  })

  test("Synapse's configuration, written but not in force", async () => {
    const open = 'sed -i s/50M/51M/ /etc/matrix-synapse/homeserver.yaml && systemctl restart matrix-synapse'
    const made = await killedAt(open, 'systemctl', 'restart matrix-synapse.service', 'before')
    expect(made).toEqual(['service matrix-synapse.service: matrix-synapse.service restarted'])
  })

  test("nginx's site, written but not in force", async () => {
    const open = 'sed -i s/50M/51M/ /etc/nginx/sites-available/valence && systemctl reload nginx'
    const made = await killedAt(open, 'systemctl', 'reload nginx.service', 'before')
    expect(made).toEqual(['nginx.site valence: nginx reloaded'])
  })

  test('a Matrix user set right, with Synapse stopped for it', async () => {
    const open = `cd / && runuser -u postgres -- psql -qXd synapse -c "UPDATE users SET admin = 0 WHERE name LIKE '@admin:%'"`
    const made = await killedAt(open, 'systemctl', 'start matrix-synapse.service', 'before')
    expect(made).toEqual(['service matrix-synapse.service: matrix-synapse.service started'])
  })

  test('in the end all is as before', () => expectConverged(pod))
})
