import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { onHost as on } from './backup-drill.ts'
import { type DnsFake, startDns } from './dns-fake.ts'
import { failInSynapse } from './matrix.ts'
import { deployed, failureOf } from './pod-runs.ts'
import { clonePod, convergedPod, type Pod } from './pod-setup.ts'
import { labDomain as domain } from './prepare.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'
import { findings } from './verify-runs.ts'

const skip = requireLab('host', 'git', 'acme')

const sql = (statements: string, database = 'synapse') =>
  `(cd / && runuser -u postgres -- psql -qXAt -v ON_ERROR_STOP=1 -d ${database}) <<'END'\n${statements};\nEND`

describe.skipIf(skip)(title('verify', skip), () => {
  let pod: Pod
  let dns: DnsFake
  let leadsTo: string
  beforeAll(async () => {
    pod = await clonePod(await convergedPod())
    leadsTo = pod.host.address
    dns = await startDns(() => [leadsTo], { host: pod.host.gateway, port: 53 })
    await writeFile(join(pod.root, 'resolv.conf'), `nameserver ${pod.host.gateway}\n`)
  })
  afterAll(async () => {
    await dns?.stop()
    await pod?.close()
  })
  const onHost = (script: string) => on(pod.host, script)

  describe('the user of a round trip', () => {
    const left = "SELECT name FROM users WHERE name LIKE '@verify-%' AND deactivated = 0 ORDER BY name"
    const active = async () => (await onHost(sql(left))).trim().split('\n').filter(Boolean)
    const roundTrip = ['verify', '--json', '--only', 'synapse.round-trip'] as const

    // Far away, so that there is a middle.
    beforeAll(() => pod.host.latency(300))
    afterAll(() => pod.host.latency(0))

    /** Starts a round trip, and is back as soon as its user is there. */
    async function begun() {
      const run = pod.start(...roundTrip)
      const names = await until('the user', 30_000, async () => {
        const found = await active()
        return found.length > 0 ? found : undefined
      })
      return { run, names }
    }

    test.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGKILL', 128],
    ] as const)('goes when verify is ended by %s in the middle', async (signal, code) => {
      const { run } = await begun()
      run.kill(signal)
      expect((await run.ended).code).toBe(code)
      await until('the user to be gone', 10_000, async () => (await active()).length === 0 || undefined)
    })

    test('where it was left all the same the next verify takes it away, when it is old, and nobody else', async () => {
      const { run, names } = await begun()
      await pod.host.exec("pkill -KILL -f 'python3 -I -c'")
      run.kill('SIGKILL')
      await run.ended
      const others = ['0123456789ab', '0123456789abc', 'me'].map((end) => `@verify-${end}:${domain}`)
      const rows = others.map((name) => `('${name}', 1700000000)`).join(', ')
      await onHost(
        sql(`INSERT INTO users (name, password_hash, creation_ts)
SELECT other, password_hash, at FROM users, (VALUES ${rows}) AS others (other, at) WHERE name = '@valence-bot:${domain}'`),
      )
      const [young] = findings(await pod.cli(...roundTrip))
      expect(young).toMatchObject({
        outcome: 'warn',
        detail: expect.stringMatching(/still there: verify-0123456789ab 403 M_FORBIDDEN/),
      })
      expect(young?.detail).not.toMatch(/took away/)
      expect(await active()).toEqual([...others, ...names].sort())

      await onHost(
        sql(`UPDATE users SET creation_ts = creation_ts - 700 WHERE name = '${names[0]}';
DELETE FROM users WHERE name = '${others[0]}'`),
      )
      const [old] = findings(await pod.cli(...roundTrip))
      expect(old).toMatchObject({ outcome: 'ok', detail: expect.stringContaining('; took away verify-') })
      expect(await active()).toEqual(others.slice(1))
      expect(await onHost(sql(`SELECT user_id FROM erased_users WHERE user_id = '${names[0]}'`))).toBe(`${names[0]}\n`)
      await onHost(sql(others.map((name) => `DELETE FROM users WHERE name = '${name}'`).join(';')))
    })
  })

  describe('sees', () => {
    /** All checks, with a name server of the lab for this machine's; by their ids, and those that are not well. */
    async function verify(...args: string[]) {
      const script = 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"'
      const within = ['unshare', '-m', 'sh', '-c', script, 'sh', join(pod.root, 'resolv.conf')]
      const run = await pod.cliWith({ within }, 'verify', '--json', ...args)
      const found = findings(run)
      // What to do is told of all that is not well.
      for (const { outcome, remedy, id } of found) expect(remedy ?? '', id).toMatch(outcome === 'ok' ? /^$/ : /\w{4}/)
      const all = Object.fromEntries(found.map(({ id, outcome, detail }) => [id, `${outcome} ${detail}`]))
      return {
        code: run.code,
        seconds: run.ms / 1000,
        all,
        bad: found.filter(({ outcome }) => outcome !== 'ok').map(({ id }) => id),
      }
    }
    const matching = (desired: Readonly<Record<string, RegExp>>) =>
      Object.fromEntries(Object.entries(desired).map(([id, said]) => [id, expect.stringMatching(said)]))

    /** A certificate for the pod of which so many days are left, and so many are gone; served, and trusted here. */
    async function serveCertificate({ left, gone }: { left: number; gone: number }) {
      const pem = await onHost(`cd /etc/letsencrypt/live/${domain}
at() { date -u -d "$1 hours" +%Y%m%d%H%M%SZ; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=lab -addext subjectAltName=DNS:${domain} \
  -not_before "$(at -${gone * 24})" -not_after "$(at +${left * 24 + 12})" -keyout /root/key -out /root/pem 2>/dev/null
for file in cert fullchain; do cat /root/pem >$(readlink -f $file.pem); done
cat /root/key >$(readlink -f privkey.pem)
systemctl reload nginx
served() { openssl s_client -connect 127.0.0.1:443 -servername ${domain} </dev/null 2>/dev/null; }
until served | openssl x509 -noout -serial | grep -qx "$(openssl x509 -noout -serial -in /root/pem)"; do :; done
cat /root/pem`)
      await appendFile(join(pod.root, 'authorities.pem'), pem)
    }
    /** So many KB of 20 MB are used on a file system of the host, and so many MB of its memory are left. */
    const strain = (kb: number, mb: number) => `mountpoint -q /proc/meminfo && umount /proc/meminfo
sed "s/^MemAvailable:.*/MemAvailable:    ${mb * 1024} kB/" /proc/meminfo >/run/meminfo
mount --bind /run/meminfo /proc/meminfo
grep -q '^fill /tmp ' /proc/mounts || mount -t tmpfs -o size=20m fill /tmp
head -c ${kb * 1024} /dev/zero >/tmp/fill`

    let well: Awaited<ReturnType<typeof verify>>

    test('that all is well', async () => {
      well = await verify()
      expect(well).toMatchObject({ code: 0, all: { 'synapse.dns': `ok ${pod.host.address}` } })
    })

    test('what needs a look soon, which is not a failure', async () => {
      await serveCertificate({ left: 20, gone: 70 })
      await onHost(`set +e; ${strain(17_000, 400)}
touch /run/reboot-required
rm /home/valence/.local/bin/claude
systemd-run --quiet --unit=vkb-lab sh -c 'exit 1'
until systemctl is-failed --quiet vkb-lab; do :; done
${failInSynapse}`)
      const { code, all } = await verify()
      expect(all).toMatchObject(
        matching({
          'system.disk': /^warn .*\/tmp 8\d %/,
          'system.memory': /^warn 400 MB$/,
          'system.units': /^warn vkb-lab\.service$/,
          'system.journal': /^warn \d+, the last: \S+ matrix-synapse\[\d+\]: .* - ERROR - /,
          'synapse.certificate': /^warn 20 days left$/,
          'security.pending': /^warn a reboot is required$/,
          'common.claude': /^warn absent$/,
        }),
      )
      expect(code).toBe(0)
    })

    test('what has failed', async () => {
      await serveCertificate({ left: 5, gone: 85 })
      leadsTo = '198.51.100.7'
      await onHost(`set +e; ${strain(19_500, 150)}
ufw --force disable >/dev/null
fail2ban-client stop sshd >/dev/null
echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/00-a-cloud.conf; systemctl reload ssh
systemctl disable --quiet --now apt-daily-upgrade.timer
timedatectl set-timezone Asia/Tokyo
printf '#!/bin/sh\\nexec /usr/bin/date -d "+300 seconds" "$@"\\n' >/usr/local/sbin/date; chmod 755 /usr/local/sbin/date`)
      const { code, seconds, all } = await verify()
      // What it took until the answer was here is lost of it.
      const off = Number(all['system.clock']?.match(/^fail (\d+) s before ours$/)?.[1])
      expect(off, all['system.clock']).toBeLessThanOrEqual(300)
      expect(off).toBeGreaterThanOrEqual(300 - seconds - 1)
      expect(all).toMatchObject(
        matching({
          'system.disk': /^fail .*\/tmp 9\d %/,
          'system.memory': /^fail 150 MB$/,
          'synapse.certificate': /^fail 5 days left$/,
          'synapse.dns': /^fail it leads to 198\.51\.100\.7$/,
          'security.firewall': /^fail off$/,
          'security.fail2ban': /^fail no jail sshd$/,
          'security.sshd': /^fail passwordauthentication yes/,
          'security.updates': /^fail apt-daily-upgrade\.timer is inactive$/,
          'common.timezone': /^fail Asia\/Tokyo$/,
        }),
      )
      expect(code).toBe(3)
    })

    test('a database that Synapse cannot use, which a deploy refuses to touch', async () => {
      await onHost(`rm /usr/local/sbin/date; systemctl stop matrix-synapse
${sql(
  `ALTER DATABASE valence RENAME TO kept;
CREATE DATABASE valence OWNER valence TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'`,
  'postgres',
)}`)
      const { code, all } = await verify('--only', 'postgresql')
      expect(all).toMatchObject(
        matching({
          'postgresql.database': /^fail UTF8, libc, collate C\.UTF-8, ctype C\.UTF-8, owner valence$/,
          'postgresql.extension': /^fail absent$/,
        }),
      )
      expect(code).toBe(3)
      const { message, remedy } = failureOf(await pod.cli('deploy', '--yes', '--json'), 1)
      expect(message).toMatch(/collate C\.UTF-8, ctype C\.UTF-8, not .* cannot be changed in place$/)
      expect(remedy).toMatch(/dump/i)
      await onHost(sql('DROP DATABASE valence; ALTER DATABASE kept RENAME TO valence', 'postgres'))
    })

    test('that all is well again, when what is not the deployment’s was mended by hand and the rest by a deploy', async () => {
      leadsTo = pod.host.address
      // The account of a saved host is of an authority that is gone.
      await onHost(`umount /tmp /proc/meminfo; rm -r /run/reboot-required /etc/letsencrypt/accounts
systemctl reset-failed vkb-lab; journalctl -q --rotate; journalctl -q --vacuum-time=1s`)
      const made = await deployed(pod)
      expect(made.join('\n')).toMatch(/firewall enabled/)
      for (const change of [
        'fail2ban restarted: it has no jail sshd',
        'certificate renewed: its end is near',
        'apt-daily-upgrade.timer at boot',
        'matrix-synapse.service started',
      ])
        expect(made.map((line) => line.replace(/^.*?: /, ''))).toContain(change)
      const again = await verify()
      expect(well.bad).toEqual(expect.arrayContaining(again.bad))
      expect(again.code).toBe(0)
    })
  })
})
