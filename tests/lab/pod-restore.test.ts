import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CliResult } from '../support/cli.ts'
import { awaits } from '../support/wait.ts'
import { apartFromSynapse, everything, fill, leftovers, onHost as on } from './backup-drill.ts'
import { ask } from './matrix.ts'
import { failureOf } from './pod-runs.ts'
import { clonePod, convergedPod, type Pod } from './pod-setup.ts'
import { labDomain as domain } from './prepare.ts'
import { requireLab, title } from './prerequisites.ts'
import { must, until } from './run.ts'
import { onTerminal, type TypedAnswer } from './terminal.ts'

const skip = requireLab('host', 'git', 'age', 'script')

const phrase = 'a phrase of the lab'

describe.skipIf(skip)(title('a restore by hand', skip), () => {
  let pod: Pod
  let archive: string
  let locked: { key: string; archive: string }
  let before: string

  beforeAll(async () => {
    pod = await clonePod(await convergedPod(), { diskMb: 1024 })
    await onHost(fill)
    await onHost('systemctl stop matrix-synapse')
    before = await onHost(everything)
    const backup = async (...args: string[]) => {
      const { code, stdout, stderr } = await pod.cli('backup', ...args)
      expect(code, stderr).toBe(0)
      return stdout.trim()
    }
    archive = await backup('--to', join(pod.root, 'archive'))
    const key = join(pod.root, 'locked')
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', phrase, '-f', key])
    locked = { key, archive: await backup('--to', `${key}.age`, '--key', `${key}.pub`) }
  })
  afterAll(() => pod?.close())

  const onHost = (script: string) => on(pod.host, script)
  /** Changes what is there, so that a restore can be told from none. */
  const change = async () => {
    await onHost(`cd / && runuser -u postgres -- psql -qd valence -c 'delete from notes where id > 10'`)
    return onHost(everything)
  }
  const typed = (args: readonly string[], ...answers: TypedAnswer[]) =>
    onTerminal(pod.root, ['restore', ...args], answers)

  test('at the prompt the domain is typed: another word changes nothing, the right one goes on', async () => {
    const changed = await change()
    const question = new RegExp(`Type ${domain} to continue`)
    const wrong = await typed([archive], [question, 'pod.example.com'])
    expect(wrong).toMatchObject({ code: 130, said: expect.stringContaining('not confirmed; nothing was changed') })
    expect(await onHost(everything)).toBe(changed)
    expect(await onHost(leftovers)).toBe('')
    const right = await typed([archive], [question, domain])
    expect(right, right.said).toMatchObject({ code: 0, said: expect.stringContaining('restored. What remains:') })
    expect(await onHost(everything)).toBe(before)
  })

  test('a key with a passphrase: one clear error where nobody can be asked; on a terminal age asks', async () => {
    const changed = await change()
    const args = [locked.archive, '--identity', locked.key, '--confirm', domain]
    const { message, remedy } = failureOf(await pod.cli('restore', ...args, '--json'), 64)
    expect(message).toMatch(/locked has a passphrase, and there is no terminal to ask for it; nothing was changed/)
    expect(remedy).toMatch(/terminal/)
    const question = /Enter passphrase for "[^"]*locked"/
    const wrong = await typed(args, [question, 'another'])
    expect(wrong).toMatchObject({
      code: 1,
      said: expect.stringMatching(/the passphrase of \S+locked is missing or wrong/),
    })
    expect(await onHost(everything)).toBe(changed)
    expect(await onHost(leftovers)).toBe('')
    const right = await typed(args, [question, phrase])
    expect(right, right.said).toMatchObject({ code: 0 })
    expect(right.said).not.toContain(phrase)
    expect(await onHost(everything)).toBe(before)
  })

  /** Puts a program before another of this name on the host, for as long as `work` runs. */
  const inFrontOf = async <T>(name: string, script: string, work: () => Promise<T>): Promise<T> => {
    const path = `/usr/local/sbin/${name}`
    await onHost(`cat >${path} <<'END'\n#!/bin/sh\n${script}\nEND\nchmod 755 ${path}`)
    return work().finally(() => onHost(`rm ${path}`))
  }

  test('Ctrl-C takes away what was decrypted; after a kill the host does, by itself', async () => {
    const there = await onHost(everything)
    const armed = 'systemctl is-active infra-restore-clean.timer || true'
    await inFrontOf('du', `${awaits('/run/checked')}; exec /usr/bin/du "$@"`, async () => {
      const stopped = async (signal: 'SIGINT' | 'SIGKILL') => {
        const run = pod.start('restore', archive, '--confirm', domain, '--json')
        await until('the check', 60_000, async () => run.said().includes('checking that it is whole') || undefined)
        run.kill(signal)
        return run
      }
      const asked = await stopped('SIGINT')
      await until('the answer', 60_000, () => asked.said().includes('stopping: ') || undefined)
      await onHost('touch /run/checked')
      const { code, stdout } = await asked.ended
      expect(code, stdout).toBe(130)
      expect(stdout).toContain('stopped as requested; nothing was changed')
      expect(await onHost(`ls -d /var/lib/infra/restore.* 2>/dev/null || ${armed}`)).toBe('inactive\n')
      await onHost('rm /run/checked')
      await (await stopped('SIGKILL')).ended
      expect(await onHost(armed)).toBe('active\n')
      await onHost('touch /run/checked')
    })
    expect(await onHost(everything)).toBe(there)
  })

  test('a database that does not answer after the exchange gets its old name back with the files', async () => {
    const changed = await change()
    const deaf = `s=$(cat); case $s in *"where datname = 'valence_restoring'"*)
  ! echo "select 1/count(*) from pg_database where datname like 'valence_before%'" | /usr/bin/psql "$@" >/dev/null 2>&1 || exit 1 ;;
esac; printf '%s\\n' "$s" | /usr/bin/psql "$@"`
    const { message } = failureOf(
      await inFrontOf('psql', deaf, () => pod.cli('restore', archive, '--confirm', domain, '--json')),
      1,
    )
    expect(message).toBe('the restore failed and was undone: all is as it was')
    expect(await onHost(everything)).toBe(changed)
    expect(await onHost(leftovers)).toBe('')
    expect((await pod.cli('restore', archive, '--confirm', domain)).code).toBe(0)
    expect(await onHost(everything)).toBe(before)
  })

  const restore = () => pod.cli('restore', archive, '--confirm', domain, '--json')

  describe('while Synapse runs', () => {
    let valence: string
    beforeAll(async () => {
      await onHost('systemctl start matrix-synapse')
      valence = await onHost(apartFromSynapse)
    })
    const synapse = () =>
      until('Synapse', 60_000, async () => (await ask(pod, '/_matrix/client/versions')).status === 200 || undefined)

    const withoutRoom = async () => {
      await pod.host.fillDisk(Math.round(statSync(archive).size / 1024) - 8 * 1024)
      return restore()
    }
    /** How much is taken until then varies by what Synapse and PostgreSQL write: the disk gets full just before. */
    const filler = '/var/tmp/filler'
    // What it says itself is not what the restore shall tell of.
    const fillsDatabase = `cat /dev/zero >>${filler} 2>/dev/null
exec /usr/bin/pg_restore "$@"`
    const fillsFiles = `if [ "$4" = part ]; then
  # It comes once for each part, and the second time there is hardly more to fill.
  more=$(($(df --output=avail -B1 /var | tail -n 1) - 8000000))
  [ "$more" -le 0 ] || head -c "$more" /dev/zero >>${filler}
fi
exec /usr/bin/python3 "$@"`

    test.each<[when: string, run: () => Promise<CliResult>, step: string | undefined]>([
      ['while the archive comes in', withoutRoom, undefined],
      ['at the database', () => inFrontOf('pg_restore', fillsDatabase, restore), 'restoring the database'],
      ['at the files', () => inFrontOf('python3', fillsFiles, restore), 'restoring media'],
    ])('a disk that is full %s: a clear error, and what was there serves on', async (_when, act, step) => {
      const run = await act()
      expect(failureOf(run, 1).message, run.stdout).toMatch(/^the disk of the host is full/)
      const steps = [...run.stdout.matchAll(/"(restoring [^"]*|exchanging)"/g)].map(([, said]) => said)
      expect(steps.at(-1)).toBe(step)
      // Before there is more room again.
      expect(await pod.cli('psql', 'select count(*) from notes')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('3000'),
      })
      expect((await ask(pod, '/_matrix/client/versions')).status).toBe(200)
      await pod.host.freeDisk()
      await onHost(`rm -f ${filler}`)
      expect(await onHost(apartFromSynapse)).toBe(valence)
      expect(await onHost(leftovers)).toBe('')
    })

    /** Runs a restore in which this is done, by root, right after the databases were exchanged. */
    const afterExchange = async (script: string) => {
      // What recovery opens for writing is copied first, on a host of layers: a disk has no need of that room. And of
      // what was logged before a checkpoint a crash makes nothing new: a sequence would skip values.
      await onHost(
        `find /var/lib/postgresql -type f -exec touch {} +; cd / && runuser -u postgres -- psql -qc checkpoint`,
      )
      const hook = `case "$*" in *psql*) ;; *) exec /usr/sbin/runuser "$@" ;; esac
s=$(cat); printf '%s\\n' "$s" | /usr/sbin/runuser "$@" || exit
case $s in *'valence_restoring rename to valence;'*)
  kill -ABRT "$(head -n 1 /var/lib/postgresql/17/main/postmaster.pid)"
  ${script} ;;
esac`
      return inFrontOf('runuser', hook, restore)
    }
    const databases = `cd / && runuser -u postgres -- psql -XqAtc 'select datname from pg_database order by 1'`
    const unit = 'postgresql@17-main'

    /** What the remedy says to run gives everything back, by what was mended before; and again it harms nothing. */
    async function undone(names: string, remedy: string, mended: string) {
      await onHost(mended)
      const script = remedy.match(/bash (\/\S+\.sh)/)?.[1]
      await onHost(`cp ${script} /root/again; bash ${script}`)
      await pod.host.exec('bash /root/again')
      await synapse()
      expect(await onHost(apartFromSynapse)).toBe(valence)
      await onHost(
        `cd / && runuser -u postgres -- psql -qc 'drop database valence_restoring' -c 'drop database synapse_restoring'`,
      )
      expect(await onHost(databases)).toBe(names)
      expect(await onHost(leftovers)).toBe('')
    }

    test('a disk full of it right after the exchange: there is room, PostgreSQL comes back, all is as it was', async () => {
      const names = await onHost(databases)
      const full = 'cat /dev/zero >>"$(echo /var/lib/infra/restore.*)/database.filler" 2>/dev/null'
      const run = await afterExchange(full)
      const { message } = failureOf(run, 1)
      expect(message).toBe('the disk of the host is full: the restore failed and was undone: all is as it was')
      expect(run.stdout).toContain('restore: PostgreSQL does not answer')
      expect(await onHost(databases)).toBe(names)
      expect(await onHost(apartFromSynapse)).toBe(valence)
      expect(await onHost(leftovers)).toBe('')
      await synapse()
    })

    test('what cannot be given back is told with what to run, and nothing is started on it', async () => {
      const names = await onHost(databases)
      const stuck = `systemctl mask --runtime ${unit}
  for old in /opt/valence/config.before-restore-*; do mount --bind $old $old; done`
      const failure = failureOf(await afterExchange(stuck), 1)
      expect(failure.message).toMatch(
        /^the restore failed, and not all could be undone: \S+config, the names of the databases may be the backup's/,
      )
      expect(await onHost('systemctl is-active matrix-synapse vkb || true')).toBe('inactive\ninactive\n')
      await undone(
        names,
        failure.remedy,
        `systemctl unmask --runtime ${unit}; umount /opt/valence/config.before-restore-*`,
      )
    })

    test.each([
      ['before the databases', `*"alter database valence rename to valence_before_restore"*`, 'before'],
      ['after the databases', `*"alter database valence rename to valence_before_restore"*`, 'after'],
    ])(
      'killed in the exchange, %s: neither deploy nor restore goes on, and one script gives all back',
      async (_, of, when) => {
        const names = await onHost(databases)
        const go = `printf '%s\\n' "$s" | /usr/sbin/runuser "$@"`
        const hook = `case "$*" in *psql*) ;; *) exec /usr/sbin/runuser "$@" ;; esac
s=$(cat); case $s in ${of}) ${when === 'after' ? `${go};` : ''} pkill -KILL -f '^bash --norc -s -- apply'; exit 1 ;; esac; ${go}`
        const cut = failureOf(await inFrontOf('runuser', hook, restore), 1)
        expect(cut.message).toMatch(/^the restore failed and was cut short/)
        expect(await onHost('systemctl is-active matrix-synapse || true')).toBe('inactive\n')
        const refused = failureOf(await pod.cli('deploy', '--yes', '--json'), 1)
        expect(refused.message).toMatch(/a restore came to no end on this host/)
        expect((await pod.cli('verify', '--only', 'system.restore')).code).toBe(3)
        expect(failureOf(await restore(), 1).message).toMatch(
          /an earlier restore came to no end .*; nothing was changed/,
        )
        expect(await onHost('systemctl is-active matrix-synapse || true')).toBe('inactive\n')
        await undone(names, refused.remedy, 'true')
      },
      300_000,
    )
  })
})
