import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, login } from './matrix.ts'
import { makeOriginal } from './original-pod.ts'
import { untruths } from './plan-truth.ts'
import { lastLog, written } from './pod-probes.ts'
import { deployed, expectConverged, failureOf } from './pod-runs.ts'
import { clonePod, convergedPod, type Pod, podSecrets } from './pod-setup.ts'
import { labDomain as domain } from './prepare.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'

const skip = requireLab('host', 'git', 'acme')

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
    ;({ token = '' } = await login(pod, 'admin', podSecrets.SYNAPSE_ADMIN_PASSWORD ?? ''))
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
    const certificate = `/etc/letsencrypt/live/${domain}/fullchain.pem`
    const sql =
      'select count(*) from events; select content from beliefs; select name, creation_ts from users order by 1'
    const { code, stdout } = await pod.host.exec(
      `sha256sum ${certificate} && (cd / && runuser -u postgres -- psql -qXAtd valence -c '${sql}')`,
    )
    expect(code).toBe(0)
    const keys = JSON.parse((await ask(pod, '/_matrix/key/v2/server')).text) as { verify_keys: object }
    expect(Object.keys(keys.verify_keys)).toHaveLength(1)
    return `${stdout}${JSON.stringify(keys.verify_keys)}`
  }

  test.each([
    [
      'settings that the deployment does not know',
      'homeserver.yaml',
      `cat >>homeserver.yaml <<'END'\npassword_config:\n  pepper: "taken from nobody"\n"turn_uris": [turn:turn.example.org]\nEND`,
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
    // The verification writes: a throw-away user, who says something.
    const made = await deployed(pod, '--skip-verification')
    expect(untruths(await lastLog(pod))).toEqual([])
    expect(await kept()).toBe(before)
    const told = made.join('\n')
    expect(made.length, told).toBeLessThan(32)
    expect(told).not.toMatch(/Matrix user|: role|: database|: certificate|signing key \/|packages?|user valence|venv/)
    for (const change of [
      /homeserver\.signing\.key from \S+\/pod\.lab\.example\.org\.signing\.key, which this server signs with; the other/m,
      /: \S+\/pod\.lab\.example\.org\.signing\.key 0644 root:root → 0640 root:matrix-synapse$/m,
      /: \/opt\/valence\/repo at v1\.0\.1, in place of a copy without git, which is kept in \S+$/m,
      /: \/etc\/matrix-synapse\/conf\.d\/database\.yaml, which sets database$/m,
      /: \S+\/homeserver\.yaml\.before, a copy of what somebody else wrote; the new one does without pid_file, log_config, /m,
      /^file \/etc\/matrix-synapse\/homeserver\.yaml/m,
      /: site \/etc\/nginx\/sites-enabled\/synapse$/m,
      /: renewal of certificate \S+ by \/var\/www\/acme$/m,
      /: owner of database valence postgres → valence$/m,
      /matrix-synapse\.service restarted$/m,
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
    expect(await call('account/whoami')).toMatchObject({ user_id: `@admin:${domain}` })
    const { chunk } = await call<{ chunk: { content: { body?: string } }[] }>(`rooms/${room}/messages?dir=b&limit=5`)
    expect(chunk.map(({ content }) => content.body)).toContain('before the move')
  })

  test('is a pod like any other', () => expectConverged(pod))
})
