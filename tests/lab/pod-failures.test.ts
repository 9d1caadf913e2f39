import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { awaits } from '../support/wait.ts'
import { clockAhead, holding, isWaiting, waitsFor, waitsOn } from './package-managers.ts'
import { deployed, deployUntil, eventsOf, expectConverged, failureOf, lastOf } from './pod-runs.ts'
import { clonePod, convergedPod, halfMadePod, type Pod } from './pod-setup.ts'
import { labDomain, makeKey } from './prepare.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'

const skip = requireLab('host', 'git', 'acme')

/** Runs on the host what must succeed. */
async function onHost({ host }: Pod, script: string): Promise<string> {
  const { code, stdout, stderr } = await host.exec(script)
  expect(code, `${script}\n${stdout}${stderr}`).toBe(0)
  return stdout
}

const failedDeploy = async (pod: Pod, exitCode = 1) => failureOf(await pod.cli('deploy', '--yes', '--json'), exitCode)

// A package that nothing needs, a small one.
const removed = 'apt-get -y purge htop'

const holdLock = holding('/var/lib/dpkg/lock-frontend')

describe.skipIf(skip)(title('what fails is told once and clearly, and heals', skip), () => {
  let pod: Pod

  beforeAll(async () => {
    pod = await clonePod(await convergedPod())
  })
  afterAll(() => pod?.close())

  /** Breaks something, deploys in vain, mends the cause, deploys. Gives the failure and what the last run made. */
  async function broken(breakIt: string, mendIt: string, settings: Parameters<Pod['configure']>[0] = {}) {
    await onHost(pod, breakIt)
    await pod.configure(settings)
    const failure = await failedDeploy(pod)
    await onHost(pod, mendIt)
    await pod.acme.fails(labDomain, false)
    await pod.configure()
    return { ...failure, healed: await deployed(pod) }
  }

  test('a wrong key', async () => {
    const key = join(pod.root, 'wrong')
    await makeKey(key)
    await pod.configure({ VALENCE_SSH_PRIVATE_KEY_FILE: key })
    const { message, remedy } = await failedDeploy(pod, 4)
    await pod.configure()
    expect(message).toMatch(/permission denied/)
    expect(remedy).toMatch(/VALENCE_SSH_PRIVATE_KEY_FILE/)
  })

  test('a port where nothing listens', async () => {
    await pod.configure({ VALENCE_SSH_PORT: '2222' })
    const { message, remedy } = await failedDeploy(pod, 4)
    await pod.configure()
    // The firewall drops what is not allowed.
    expect(message).toMatch(/port 2222 (refuses the connection|does not answer)/)
    expect(remedy).toMatch(/VALENCE_SSH_PORT|firewall/)
  })

  test('a host that is down', async () => {
    await pod.host.powerOff('clean')
    const { message, remedy } = await failedDeploy(pod, 4)
    await pod.host.powerOn()
    expect(message).toMatch(/does not answer/)
    expect(remedy).toMatch(/VALENCE_POD_IP/)
  })

  test('a package that no source has', async () => {
    const pin = '/etc/apt/preferences.d/no-htop'
    const { message, healed } = await broken(
      `${removed}; printf '%s\\n' 'Package: htop' 'Pin: release *' 'Pin-Priority: -1' >${pin}`,
      `rm ${pin}`,
    )
    expect(message).toMatch(/^packages .*: no source on the host has the package htop/)
    expect(healed).toEqual([expect.stringMatching(/: package htop$/)])
  })

  test('a package mirror that cannot be reached', async () => {
    const sources = '/etc/apt/sources.list.d/debian.sources'
    const { message, healed } = await broken(
      `${removed}; rm -rf /var/lib/apt/lists/*; rm -f /var/cache/apt/archives/htop*
sed -i.kept -E 's|http://[^ ]+|http://lab.internal:9/debian|' ${sources}`,
      `mv ${sources}.kept ${sources}`,
    )
    expect(message).toMatch(/^packages .*: the package mirror cannot be reached/)
    expect(healed).toEqual([expect.stringMatching(/: package htop$/)])
  })

  test('another version of PostgreSQL than the one that holds the data', async () => {
    const { message, healed } = await broken('true', 'true', { VALENCE_POSTGRES_VERSION: '16' })
    expect(message).toMatch(/^postgres.cluster 16\/main.*: cluster 17\/main holds port 5432/)
    expect(await onHost(pod, 'ls /etc/apt/sources.list.d')).toBe('debian.sources\n')
    expect(healed).toEqual([])
  })

  test('a git server that is down', async () => {
    const { message, healed } = await broken('rm -rf /opt/valence/repo', 'true', {
      VALENCE_REPO_URL: 'http://lab.internal:9/valence.git',
    })
    expect(message).toMatch(/^repository .*: the git server cannot be reached \(http:\/\/lab.internal:9/)
    expect(healed).toEqual([expect.stringMatching(/^repository \/opt\/valence\/repo: /)])
  })

  test('a repository that is not there', async () => {
    const { message } = await broken('rm -rf /opt/valence/repo', 'true', {
      VALENCE_REPO_URL: pod.git.publicUrl.replace('valence.git', 'nothing.git'),
    })
    expect(message).toMatch(/there is no repository at http.*nothing.git that may be read/)
  })

  test.each([
    ['a wrong token', 'wrong-token-of-the-lab-0123456789'],
    ['no token for a private repository', undefined],
  ])('%s', async (_name, token) => {
    const { message } = await broken('rm -rf /opt/valence/repo', 'true', {
      VALENCE_REPO_URL: pod.git.privateUrl,
      VALENCE_REPO_TOKEN: token,
    })
    expect(message).toMatch(/did not let us in: .*token/)
    expect(message).not.toContain('wrong-token')
  })

  test('a ref that the repository does not have, for a clone that is there', async () => {
    const { message, healed } = await broken('true', 'true', { VALENCE_REPO_REF: 'v9.9.9' })
    expect(message).toMatch(/no tag, branch or commit v9.9.9/)
    // What was checked out still is.
    expect(healed).toEqual([])
  })

  test('an installer that is not there', async () => {
    const { message, healed } = await broken('rm ~valence/.local/bin/claude', 'true', {
      VALENCE_CLAUDE_INSTALLER_URL: pod.claude.url.replace('install.sh', 'nothing.sh'),
    })
    expect(message).toMatch(/installer of Claude Code cannot be fetched from .*404.*VALENCE_CLAUDE_CODE=false/)
    expect(healed).toEqual(['installer Claude Code: Claude Code'])
  })

  test('PostgreSQL that does not start', async () => {
    const conf = '/etc/postgresql/17/main/conf.d/broken.conf'
    const { message, healed } = await broken(
      `systemctl stop postgresql@17-main; echo 'shared_buffers = lots' >${conf}`,
      `rm ${conf}`,
    )
    expect(message).toMatch(/^postgres.cluster 17\/main .*: PostgreSQL does not start: .*shared_buffers/)
    expect(healed).toEqual(['postgres.cluster 17/main: postgresql@17-main started'])
  })

  test('sshd with a configuration of somebody else that it does not accept', async () => {
    const file = '/etc/ssh/sshd_config.d/99-nonsense.conf'
    const { message } = await broken(`echo Nonsense yes >${file}`, `rm ${file}`)
    expect(message).toMatch(/^sshd on .*: .*does not accept its configuration.*Nonsense/i)
  })

  test('a certificate that cannot be had: all else is done, and the run fails by its name', async () => {
    const kept = '/root/letsencrypt'
    const gone = `mv /etc/letsencrypt ${kept}; rm /opt/valence/config/vkb.env /etc/systemd/system/vkb.service`
    await pod.acme.fails(labDomain, true)
    const { message, healed } = await broken(gone, 'ls /opt/valence/config/vkb.env /etc/systemd/system/vkb.service')
    expect(message).toMatch(/^certificate pod\.lab\.example\.org on \S+: the authority /)
    expect(healed.filter((change) => /vkb/.test(change))).toEqual([])
    expect(healed).toContainEqual(expect.stringMatching(/: certificate for pod\.lab\.example\.org/))
  })

  test('in the end all is as before', () => expectConverged(pod))
})

describe.skipIf(skip)(title('what comes in the middle of a run', skip), () => {
  const open: Pod[] = []
  const clone = async (boot: Parameters<typeof clonePod>[1] = {}, state = convergedPod()) => {
    const pod = await clonePod(await state, boot)
    open.push(pod)
    return pod
  }
  afterAll(() => Promise.all(open.map((pod) => pod.close())))

  // Each waits most of its time: side by side on hosts of their own.
  test.concurrent("another package manager's lock, released in time", async () => {
    const pod = await clone()
    await onHost(pod, removed)
    // The daily update of a new machine takes longer than others are waited for; what it is in the middle of is its own.
    await onHost(pod, holding('/var/lib/dpkg/lock-frontend', 'unattended-upgrade'))
    await onHost(pod, 'touch /var/lib/dpkg/updates/0001')
    const { stdout: plan } = await pod.cli('plan')
    expect(plan).toMatch(/package htop/)
    expect(plan).not.toMatch(/half installed/)
    const { run, seen } = await deployUntil(pod, waitsFor('unattended-upgr'))
    expect(seen, run.said()).toBe(true)
    await onHost(pod, clockAhead(125))
    await waitsOn(run)
    await onHost(pod, 'rm /var/lib/dpkg/updates/0001 /usr/local/sbin/date; systemctl stop holder')
    const { code, stdout, stderr } = await run.ended
    expect(code, stdout + stderr).toBe(0)
    await expectConverged(pod)
  })

  test.concurrent('a new machine that fetches its package lists just now', async () => {
    const pod = await clone()
    await onHost(pod, `${removed}; touch -d yesterday /var/lib/infra/lists-fetched`)
    await onHost(pod, holding('/var/lib/apt/lists/lock'))
    const { run, seen } = await deployUntil(pod, isWaiting)
    expect(seen, run.said()).toBe(true)
    await onHost(pod, 'systemctl stop holder')
    const { code, stdout, stderr } = await run.ended
    expect(code, stdout + stderr).toBe(0)
    await expectConverged(pod)
  })

  test.concurrent("another package manager's lock that stays", async () => {
    const pod = await clone()
    await onHost(pod, removed)
    const holder = (await onHost(pod, holdLock)).trim()
    const { run } = await deployUntil(pod, waitsFor('python3'))
    await onHost(pod, clockAhead(110))
    await waitsOn(run)
    await onHost(pod, clockAhead(121))
    const result = await run.ended
    expect(failureOf(result, 1).message).toMatch(
      new RegExp(`^packages .*: another package manager is at work \\(process ${holder}, python3`),
    )
    const waits = eventsOf(result.stdout).filter(waitsFor('python3'))
    expect(waits.length, lastOf(result.stdout)).toBeGreaterThan(1)
    await onHost(pod, 'rm /usr/local/sbin/date; systemctl stop holder')
    expect(await deployed(pod)).toEqual([expect.stringMatching(/: package htop$/)])
  })

  test.concurrent('the network, cut in the middle of a change', async () => {
    const pod = await clone()
    await onHost(
      pod,
      `${removed}; printf '%s\\n' '#!/bin/sh' 'case " $* " in *" install "*) ${awaits('/root/cut')}; esac; exec /usr/bin/apt-get "$@"' >/usr/local/sbin/apt-get; chmod 755 /usr/local/sbin/apt-get`,
    )
    const { run } = await deployUntil(pod, ({ type }) => type === 'change.start')
    await pod.host.partition()
    const { message, remedy } = failureOf(await run.ended, 4)
    expect(message).toMatch(/^packages .*: the connection to .* was lost while running: /)
    expect(remedy).toMatch(/may or may not have been done/)
    await pod.host.heal()
    await onHost(pod, 'touch /root/cut')
    // The host has not noticed yet that we are gone: the lock names us until it expires.
    const refused = await pod.cli('deploy', '--yes', '--json')
    if (refused.code !== 0) expect(failureOf(refused, 5).message).toMatch(/another run holds the lock|interrupted run/)
    await deployed(pod, '--lock-timeout', '170')
    await expectConverged(pod)
  })

  test.concurrent('a disk that is full before, and one that fills while dpkg unpacks', async () => {
    const pod = await clone({ diskMb: 900 })
    await onHost(pod, 'apt-get -y purge gcc-14 cpp-14-x86-64-linux-gnu htop vim')
    await pod.host.fillDisk(2000)
    expect((await failedDeploy(pod)).message).toMatch(/: the disk is full/)
    await pod.host.freeDisk()

    const { run, seen } = await deployUntil(pod, ({ line }) => /^Unpacking /.test(line ?? ''))
    expect(seen).toBe(true)
    // While it fills by itself, the size that was measured may be too small a moment later.
    await until('the disk to be full', 10_000, () =>
      pod.host.fillDisk().then(
        () => true,
        () => undefined,
      ),
    )
    expect(failureOf(await run.ended, 1).message).toMatch(/: the disk is full/)
    await pod.host.freeDisk()
    expect((await deployed(pod)).join()).toMatch(/packages/)
    await expectConverged(pod)
  })

  test.concurrent("PostgreSQL's own package source, out of reach", async () => {
    const pod = await clone({}, halfMadePod())
    await onHost(pod, 'echo 127.0.0.1 apt.postgresql.org >>/etc/hosts')
    await pod.configure({ VALENCE_POSTGRES_VERSION: '16' })
    const result = await pod.cli('deploy', '--yes', '--json', '-t', 'postgresql')
    expect(failureOf(result, 1).message).toMatch(/^apt.source pgdg .*: the package mirror cannot be reached.*; undone$/)
    // What is left breaks no other apt.
    expect(await onHost(pod, 'ls /etc/apt/sources.list.d && apt-get update >/dev/null')).toBe('debian.sources\n')
  })

  test.concurrent('a disk that is full when a file shall be written', async () => {
    const pod = await clone({ diskMb: 300 })
    await onHost(pod, 'echo >>/etc/apt/apt.conf.d/20auto-upgrades')
    const before = await onHost(pod, 'cat /etc/apt/apt.conf.d/20auto-upgrades')
    await pod.host.fillDisk()
    expect((await failedDeploy(pod)).message).toMatch(/20auto-upgrades .*the disk is full/)
    await pod.host.freeDisk()
    expect(await onHost(pod, 'cat /etc/apt/apt.conf.d/20auto-upgrades')).toBe(before)
    expect(await onHost(pod, "find /etc -name '.infra.*'")).toBe('')
    expect(await deployed(pod)).toHaveLength(1)
  })
})
