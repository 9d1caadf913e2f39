import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { onHost } from './backup-drill.ts'
import { ask, heard, login, openRoom, type Room, say } from './matrix.ts'
import { makeOriginal, originalAdmin } from './original-pod.ts'
import { untruths } from './plan-truth.ts'
import { lastLog, written } from './pod-probes.ts'
import { deployed, deployUntil, expectConverged, failureOf, lastOf, unwritten } from './pod-runs.ts'
import { clonePod, convergedPod, type Pod, podSecrets } from './pod-setup.ts'
import { labDomain as domain } from './prepare.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'
import { makeShared } from './shared-database.ts'

const skip = requireLab('host', 'git', 'acme', 'age')
const config = '/etc/matrix-synapse/homeserver.yaml'

describe.skipIf(skip)(title('a pod that the Ansible roles before us made', skip), () => {
  let pod: Pod
  let token: string
  let room: string
  beforeAll(async () => {
    pod = await clonePod(await convergedPod())
    await makeOriginal(pod)
    await until('Synapse to answer', 60_000, async () => {
      const { status } = await ask(pod, '/_matrix/client/versions').catch(() => ({ status: 0 }))
      return status === 200 || undefined
    })
    ;({ token = '' } = await login(pod, originalAdmin, podSecrets.SYNAPSE_ADMIN_PASSWORD ?? ''))
    room = (await call<{ room_id: string }>('createRoom', 'POST', {})).room_id
    await call(`rooms/${room}/send/m.room.message/1`, 'PUT', { msgtype: 'm.text', body: 'before the move' })
  })
  afterAll(() => pod?.close())

  async function call<T>(path: string, method = 'GET', body?: unknown): Promise<T> {
    const { status, text } = await ask(pod, `/_matrix/client/v3/${path}`, { method, body, token })
    expect(status, text).toBe(200)
    return JSON.parse(text) as T
  }

  const kept = async () => {
    // Synapse's tables are where its own settings say.
    const psql = (database: string, sql: string) => `runuser -u postgres -- psql -qXAtd ${database} -c '${sql}'`
    const synapse = `select count(*) from events; select name, creation_ts from users where name !~ $a$^@admin:$a$ order by 1`
    const { code, stdout } = await pod.host.exec(
      `set -e; cd /; ${psql('valence', 'select content from beliefs')}
d=valence; ! grep -q 'dbname: "synapse"' /etc/matrix-synapse/homeserver.yaml || d=synapse; ${psql('$d', synapse)}`,
    )
    expect(code).toBe(0)
    const keys = JSON.parse((await ask(pod, '/_matrix/key/v2/server')).text) as { verify_keys: object }
    expect(Object.keys(keys.verify_keys)).toHaveLength(1)
    return `${stdout}${JSON.stringify(keys.verify_keys)}`
  }

  test('is refused while its tables are of another version than the ref; the remedy names the one that fits', async () => {
    const ref = await unwritten(pod, async () => {
      const { message, remedy } = failureOf(await pod.cli('deploy', '--yes', '--json'), 1)
      expect(message).toMatch(/tables of another version than VALENCE_REPO_REF=v1\.0\.1: they lack beliefs\.holder_id$/)
      return remedy.match(/VALENCE_REPO_REF=(\w+)/)?.[1]
    })
    expect(ref).toBe(pod.git.commits.original)
    // What follows goes on as the remedy says.
    await pod.configure({ VALENCE_REPO_REF: ref })
  })

  test.each([
    [
      'settings that the deployment does not know, written as JSON',
      'homeserver.yaml',
      `cat >>homeserver.yaml <<'END'\npassword_config:\n  pepper: "taken from nobody"\n"turn_uris": [turn:turn.example.org]\nEND
/opt/venvs/matrix-synapse/bin/python -c 'import json, yaml; said = yaml.safe_load(open("homeserver.yaml")); json.dump(said, open("homeserver.yaml", "w"))'`,
      /homeserver\.yaml is not by the deployment, and sets what would be lost: password_config, turn_uris$/,
    ],
    [
      'data in another database',
      'conf.d/database.yaml',
      `sed -i 's/database: "valence"/dbname: "matrix"/' conf.d/database.yaml`,
      /conf\.d\/database\.yaml says that Synapse keeps its data in the database matrix of the role valence, and it would/,
    ],
    [
      'data in SQLite',
      'conf.d/database.yaml',
      `printf 'database:\\n  name: sqlite3\\n  args: {database: /etc/matrix-synapse/homeserver.yaml}\\n' >conf.d/database.yaml`,
      /keeps its data in the SQLite file \S+ \(users: unknown\), and it would/,
    ],
  ])('is not adopted at the price of %s', async (_, file, change, says) => {
    const folder = '/etc/matrix-synapse'
    const run = (line: string) => pod.host.exec(`set -e; cd ${folder}; ${line}`)
    expect(await run(`cp -p ${file} /root/kept; ${change}`)).toMatchObject({ code: 0 })
    const touched = await written(pod.host, async () => {
      const { message } = failureOf(await pod.cli('deploy', '--yes', '--json'), 1)
      expect(message).toMatch(says)
      expect(message).not.toMatch(/taken from nobody/)
    })
    expect(touched).toEqual([])
    expect(await run(`cp -p /root/kept ${file}`)).toMatchObject({ code: 0 })
  })

  test('is adopted: what differs is mended, nothing is made anew, nothing is lost', async () => {
    const before = await kept()
    await onHost(
      pod.host,
      `printf '%s\\n' 'max_upload_size: 20M' 'rc_login: &few {account: {per_second: 3}}' >>${config}`,
    )
    // The verification writes: a throw-away user, who says something.
    const made = await deployed(pod, '--skip-verification')
    expect(untruths(await lastLog(pod))).toEqual([])
    expect(await kept()).toBe(before)
    const notes = JSON.stringify((await lastLog(pod)).filter(({ type }) => type === 'plan'))
    for (const said of [
      /max_upload_size \S*20M\S* → \S*50M/,
      /rc_login \{.*?\} → \{/,
      /database \(not shown\): the deployment makes/,
      /sites-enabled\/synapse says location \/hello, which goes with it; to keep it, .* NGINX_EXTRA_CONFIG_FILE/,
    ])
      expect(notes).toMatch(said)
    const told = made.join('\n')
    expect(made.length, told).toBeLessThan(48)
    expect(told).not.toMatch(
      /Matrix user @(?!admin:)|: role valence|: database valence$|: certificate (?!also)|signing key \/|: packages?|: user valence|: venv/,
    )
    for (const change of [
      /homeserver\.signing\.key from \S+\/pod\.lab\.example\.org\.signing\.key, which this server signs with; the other/m,
      /: \S+\/pod\.lab\.example\.org\.signing\.key 0640 matrix-synapse:matrix-synapse → 0640 root:matrix-synapse$/m,
      /: valence out of group sudo: /m,
      /: \/opt\/valence 0755 valence:valence → 0755 root:root$/m,
      /: all in \/opt\/valence\/venv is of valence, lib\/\S+\/pip\S* is not$/m,
      /: \/opt\/valence\/config\/vkb\.env, without OPENAI_BASE_URL of somebody else \(kept in /m,
      /: Matrix user @admin:/m,
      /: \/opt\/valence\/repo at [0-9a-f]{40}, in place of a copy without git, which is kept in \S+$/m,
      /: \/etc\/matrix-synapse\/conf\.d\/database\.yaml, which sets database$/m,
      /: \S+\/homeserver\.yaml\.before, a copy of what somebody else wrote; the new one does without pid_file, log_config, /m,
      /^file \/etc\/matrix-synapse\/homeserver\.yaml/m,
      /: site \/etc\/nginx\/sites-enabled\/synapse$/m,
      /: certificate also for matrix\.pod\.lab\.example\.org$/m,
      /: owner of database valence postgres → valence$/m,
      /: Synapse's \d+ tables from database valence into database synapse, with a copy in \S+$/m,
      /matrix-synapse\.service started$/m,
      /: vkb\.service not at boot$/m,
      /: vkb\.service stopped$/m,
      /: Synapse's \d+ tables in database valence, which were copied into database synapse$/m,
    ])
      expect(told).toMatch(change)
  })

  test('loses nothing that lay in our places: the copy of the repository, its settings, the key that was not used', async () => {
    const kept = '/var/lib/infra/previous'
    const { code, stderr } = await pod.host.exec(
      `ls ${kept}/opt/valence/repo/notes.sqlite ${kept}/etc/matrix-synapse/homeserver.signing.key /etc/apt/sources.list.d/packages_matrix_org_debian.list
grep -q '^log_config' ${kept}/etc/matrix-synapse/homeserver.yaml.before && stat -c %a%U ${kept}/etc/matrix-synapse/homeserver.yaml.before | grep -qx 600root`,
    )
    expect(code, stderr).toBe(0)
  })

  test('goes on with its sessions, rooms and messages', async () => {
    expect(await call('account/whoami')).toMatchObject({ user_id: `@${originalAdmin}:${domain}` })
    const { chunk } = await call<{ chunk: { content: { body?: string } }[] }>(`rooms/${room}/messages?dir=b&limit=5`)
    expect(chunk.map(({ content }) => content.body)).toContain('before the move')
  })

  test('is a pod like any other', () => expectConverged(pod))

  describe('whose Synapse shares the database with Valence, as earlier versions had it', () => {
    let room: Room
    let archive: string
    const run = (script: string) => onHost(pod.host, script)
    const answers = () =>
      until('Synapse', 60_000, async () => (await ask(pod, '/_matrix/client/versions')).status === 200 || undefined)
    const as = (account: string, database: string, sql: string) =>
      `cd / && runuser -u ${account} -- psql -qXAt -v ON_ERROR_STOP=1 -d ${database} -c "${sql}"`
    const refused = async (...args: string[]) => failureOf(await pod.cli('deploy', '--yes', '--json', ...args), 1)
    const move = 'synapse.database synapse'

    beforeAll(async () => {
      await makeShared(pod.host)
      await answers()
      room = await openRoom(pod, 'valence-bot', podSecrets.VALENCE_BOT_PASSWORD ?? '')
      await say(pod, room, 'before the move')
      const { code, stdout, stderr } = await pod.cli('backup', '--to', join(pod.root, 'shared'))
      expect(code, stderr).toBe(0)
      archive = stdout.trim()
    })

    test('lets role valence read its access tokens, and connect to any database, until it is moved', async () => {
      expect(await run(as('valence', 'valence', 'select count(token) > 0 from access_tokens'))).toBe('t\n')
      for (const database of ['postgres', 'template1'])
        expect(await run(as('valence', database, 'select 1'))).toBe('1\n')
    })

    test('is not moved where there is no room for it twice, or while something stands on its tables', async () => {
      await run('mount -t tmpfs -o size=1m lab /var/lib/infra')
      const { message } = await refused()
      await run('umount /var/lib/infra')
      expect(message).toMatch(/there must be twice as much room: \d+ MB are free$/)
      await run(as('valence', 'valence', 'create view mine as select token from access_tokens'))
      expect((await refused()).message).toMatch(
        /cannot leave database valence: rule _RETURN on view public\.mine needs /,
      )
      await run(as('valence', 'valence', 'drop view mine'))
      expect((await ask(pod, '/_matrix/client/versions')).status).toBe(200)
    })

    /** Has a program of the move killed where it calls pg_restore. */
    const killedAt = async (what: string) => {
      const path = '/usr/local/bin/runuser'
      await run(`cat >${path} <<'END'
#!/bin/bash
case "$*" in *pg_restore*) ${what}; kill -KILL $PPID; exit 1 ;; esac
exec /usr/sbin/runuser "$@"
END
chmod 755 ${path}; ln -sf ${path} /usr/local/sbin/runuser`)
      const { code, stdout, stderr } = await pod.cli('deploy', '--yes')
      await run('rm /usr/local/bin/runuser /usr/local/sbin/runuser')
      expect(code, lastOf(stdout + stderr)).toBe(1)
    }
    const killedAfter = async (step: string) => {
      const { run: deploy, seen } = await deployUntil(
        pod,
        ({ type, step: of, outcome }) => type === 'change.end' && of === step && outcome === 'done',
      )
      expect(seen, lastOf(deploy.said())).toBe(true)
      deploy.kill('SIGKILL')
      await deploy.ended
    }
    const users = 'select count(*) from users'

    const tables = "select count(*) from pg_tables where schemaname = 'public'"
    test('is killed after the dump, and while it is read in: nothing of it is in the new database', async () => {
      await killedAt('true')
      // Where its tables are there, and not all that was in them.
      const part = 'head -c $(($(stat -L -c %s /dev/stdin) * 5 / 10))'
      await killedAt(`${part} | /usr/sbin/runuser "$@" || touch /run/ended-early`)
      await run('ls /run/ended-early')
      expect(await run(as('postgres', 'synapse', tables))).toBe('0\n')
    })

    test('is killed before the copy is counted, goes on where it was, and is copied anew with what was said meanwhile', async () => {
      await killedAt('/usr/sbin/runuser "$@"')
      expect(await run(as('postgres', 'synapse', users))).toBe(await run(as('postgres', 'valence', users)))
      // As after a boot: it goes on where its settings say.
      await run('systemctl start matrix-synapse')
      await answers()
      await say(pod, room, 'on the way')
      await killedAfter(move)
    })

    test('has a copy that was used since: it is not overwritten', async () => {
      await run(as('postgres', 'synapse', "insert into room_aliases values ('#a:b', '!a:b', '@a:b')"))
      expect((await refused()).message).toMatch(
        /database synapse was used since it was filled \(room_aliases\): nothing was changed/,
      )
      await answers()
      await run(as('postgres', 'synapse', "delete from room_aliases where room_alias = '#a:b'"))
    })

    test('is killed before Synapse starts; then all is moved, and nothing is lost', async () => {
      await killedAfter(`file /etc/matrix-synapse/homeserver.yaml`)
      expect((await deployed(pod)).at(-1)).toMatch(/^synapse\.left valence: Synapse's \d+ tables in database valence/)
      expect(await heard(pod, room)).toEqual(['before the move', 'on the way'])
      expect(await run('stat -c "%a %U" /var/lib/infra/synapse-move /var/lib/infra/synapse-move/*')).toBe(
        '700 root\n600 root\n',
      )
    })

    test('is a pod like any other after it', () => expectConverged(pod))

    test.each<[string, string, string, RegExp]>([
      [
        "Synapse's access tokens",
        'valence',
        'select token from access_tokens',
        /relation "access_tokens" does not exist/,
      ],
      ["Synapse's database", 'synapse', 'select 1', /permission denied for database "synapse"/],
      ["PostgreSQL's own database", 'postgres', 'select 1', /permission denied for database "postgres"/],
      ['the template of databases', 'template1', 'select 1', /permission denied for database "template1"/],
      ["Synapse's role", "'dbname=synapse user=synapse'", 'select 1', /Peer authentication failed for user "synapse"/],
    ])('keeps from role valence %s', async (_, database, sql, says) => {
      const { code, stderr } = await pod.host.exec(as('valence', database, sql))
      expect(code).not.toBe(0)
      expect(stderr).toMatch(says)
    })

    test("keeps from the account of Synapse Valence's database", async () => {
      const { stderr } = await pod.host.exec(as('matrix-synapse', "'dbname=valence user=synapse'", 'select 1'))
      expect(stderr).toMatch(/permission denied for database "valence"/)
    })

    test('comes back from an archive of one database, and is moved again', async () => {
      const { code, stdout, stderr } = await pod.cli('restore', archive, '--confirm', domain)
      expect(code, stdout + stderr).toBe(0)
      expect(stderr).toMatch(/kept, for you to remove: database synapse_before_restore_/)
      expect(stderr).toContain('the deploy moves them into their own')
      expect(await heard(pod, room)).toEqual(['before the move'])
      expect((await deployed(pod)).join('\n')).toContain(`${move}: `)
      expect(await heard(pod, room)).toEqual(['before the move'])
      await expectConverged(pod)
    })
  })
})
