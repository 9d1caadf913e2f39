import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CliResult, launcher, plainEnv, project } from '../support/cli.ts'
import { fill, onHost } from './backup-drill.ts'
import { hungUp, signalled } from './hang-up.ts'
import { failInSynapse } from './matrix.ts'
import { typeOnHost, typeTowardsHost } from './page-line-runs.ts'
import { onHost as linesOnHost, towardsHost } from './page-lines.ts'
import { logins } from './pod-probes.ts'
import { failureOf } from './pod-runs.ts'
import { clonePod, convergedPod, type Pod, podSecrets } from './pod-setup.ts'
import { makeKey } from './prepare.ts'
import { requireLab, title } from './prerequisites.ts'
import { run, until } from './run.ts'
import { runbookLine } from './runbook-lines.ts'
import { addSlowUser } from './unkind.ts'

const skip = requireLab('host', 'git', 'script')

const domain = 'pod.lab.example.org'

describe.skipIf(skip)(title("the pod's own commands", skip), () => {
  let pod: Pod
  /** A plan by a user whom PAM lets in late: it waits while the other tests work. */
  let late: Promise<CliResult>
  beforeAll(async () => {
    pod = await clonePod(await convergedPod())
    await onHost(pod.host, fill)
    await addSlowUser(pod.host)
    late = pod.cliWith({ env: { VALENCE_SSH_USER: 'slow' } }, 'plan', '--tags', 'security')
  })
  afterAll(() => pod?.close())

  /** The command line with something on its stdin; below script(1) it has a terminal. */
  const fed = (input: string, args: readonly string[], terminal = false) => {
    const words = [process.execPath, launcher, join(project, 'pod/cli.ts'), ...args]
    const env = { ...Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined])), ...plainEnv() }
    const options = { input, env: { ...env, INFRA_ROOT: pod.root, TERM: 'dumb' }, cwd: project, timeoutMs: 600_000 }
    if (!terminal) return run(words[0] as string, words.slice(1), options)
    return run('script', ['-qefc', words.map((word) => `'${word}'`).join(' '), '/dev/null'], options)
  }

  describe('ssh and psql', () => {
    test('a command on the host has its own words and gives its exit code', async () => {
      // Told once: nothing pinned the host's key.
      expect((await pod.cli('ssh', 'true')).stderr).toContain('first contact with')
      const ran = await pod.cli('ssh', 'echo out; echo err >&2; exit 7')
      // What root's .bashrc says on stderr is the shell's own, as with ssh.
      expect(ran).toMatchObject({ code: 7, stdout: 'out\n', stderr: expect.stringMatching(/(^|\n)err\n$/) })
      expect(await pod.cli('ssh', 'ls', '-d', '--help', '-h', '/')).toMatchObject({
        stdout: expect.stringMatching(/^Usage: ls/),
      })
    })

    test('input and output go through unchanged', async () => {
      const input = 'größe\n\\n \u0001'
      expect(await fed(input, ['ssh', 'cat'])).toMatchObject({ code: 0, stdout: input })
    })

    test('a terminal here is a terminal there, and who is told to exit with 3 does', async () => {
      const { code, stdout } = await fed('tty; exit 3\n', ['ssh'], true)
      expect(stdout).toMatch(/\/dev\/pts\/\d/)
      expect(code).toBe(3)
    })

    test('a signal or a closed terminal ends it, whatever the program on the host does, and leaves nothing', async () => {
      const silent = ['ssh', 'echo on the host; exec sleep 1000']
      const interactive = ['ssh']
      const ends = await Promise.all([
        signalled(pod.root, silent, 'SIGINT', 'on the host'),
        signalled(pod.root, silent, 'SIGTERM', 'on the host'),
        signalled(pod.root, silent, 'SIGHUP', 'on the host'),
        hungUp(pod.root, interactive, 'root@'),
        // By a signal, as of any program there: Node would abort (134), and leave a core file.
        hungUp(pod.root, ['logs', 'ssh', '-f'], 'Server listening'),
      ])
      // Not the one that holds up a login meanwhile.
      await onHost(pod.host, "pkill -fx 'sleep 1000' || true")
      expect(ends).toEqual([130, 143, 143, 129, 129].map((code) => ({ code, left: [] })))
    })

    test('a host that does not let us in is one clear error', async () => {
      const key = join(pod.root, 'stranger')
      await makeKey(key)
      await pod.configure({ VALENCE_SSH_PRIVATE_KEY_FILE: key })
      const { message } = failureOf(await pod.cli('ssh', '--json', 'true'), 4)
      await pod.configure()
      expect(message).toMatch(/permission denied/)
    })

    test('a statement, statements by stdin, and what psql says of a wrong one', async () => {
      expect(await pod.cli('psql', 'select count(*) from notes')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('3000'),
      })
      const piped = await fed("\\t on\nselect current_user, 'it''s';\n", ['psql'])
      expect(piped).toMatchObject({ code: 0, stdout: expect.stringMatching(/ valence +\| it's/) })
      const wrong = await fed('select wrong; select 1;', ['psql'])
      expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('column "wrong" does not exist') })
      expect(wrong.stdout).not.toContain('1')
    })

    test('psql on a terminal', async () => {
      const { code, stdout } = await fed('\\echo :DBNAME\n\\q\n', ['psql'], true)
      expect(code).toBe(0)
      expect(stdout).toMatch(/valence=>[\s\S]*\nvalence\r?\n/)
    })
  })

  describe('logs', () => {
    test('shows what a service said, without secrets', async () => {
      const { VALENCE_DB_PASSWORD = '' } = podSecrets
      // Claude Code starts the servers itself; here the unit has something else to run for once.
      await onHost(
        pod.host,
        `cat >/run/said <<'END'\nbefore ${VALENCE_DB_PASSWORD} after\nEND
mkdir /run/systemd/system/vkb.service.d; cat >/run/systemd/system/vkb.service.d/said.conf <<'END'
[Service]
Type=oneshot
Restart=no
StandardInput=file:/run/said
ExecStart=
ExecStart=/bin/cat
END
systemctl daemon-reload; systemctl start vkb; rm -r /run/said /run/systemd/system/vkb.service.d; systemctl daemon-reload`,
      )
      const { code, stdout } = await pod.cli('logs', 'vkb', '-n', '20')
      expect(code).toBe(0)
      expect(stdout).toMatch(/before \[secret\] after/)
      expect(stdout).not.toContain(VALENCE_DB_PASSWORD)
    })

    test("PostgreSQL's own file is shown too, and time is minded", async () => {
      await pod.cli('psql', 'select mark_of_the_test')
      expect((await pod.cli('logs', 'postgresql', '--since', '10 minutes ago')).stdout).toContain('mark_of_the_test')
      expect((await pod.cli('logs', 'postgresql', '--since=-1h')).stdout).toContain('mark_of_the_test')
      expect((await pod.cli('logs', 'postgresql', '--since', '1 hour')).stdout).not.toContain('mark_of_the_test')
    })

    test('all: the errors, also of those that tell the journal of none', async () => {
      await onHost(pod.host, failInSynapse)
      const { code, stdout } = await pod.cli('logs', 'all', '--since', 'today', '-n', '1000')
      expect(code).toBe(0)
      expect(stdout).toMatch(/ postgresql: \[\d+\] \S+ ERROR: {2}column "mark_of_the_test" does not exist/m)
      expect(stdout).toMatch(/ matrix-synapse\[\d+\]: .* - ERROR - /)
      const times = stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(0, 19))
      expect(times).toEqual([...times].sort())
    })

    test('all -f: those that come, after those that were', async () => {
      const following = pod.start('logs', 'all', '-f', '-n', '1')
      await until('the errors to be followed', 20_000, async () => {
        await pod.cli('psql', 'select another_mark')
        return following.said().includes('"another_mark" does not exist') || undefined
      })
      following.kill('SIGINT')
      expect(await following.ended).toMatchObject({ code: 0, stderr: '' })
    })

    test('-f of a log file, from a time on', async () => {
      const following = pod.start('logs', 'postgresql', '-f', '--since', 'today')
      await until(
        'what was said before',
        20_000,
        async () => following.said().includes('mark_of_the_test') || undefined,
      )
      await pod.cli('psql', 'select a_later_mark')
      await until('what comes', 20_000, async () => following.said().includes('"a_later_mark"') || undefined)
      following.kill('SIGINT')
      await following.ended
      expect(following.said().split('column "mark_of_the_test"')).toHaveLength(2)
    })

    test('-f goes on until Ctrl-C, which is not an error and leaves nothing running', async () => {
      const following = pod.start('logs', 'nginx', '-f')
      await until('the log to be followed', 20_000, async () => {
        await pod.host.exec('logger -t nginx tick; systemctl reload nginx')
        return following.said().includes('Reload') || undefined
      })
      following.kill('SIGINT')
      expect(await following.ended).toMatchObject({ code: 0, stderr: '' })
      await until(
        'nothing to be left',
        10_000,
        async () => (await pod.host.exec('pgrep journalctl')).code !== 0 || undefined,
      )
    })

    test.each([
      [['postgrsql'], 64, /no service is called "postgrsql"/],
      [['nginx', '-n', 'many'], 64, /not a number of lines/],
      [['nginx', '--since', 'garbage'], 1, /cannot be read: .*garbage/],
    ])('%j is refused', async (args, code, message) => {
      expect(failureOf(await pod.cli('logs', ...args, '--json'), code).message).toMatch(message)
    })
  })

  test('status tells how the pod is, in one login', async () => {
    const before = await logins(pod.host)
    const text = (await pod.cli('status')).stdout
    expect(await logins(pod.host)).toBe(before + 1)
    for (const line of [
      /postgresql@17-main +active for/,
      /matrix-synapse +active for/,
      /PostgreSQL 17\.\d+, Synapse 1\.\d.*Valence v1\.0\.1/,
      /certificate +until \d{4}-\d\d-\d\d, \d+ days/,
      /lock +free/,
      /disk .* %/,
    ])
      expect(text).toMatch(line)
    const { stdout } = await pod.cli('status', '--json')
    const status = stdout.split('\n').find((line) => line.includes('"type":"status"')) ?? '{}'
    // What nginx shows to those who come.
    const shown = await onHost(
      pod.host,
      `openssl s_client -connect 127.0.0.1:443 -servername ${domain} </dev/null 2>/dev/null | openssl x509 -noout -enddate`,
    )
    const certificate = new Date(shown.trim().replace('notAfter=', '')).toISOString()
    expect(JSON.parse(status)).toMatchObject({ domain, certificate, lock: null, problems: [] })
  })

  test('a plan by a user whose login takes PAM longer than ssh waits for is as any other, and says what it waits for', async () => {
    const { code, stdout, stderr } = await late
    expect(code, stdout + stderr).toBe(0)
    expect(stdout).toMatch(/^pod: nothing to change/)
    expect(stderr).toMatch(/^waiting for .*slow@/m)
  })

  describe('the lines of the runbook for the host', () => {
    test('those that look', async () => {
      const on = (line: string, input = '') =>
        onHost(pod.host, `bash -s <<'END'\n${line} <<'INPUT'\n${input}\nINPUT\nEND`)
      expect(await on(runbookLine('certificates'))).toContain(`Domains: ${domain}`)
      expect(await on(runbookLine('timers'))).toContain('certbot.timer')
      expect(await on(runbookLine('superuser'), 'SHOW search_path; SHOW session_replication_role;')).toMatch(
        /pg_catalog[\s\S]*replica/,
      )
      expect(await on(runbookLine('owner'), 'SELECT current_user')).toContain('valence')
      await on(runbookLine('health'))
      const help = await onHost(pod.host, '/opt/venvs/matrix-synapse/bin/synapse_port_db --help')
      for (const [option] of runbookLine('fromSqlite').matchAll(/--[a-z-]+/g)) expect(help).toContain(option)
    })

    test.each(Object.entries(linesOnHost))('%s', (text, line) => typeOnHost(pod, text, line))
    test.each(Object.entries(towardsHost))('%s', (text, line) => typeTowardsHost(pod, text, line))

    test('those that move databases: into one of another collation, from another name, to another owner', async () => {
      const superuser = (database: string, sql: string) =>
        onHost(pod.host, `cd /; sudo -u postgres psql -d ${database} -tAqc "${sql}"`)
      // verify makes one for each of its rounds.
      const names = "SELECT string_agg(name, ' ' ORDER BY name) FROM users WHERE name NOT LIKE '@verify-%'"
      const users = await superuser('synapse', names)
      expect(users).toContain('@admin:')
      for (const name of ['stop', 'dump', 'rename'] as const) await onHost(pod.host, runbookLine(name))
      await superuser('postgres', 'ALTER DATABASE synapse RENAME TO other')
      expect(await pod.cli('deploy', '--yes', '-t', 'postgresql', '--skip-verification')).toMatchObject({ code: 0 })
      await onHost(pod.host, runbookLine('restore'))
      await onHost(pod.host, runbookLine('copyIn', { OLD: 'other' }))
      await superuser('synapse', 'CREATE ROLE other; CREATE TABLE of_other (); ALTER TABLE of_other OWNER TO other')
      await onHost(pod.host, runbookLine('reassign', { OLD: 'other' }))
      const owner = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'of_other'"
      expect(await superuser('synapse', owner)).toBe('synapse\n')
      const { code, stdout, stderr } = await pod.cli('deploy', '--yes')
      expect(code, stdout + stderr).toBe(0)
      expect(await superuser('synapse', names)).toBe(users)
      expect((await pod.cli('psql', 'SELECT count(*) FROM notes')).stdout).toContain('3000')
    })

    test('the host itself knows of them: who, when and from which commit', async () => {
      const [past, again] = [await pod.cli('history', '--json'), await pod.cli('history')]
      const runs = JSON.parse(past.stdout) as Record<string, string>[]
      expect(runs).toContainEqual({
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/),
        what: 'deploy pod --tags postgresql',
        by: expect.stringMatching(/^\S+@\S+ pid \d+$/),
        commit: expect.stringMatching(/^[0-9a-f]{12}$/),
        result: expect.stringMatching(/^\d+ changes? made$/),
      })
      expect(again.stdout.trimEnd().split('\n')).toHaveLength(runs.length + 1)
      expect(await onHost(pod.host, 'stat -c "%U %a" /var/lib/infra /var/lib/infra/runs.log')).toBe(
        'root 700\nroot 600\n',
      )
      // What changes nothing leaves nothing there.
      expect((await pod.cli('deploy', '--yes', '-t', 'postgresql')).stderr).toContain('nothing changed')
      expect(JSON.parse((await pod.cli('history', '--json')).stdout)).toEqual(runs)
    })
  })
})
