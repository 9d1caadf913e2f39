import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, login } from './matrix.ts'
import { makeOriginal } from './original-pod.ts'
import { untruths } from './plan-truth.ts'
import { lastLog } from './pod-probes.ts'
import { deployed, expectConverged } from './pod-runs.ts'
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
      /^file \/etc\/matrix-synapse\/homeserver\.yaml/m,
      /: site \/etc\/nginx\/sites-enabled\/synapse$/m,
      /: renewal of certificate \S+ by \/var\/www\/acme$/m,
      /: owner of database valence postgres → valence$/m,
      /matrix-synapse\.service restarted$/m,
    ])
      expect(told).toMatch(change)
  })

  test('loses nothing that lay in the places of ours: the copy of the repository, the key that was not used', async () => {
    const kept = '/var/lib/infra/previous'
    const { code, stderr } = await pod.host.exec(
      `ls ${kept}/opt/valence/repo/notes.sqlite ${kept}/etc/matrix-synapse/homeserver.signing.key /etc/apt/sources.list.d/packages_matrix_org_debian.list`,
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
