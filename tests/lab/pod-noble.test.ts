import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AptSites, aptSites } from './apt-sites.ts'
import { bootHost } from './host.ts'
import { nobleDebs, nobleHost, trustPgdg } from './noble.ts'
import { deployed, deployUntil, expectConverged } from './pod-runs.ts'
import { openPod, type Pod } from './pod-setup.ts'
import { labDomain } from './prepare.ts'
import { requireLab, title } from './prerequisites.ts'
import { packagedSynapse } from './vendor-debs.ts'

const skip = requireLab('host', 'git', 'acme')

/** Boots an Ubuntu of the lab for the tests of a suite, with the settings that a user leaves unset. */
function noblePod(): { readonly pod: Pod; readonly sites: AptSites } {
  const opened: { pod?: Pod; sites?: AptSites } = {}
  beforeAll(async () => {
    const debs = await nobleDebs()
    opened.pod = await openPod(await bootHost({ from: await nobleHost() }))
    opened.sites = await aptSites(opened.pod.host, debs)
    await opened.pod.configure({
      SYNAPSE_INSTALL: undefined,
      VALENCE_POSTGRES_VERSION: undefined,
      SYNAPSE_KEY_FINGERPRINT: debs.fingerprint,
      VALENCE_POSTGRES_KEY_FINGERPRINT: debs.fingerprint,
    })
  })
  afterAll(async () => {
    await opened.sites?.stop()
    await opened.pod?.close()
  })
  return opened as { pod: Pod; sites: AptSites }
}

const versionOf = async ({ host }: Pod): Promise<string> =>
  (await host.exec('dpkg-query -W matrix-synapse-py3 | cut -f 2')).stdout.trim()

describe.skipIf(skip)(title('a deploy of Ubuntu 24.04 with all defaults', skip), () => {
  const opened = noblePod()
  const { older, newer } = packagedSynapse

  test('the host is like a droplet of ubuntu-24-04-x64', async () => {
    const { stdout } = await opened.pod.host.exec(`. /etc/os-release; echo "$ID $VERSION_ID"
systemctl is-active ssh.socket; systemctl is-enabled ssh.socket ssh.service; readlink /etc/resolv.conf
getent hosts deb.debian.org >/dev/null && echo resolves; test -x /usr/sbin/needrestart && echo needrestart
ufw status | head -1; ls /usr/bin/snap 2>/dev/null; systemctl is-system-running`)
    expect(stdout.trim().split('\n')).toEqual([
      ...['ubuntu 24.04', 'active', 'enabled', 'disabled', '../run/systemd/resolve/stub-resolv.conf', 'resolves'],
      ...['needrestart', 'Status: inactive', 'running'],
    ])
  })

  test('killed while apt installs Synapse, it goes on in the next run and converges', async () => {
    const { pod } = opened
    const { run, seen } = await deployUntil(
      pod,
      ({ type, line = '' }) => type === 'change.output' && line.startsWith('Unpacking matrix-synapse-py3'),
    )
    expect(seen).toBe(true)
    run.kill('SIGKILL')
    await run.ended
    expect((await deployed(pod)).join('\n')).toContain('Matrix user @admin')
    expect(await versionOf(pod)).toBe(`${older}+noble1`)
    const { stdout } = await pod.host.exec(`stat -c %U /etc/matrix-synapse; pg_lsclusters -h | cut -d' ' -f 1,4`)
    expect(stdout).toBe('root\n16 online\n')
    await expectConverged(pod)
  })

  test("the makers' next version comes by unattended-upgrades, and nothing is to change after it", async () => {
    const { pod, sites } = opened
    sites.release('newer')
    const { code, stdout, stderr } = await pod.host.exec('apt-get -qq update && unattended-upgrade -v')
    expect(code, stdout + stderr).toBe(0)
    expect(await versionOf(pod)).toBe(`${newer}+noble1`)
    await expectConverged(pod)
  })

  test('what is taken away by hand comes back', async () => {
    const { pod } = opened
    const { code, stderr } = await pod.host.exec(`export DEBIAN_FRONTEND=noninteractive
apt-get -qq remove -y matrix-synapse-py3 >/dev/null && rm /etc/matrix-synapse/conf.d/report_stats.yaml && systemctl disable -q --now unattended-upgrades`)
    expect(code, stderr).toBe(0)
    expect((await deployed(pod)).join('\n')).toContain('package matrix-synapse-py3')
    await expectConverged(pod)
  })
})

describe.skipIf(skip)(title('Ubuntu 24.04 where the package was installed by hand before', skip), () => {
  const opened = noblePod()

  test('is taken over, and an upgrade by hand changes nothing of it', async () => {
    const { pod, sites } = opened
    const { code, stdout, stderr } = await pod.host.exec(`export DEBIAN_FRONTEND=noninteractive
apt-get -qq update && apt-get -qq install -y curl gpg >/dev/null
curl -fsS -o /usr/share/keyrings/matrix-org-archive-keyring.gpg https://packages.matrix.org/debian/matrix-org-archive-keyring.gpg
echo 'deb [signed-by=/usr/share/keyrings/matrix-org-archive-keyring.gpg] https://packages.matrix.org/debian/ noble main' >/etc/apt/sources.list.d/matrix-org.list
echo 'matrix-synapse-py3 matrix-synapse/server-name string ${labDomain}' | debconf-set-selections
apt-get -qq update && apt-get -qq install -y matrix-synapse-py3 >/dev/null && cat /etc/matrix-synapse/conf.d/server_name.yaml`)
    expect(code, stdout + stderr).toBe(0)
    expect(stdout).toContain(`server_name: ${labDomain}\n`)
    const made = (await deployed(pod)).join('\n')
    expect(made).not.toContain('package matrix-synapse-py3')
    sites.release('newer')
    const upgraded = await pod.host.exec(
      'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq upgrade -y -o Dpkg::Options::=--force-confold',
    )
    expect(upgraded.code, upgraded.stderr).toBe(0)
    expect(await versionOf(pod)).toBe(`${packagedSynapse.newer}+noble1`)
    await expectConverged(pod)
  })
})

describe.skipIf(skip)(title('Debian 13 with PostgreSQL 16 of apt.postgresql.org', skip), () => {
  test('the source, its packages and the databases are made, and nothing is to change after it', async () => {
    const debs = await nobleDebs()
    const pod = await openPod(await bootHost())
    const sites = await aptSites(pod.host, debs)
    try {
      await pod.host.exec(await trustPgdg(debs))
      await pod.configure({ VALENCE_POSTGRES_VERSION: undefined, VALENCE_POSTGRES_KEY_FINGERPRINT: debs.fingerprint })
      expect((await deployed(pod, '--tags', 'db', '--skip-verification')).join('\n')).toContain('source pgdg')
      const { stdout } =
        await pod.host.exec(`apt-cache policy postgresql-16 | grep -A 1 -F '***'; pg_lsclusters -h | cut -d' ' -f 1,4
runuser -u postgres -- psql -qAtd valence -c "SELECT extname FROM pg_extension WHERE extname = 'vector'"`)
      expect(stdout).toContain('https://apt.postgresql.org/pub/repos/apt trixie-pgdg/main')
      expect(stdout).toMatch(/\n16 online\nvector\n$/)
      expect(await deployed(pod, '--tags', 'db', '--skip-verification')).toEqual([])
    } finally {
      await sites.stop()
      await pod.close()
    }
  })
})
