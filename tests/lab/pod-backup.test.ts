import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { awaitsThat } from '../support/wait.ts'
import { judgeForged, judgeTimers } from './archives.ts'
import { apartFromSynapse, everything, fill, leftovers, onHost } from './backup-drill.ts'
import { heard, openRoom, type Room, say } from './matrix.ts'
import { failureOf } from './pod-runs.ts'
import { clonePod, convergedPod, type Pod, podSecrets } from './pod-setup.ts'
import { makeKey } from './prepare.ts'
import { requireLab, title } from './prerequisites.ts'
import { must, run, until } from './run.ts'

const skip = requireLab('host', 'git', 'age')
const domain = 'pod.lab.example.org'

describe.skipIf(skip)(title('backup and restore', skip), () => {
  let pod: Pod
  let room: Room
  beforeAll(async () => {
    pod = await clonePod(await convergedPod())
    await onHost(pod.host, fill)
    room = await openRoom(pod, 'valence-bot', podSecrets.VALENCE_BOT_PASSWORD ?? '')
    await say(pod, room, 'before the backup')
  })
  afterAll(() => pod?.close())

  describe('by hand', () => {
    let folder: string
    let archive: string
    let before: string
    let valence: string
    beforeAll(async () => {
      folder = join(pod.root, 'backups')
      await mkdir(folder)
      await onHost(pod.host, 'systemctl stop matrix-synapse')
      before = await onHost(pod.host, everything)
      valence = await onHost(pod.host, apartFromSynapse)
      const { code, stdout, stderr } = await pod.cli('backup', '--to', folder)
      expect(code, stderr).toBe(0)
      archive = stdout.trim()
    })
    const backup = (...args: string[]) => pod.cli('backup', '--json', ...args)
    const restore = (file: string, ...args: string[]) => pod.cli('restore', file, '--json', ...args)

    test('a backup is one encrypted file of our own, and leaves nothing else anywhere', async () => {
      expect(readdirSync(folder)).toEqual([archive.slice(folder.length + 1)])
      expect(statSync(archive).mode & 0o777).toBe(0o600)
      expect(statSync(join(pod.root, '.infra/archive.key')).mode & 0o777).toBe(0o600)
      const bytes = readFileSync(archive)
      const key = (await onHost(pod.host, 'cat /etc/matrix-synapse/*.signing.key')).trim()
      expect(bytes.subarray(0, 1024).toString()).toMatch(
        /^infra-archive 1\nof: pod pod\.lab\.example\.org\nmade: \S+Z\nbytes: \d+\nsha256: \w{64}\nseal: hmac-sha256 \w{16} \w{64}\n *\n$/,
      )
      for (const plain of [key, podSecrets.VALENCE_DB_PASSWORD ?? '', 'PGDMP', 'notes', 'server_name'])
        expect(bytes.includes(plain)).toBe(false)
      expect(await onHost(pod.host, leftovers)).toBe('')
    })

    test('it is drilled: the host is lost, a new one is restored, and nothing differs', async () => {
      const other = await clonePod(await convergedPod())
      try {
        await onHost(other.host, 'systemctl stop matrix-synapse')
        const restoreThere = () => other.cli('restore', archive, '--confirm', domain)
        const refused = await restoreThere() // from another machine, which has not the key yet
        expect(refused).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/nobody known here vouches for .*there is none here/),
        })
        expect(refused.stderr).toMatch(/--trust-archive/)
        copyFileSync(join(pod.root, '.infra/archive.key'), join(other.root, '.infra/archive.key'))
        const { code, stdout, stderr } = await restoreThere()
        expect(code, stdout + stderr).toBe(0)
        expect(stderr).toMatch(/made \S+Z, sealed by this operator's key/)
        expect(stderr).toContain('role analyst was made without a login')
        expect(await onHost(other.host, everything)).toBe(before)
        expect(await onHost(other.host, leftovers)).toBe('')
        expect((await other.cli('deploy', '--yes')).code).toBe(0)
        expect(await onHost(other.host, apartFromSynapse)).toBe(valence)
        expect(await heard(other, room)).toEqual(['before the backup'])
      } finally {
        await other.close()
      }
    })

    test('what is reached by links is in it too', async () => {
      const store = '/var/lib/matrix-synapse/media'
      const key = '/etc/matrix-synapse/homeserver.signing.key'
      const other = await clonePod(await convergedPod())
      try {
        await onHost(
          other.host,
          `systemctl stop matrix-synapse; ${fill}
cp -a ${store} /srv/media; rm -r ${store}; ln -s /srv/media ${store}; mv ${key} /srv/key; ln -s /srv/key ${key}
mv /opt/valence/config /srv/config; ln -s /srv/config /opt/valence/config`,
        )
        const whole = `sha256sum ${store}/local_content/* ${key} /opt/valence/config/*`
        const saved = await onHost(other.host, whole)
        const linked = join(folder, 'linked')
        expect((await other.cli('backup', '--to', linked)).code).toBe(0)
        await onHost(other.host, 'rm -r /srv/media /srv/key /srv/config')
        const { code, stderr } = await other.cli('restore', linked, '--confirm', domain)
        expect(code, stderr).toBe(0)
        expect(await onHost(other.host, whole)).toBe(saved)
        expect(await onHost(other.host, `stat -c %F ${store} ${key}`)).toBe('directory\nregular file\n')
      } finally {
        await other.close()
      }
    })

    test('over data it asks for the name, keeps what was there, and can go back', async () => {
      await onHost(
        pod.host,
        `cd / && runuser -u postgres -- psql -qd valence -c 'delete from notes where id > 10'; echo changed >/opt/valence/config/vkb.env`,
      )
      const changed = await onHost(pod.host, everything)
      expect(failureOf(await restore(archive), 64).remedy).toContain(`--confirm ${domain}`)
      expect(failureOf(await restore(archive, '--confirm', 'pod.example.com'), 64).message).toMatch(/is not the domain/)
      expect(await onHost(pod.host, everything)).toBe(changed)
      // As an earlier version made it, which sealed nothing.
      const old = join(folder, 'old')
      writeFileSync(old, readFileSync(archive).subarray(1024))
      expect(failureOf(await restore(old, '--confirm', domain), 1).message).toMatch(
        /nobody known here vouches for .* made by an earlier version; nothing was changed/,
      )
      expect(await onHost(pod.host, everything)).toBe(changed)
      const trusted = await restore(old, '--confirm', domain, '--trust-archive')
      expect(trusted.code, trusted.stdout).toBe(0)
      expect(trusted.stdout).toMatch(/"level":"warn"[^\n]*the archive: UNKNOWN, it was made by an earlier version/)
      expect(await onHost(pod.host, everything)).toBe(before)
      const kept = await onHost(
        pod.host,
        `cd / && runuser -u postgres -- psql -XqAtc "select datname from pg_database where datname like 'valence_before_%'"`,
      )
      const rows = await onHost(
        pod.host,
        `cd / && runuser -u postgres -- psql -XqAtd ${kept.trim()} -c 'select count(*) from notes'; cat /opt/valence/config.before-restore-*/vkb.env`,
      )
      expect(rows).toBe('10\nchanged\n')
    })

    test.each([
      [
        'at the database',
        'mv /usr/share/postgresql/17/extension/vector.control /root',
        'mv /root/vector.control /usr/share/postgresql/17/extension',
      ],
      [
        'in the middle of the exchange',
        'mount --bind /opt/valence/config /opt/valence/config',
        'umount /opt/valence/config',
      ],
    ])('a restore that fails %s is undone', async (_where, breakIt, mendIt) => {
      await onHost(pod.host, breakIt)
      const { message } = failureOf(await restore(archive, '--confirm', domain), 1)
      await onHost(pod.host, mendIt)
      expect(message).toMatch(/failed and was undone/)
      expect(await onHost(pod.host, everything)).toBe(before)
    })

    test('another key, a cut or damaged archive, another pod: refused, and all is as it was', async () => {
      const key = join(pod.root, 'stranger')
      await makeKey(key)
      const [bytes, flipped] = [readFileSync(archive), readFileSync(archive)]
      writeFileSync(join(folder, 'cut'), bytes.subarray(0, bytes.length / 2))
      flipped[bytes.length - 5000] = (flipped[bytes.length - 5000] ?? 0) ^ 1
      writeFileSync(join(folder, 'flipped'), flipped)
      writeFileSync(join(folder, 'plain'), 'not an archive at all, but long enough')
      const sure = ['--confirm', domain]
      const wrongKey = ['--identity', key, ...sure]
      expect(failureOf(await restore(archive, ...wrongKey), 1).message).toMatch(/stranger cannot decrypt/)
      expect(failureOf(await restore(join(folder, 'cut'), ...sure), 1).message).toMatch(/damaged or cut off/)
      expect(failureOf(await restore(join(folder, 'flipped'), ...sure), 1).message).toMatch(/damaged or cut off/)
      expect(failureOf(await restore(join(folder, 'plain'), ...sure), 1).message).toMatch(/not encrypted by age/)
      expect(failureOf(await restore(join(folder, 'none'), ...sure), 64).message).toMatch(/there is no file/)
      await pod.configure({ VALENCE_DOMAIN: 'other.lab.example.org' })
      expect(failureOf(await restore(archive, ...sure), 1).message).toMatch(
        /is of pod\.lab\.example\.org, this pod is other/,
      )
      await pod.configure()
      expect(await onHost(pod.host, everything)).toBe(before)
      expect(await onHost(pod.host, leftovers)).toBe('')
    })

    test('who has the public key alone makes no archive that is taken, and with it writes nothing outside', async () => {
      await judgeForged(pod, archive, folder, restore)
      expect(await onHost(pod.host, everything)).toBe(before)
      expect(await onHost(pod.host, leftovers)).toBe('')
    })

    test('a homeserver that runs, or tries to, is stopped for it and answers again; after a failure too', async () => {
      const extension = '/usr/share/postgresql/17/extension/vector.control'
      await onHost(pod.host, 'systemctl start matrix-synapse')
      const live = join(folder, 'live')
      expect((await backup('--to', live)).code).toBe(0)
      await say(pod, room, 'after the backup')
      await onHost(pod.host, `mv ${extension} /root`)
      expect(failureOf(await restore(live, '--confirm', domain), 1).message).toMatch(/failed and was undone/)
      await onHost(pod.host, `mv /root/vector.control ${extension}`)
      expect(await heard(pod, room)).toEqual(['before the backup', 'after the backup'])
      await onHost(pod.host, 'echo broken >/etc/matrix-synapse/homeserver.yaml; ! systemctl restart matrix-synapse')
      const { message, remedy } = failureOf(await restore(live, '--confirm', domain), 1)
      expect(message + remedy).toMatch(/homeserver\.yaml: not a map of settings; nothing was changed.* or move it away/)
      await onHost(pod.host, 'mv /etc/matrix-synapse/homeserver.yaml /root')
      expect((await restore(live, '--confirm', domain)).code).toBe(0)
      expect(await heard(pod, room)).toEqual(['before the backup'])
      expect(await onHost(pod.host, apartFromSynapse)).toBe(valence)
    })

    test('where there is no room here, or a file already, no backup is left half', async () => {
      const small = join(pod.root, 'small')
      await mkdir(small)
      await must('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'infra-lab', small])
      const { message } = failureOf(await backup('--to', small), 1)
      const told = [message, ...readdirSync(small)]
      await must('umount', [small])
      expect(told).toEqual([expect.stringMatching(/disk of .*small is full/)])
      expect(failureOf(await backup('--to', archive), 64).message).toMatch(/already exists/)
      expect(failureOf(await backup('--key', 'age1nonsense'), 64).message).toMatch(/cut or mistyped/)
      expect(await onHost(pod.host, leftovers)).toBe('')
    })

    test('a backup keeps others waiting; when its connection is lost nothing is left', async () => {
      const lost = join(pod.root, 'lost')
      await mkdir(lost)
      await onHost(
        pod.host,
        `systemd-run --quiet --unit=guest --uid=postgres psql -d valence -c "begin; lock notes; select pg_sleep(600)"
cd / && ${awaitsThat('runuser -u postgres -- psql -qAtc "select wait_event from pg_stat_activity" | grep -qx PgSleep')}`,
      )
      const going = pod.start('backup', '--json', '--to', lost)
      await until('the dump', 20_000, async () => (await pod.host.exec('pgrep pg_dump')).code === 0 || undefined)
      expect(failureOf(await backup('--to', lost), 5).message).toMatch(/another run holds the lock: .*\(backup\)/)
      await pod.host.exec('pkill -KILL sshd-session')
      const { message } = failureOf(await going.ended, 4)
      // The client may go: its session in the server would keep the lock.
      await onHost(
        pod.host,
        `cd / && runuser -u postgres -- psql -qc "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()"`,
      )
      expect(message).toMatch(/was lost while making the backup/)
      expect(readdirSync(lost)).toEqual([])
      await until('the host to be tidy', 20_000, async () => (await onHost(pod.host, leftovers)) === '' || undefined)
    })
  })

  test('scheduled backups: by the timer, to another key, kept few, watched by verify, switched off', async () => {
    const { host } = pod
    const made = await run('age-keygen', ['-o', join(pod.root, 'age.key')])
    const recipient = made.stderr.match(/age1\w+/)?.[0]
    await pod.configure({ VALENCE_BACKUP_TIMER: 'true', VALENCE_BACKUP_KEEP: '2', VALENCE_BACKUP_RECIPIENT: recipient })
    const deployed = await pod.cli('deploy', '--yes', '-t', 'backup')
    expect(deployed, deployed.stderr).toMatchObject({ code: 0, stderr: expect.stringMatching(/pinned SHA256:\S+ in /) })
    const verify = async () => (await pod.cli('verify', '--only', 'backup')).stdout
    expect(await verify()).toMatch(/there is none yet/)
    for (const _ of [1, 2, 3]) {
      await onHost(host, `systemctl start valence-backup; made=$(date +%s); ${awaitsThat('[ $(date +%s) -gt $made ]')}`)
      expect(await onHost(host, leftovers)).toBe('')
    }
    const names = (await onHost(host, 'ls /var/backups/valence')).trim().split('\n')
    expect(names).toHaveLength(2)
    expect(
      await onHost(
        host,
        'stat -c %a /var/backups/valence /var/backups/valence/*; ls -A /var/backups/valence | grep draft || true',
      ),
    ).toBe('700\n600\n600\n')
    expect(await verify()).toMatch(/the last backup worked .*tar\.age/)
    const copied = join(pod.root, 'scheduled.age')
    writeFileSync(copied, readFileSync(join(host.root, 'var/backups/valence', names[0] ?? '')))
    const listed = await run('sh', [
      '-c',
      'tail -c +1025 "$2" | age -d -i "$1" | tar -tif -',
      'sh',
      join(pod.root, 'age.key'),
      copied,
    ])
    expect(listed.stdout).toMatch(/database\.000000[\s\S]*synapse\.000000[\s\S]*media\.000001[\s\S]*SHA256SUMS\n$/)

    await judgeTimers(pod, copied)

    await host.exec(
      'mv /usr/bin/age /usr/bin/age.gone; systemctl start valence-backup; mv /usr/bin/age.gone /usr/bin/age',
    )
    const failed = await pod.cli('verify', '--only', 'backup')
    expect(failed).toMatchObject({ code: 3, stdout: expect.stringMatching(/it failed: exit-code/) })
    expect(await onHost(host, leftovers)).toBe('')

    await pod.configure({ VALENCE_BACKUP_TIMER: 'true', VALENCE_BACKUP_CALENDAR: '*-13-01' })
    expect(failureOf(await pod.cli('deploy', '--yes', '--json', '-t', 'backup'), 1).message).toMatch(
      /valence-backup\.timer/,
    )
    await pod.configure()
    expect((await pod.cli('deploy', '--yes', '-t', 'backup')).code).toBe(0)
    expect(
      (await host.exec('systemctl is-enabled valence-backup.timer; systemctl is-active valence-backup.timer')).stdout,
    ).toBe('disabled\ninactive\n')
  })
})
