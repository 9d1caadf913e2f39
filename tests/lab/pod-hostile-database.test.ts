import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { CliResult } from '../support/cli.ts'
import { outsideOfTraps, setTraps, trapsRunning, trapsSprung } from './all-traps.ts'
import { onHost } from './backup-drill.ts'
import { diffFingerprints } from './fingerprint.ts'
import { eventTrigger, hostile, sprung } from './hostile-database.ts'
import { objects, places, withObjects } from './objects.ts'
import { deployed, lastOf, madeBy } from './pod-runs.ts'
import { clonePod, convergedPod, type Pod } from './pod-setup.ts'
import { requireLab, title } from './prerequisites.ts'
import { escaped, escapes, password } from './sudo-escapes.ts'
import { redOf } from './verify-runs.ts'

const skip = requireLab('host', 'git', 'age')

const domain = 'pod.lab.example.org'
const asRole = (role: string, sql: string) =>
  `cd / && runuser -u ${role} -- psql -XqAt -v ON_ERROR_STOP=1 -d valence <<'END'\n${sql}\nEND`

describe.skipIf(skip)(title('a database whose owner lies in wait for the superuser', skip), () => {
  let pod: Pod
  const archive = () => join(pod.root, 'archive')
  const onPod = (script: string) => onHost(pod.host, script)
  beforeAll(async () => {
    pod = await clonePod(await convergedPod())
    await pod.configure({ VALENCE_BACKUP_TIMER: 'true' })
    await deployed(pod, '-t', 'backup')
    await onPod(asRole('postgres', 'alter table vkb_patterns owner to postgres; create table "of postgres" (id int)'))
    await onPod(asRole('valence', hostile))
    await onPod(asRole('postgres', eventTrigger))
    await onPod(`rm -f ${sprung}`)
  })
  afterAll(() => pod?.close())

  // After each way in: nothing of valence's has run as the superuser.
  afterEach(async () => {
    const found = await onPod(`cat ${sprung} 2>/dev/null || true; rm -f ${sprung}`)
    expect([...new Set(found.split('\n').filter(Boolean))]).toEqual([])
  })

  test('a plan', async () => {
    const { code, stdout, stderr } = await pod.cli('plan', '--json')
    expect(code, stdout + stderr).toBe(0)
    expect(stdout).toContain('vkb_patterns')
    expect(stdout).not.toContain('pg_read_file')
  })

  test('a round trip', async () => {
    const { code, stdout, stderr } = await pod.cli('verify', '--only', 'synapse.round-trip')
    expect(code, stdout + stderr).toBe(0)
  })

  test('psql', async () => {
    const statements = `select * from public.lure; select (row(1)::public.pair)::text; insert into public.bait values (2, 'two')`
    const { code, stdout, stderr } = await pod.cli('psql', statements)
    expect(code, stdout + stderr).toBe(0)
    expect(stdout).toContain('pair')
  })

  test('a deploy', async () => {
    const run = await pod.cli('deploy', '--yes', '--json')
    expect(redOf(run)).toEqual({})
    expect(run.code, run.stdout + run.stderr).toBe(0)
    expect(madeBy(run.stdout).join('\n')).toMatch(
      /may read table public\.of postgres[\s\S]*relation public\.vkb_patterns of schema vkb/,
    )
    const given =
      "select count(*) from pg_proc where proowner = 'valence'::regrole and pronamespace = 'pg_catalog'::regnamespace"
    expect(await onPod(asRole('postgres', `set search_path = pg_catalog; ${given}`))).toBe('0\n')
    expect(madeBy((await pod.cli('deploy', '--yes', '--json')).stdout)).toEqual([])
  })

  test("the timer's backup", async () => {
    await onPod(`systemctl start valence-backup; ls /var/backups/valence/${domain}-*.tar.age`)
  })

  test('a backup by hand', async () => {
    const { code, stderr } = await pod.cli('backup', '--to', archive())
    expect(code, stderr).toBe(0)
  })

  test('a restore, which leaves everything to valence', async () => {
    const count = 'select count(*) from public.bait; select count(*) from public.users'
    const before = await onPod(asRole('valence', count))
    const { code, stdout, stderr } = await pod.cli('restore', archive(), '--confirm', domain)
    expect(code, stdout + stderr).toBe(0)
    expect(stderr).toContain('left out: event trigger lure')
    expect(await onPod(asRole('valence', count))).toBe(before)
    const others = `select relname from pg_class where relnamespace = 'public'::regnamespace and relowner <> 'valence'::regrole
and relkind in ('r', 'v', 'S')`
    expect(await onPod(asRole('postgres', `set search_path = pg_catalog; ${others}`))).toBe('')
    const kept = `select datname, pg_get_userbyid(datdba), has_database_privilege('valence', datname, 'connect'),
has_database_privilege('synapse', datname, 'connect') from pg_database where datname ~ '_before_restore_' order by 1`
    const closed = (name: string) => expect.stringMatching(`^${name}_before_restore_\\w+\\|postgres\\|f\\|f$`)
    const said = await onPod(asRole('postgres', `set search_path = pg_catalog; ${kept}`))
    expect(said.trim().split('\n')).toEqual([closed('synapse'), closed('valence')])
    expect(await deployed(pod)).toEqual([])
  })

  test('all traps of valence and of Synapse at once: nobody runs them but these two, and nothing outside changes', async () => {
    await onPod(`echo 'valence:${password}' | chpasswd`)
    const outside = await outsideOfTraps(pod.host)
    await setTraps(pod.host)
    const ends = async (name: string, code: number, work: () => Promise<Omit<CliResult, 'ms'>>) => {
      const began = performance.now()
      const { stdout, stderr, ...ended } = await work()
      expect(performance.now() - began, `${name}: ${lastOf(stdout + stderr)}`).toBeLessThan(120_000)
      expect(ended.code, `${name}: ${lastOf(stdout + stderr)}`).toBe(code)
    }
    const saved = join(pod.root, 'among-traps')
    await ends('plan', 0, () => pod.cli('plan'))
    await ends('deploy', 0, () => pod.cli('deploy', '--yes', '--skip-verification'))
    await ends('verify', 0, () => pod.cli('verify'))
    await ends("the timer's backup", 0, () => pod.host.exec('systemctl start valence-backup'))
    await ends('backup', 0, () => pod.cli('backup', '--to', saved))
    await ends('restore', 0, () => pod.cli('restore', saved, '--confirm', domain))
    const { 'a link to nowhere': link = '' } = objects
    await withObjects(pod.host, places.files, link, async () => {
      await ends('deploy among links', 1, () => pod.cli('deploy', '--yes', '--skip-verification'))
      await ends('backup among links', 0, () => pod.cli('backup', '--to', `${saved}-links`))
    })
    expect(await escaped(pod.host, escapes)).toEqual([])
    expect((await trapsSprung(pod.host)).filter((who) => !/^(valence|matrix-synapse): /.test(who))).toEqual([])
    expect(await trapsSprung(pod.host)).toEqual(expect.arrayContaining(['valence: python', 'valence: pth']))
    expect(await trapsRunning(pod.host)).toBe('')
    expect(diffFingerprints(outside, await outsideOfTraps(pod.host))).toEqual([])
  })
})
