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
    const files = `/etc/matrix-synapse/homeserver.signing.key /etc/letsencrypt/live/${domain}/fullchain.pem`
    const sql =
      'select count(*) from events; select content from beliefs; select name, creation_ts from users order by 1'
    const { code, stdout } = await pod.host.exec(
      `sha256sum ${files} && (cd / && runuser -u postgres -- psql -qXAtd valence -c '${sql}')`,
    )
    expect(code).toBe(0)
    return stdout
  }

  test('is adopted: what differs is mended, nothing is made anew, nothing is lost', async () => {
    const before = await kept()
    // The verification writes: a throw-away user, who says something.
    const made = await deployed(pod, '--skip-verification')
    expect(untruths(await lastLog(pod))).toEqual([])
    expect(await kept()).toBe(before)
    const told = made.join('\n')
    expect(made.length, told).toBeLessThan(32)
    expect(told).not.toMatch(
      /Matrix user|: role|: database|: certificate|signing key \/|packages?|user valence|repository|venv/,
    )
    for (const change of [
      /homeserver\.signing\.key 0644 root:matrix-synapse → 0640 root:matrix-synapse$/m,
      /: \/etc\/matrix-synapse\/conf\.d\/database\.yaml, which sets database$/m,
      /^file \/etc\/matrix-synapse\/homeserver\.yaml/m,
      /: site \/etc\/nginx\/sites-enabled\/synapse$/m,
      /: renewal of certificate \S+ by \/var\/www\/acme$/m,
      /: owner of database valence postgres → valence$/m,
      /matrix-synapse\.service restarted$/m,
    ])
      expect(told).toMatch(change)
  })

  test('goes on with its sessions, rooms and messages', async () => {
    expect(await call('account/whoami')).toMatchObject({ user_id: `@admin:${domain}` })
    const { chunk } = await call<{ chunk: { content: { body?: string } }[] }>(`rooms/${room}/messages?dir=b&limit=5`)
    expect(chunk.map(({ content }) => content.body)).toContain('before the move')
  })

  test('is a pod like any other', () => expectConverged(pod))
})
