import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PodEnv } from '../../pod/env/env.ts'
import { httpSite } from '../../pod/web/nginx-site.ts'
import { awaitsThat } from '../support/wait.ts'
import { ask, login } from './matrix.ts'
import { written } from './pod-probes.ts'
import { deployed, expectConverged, failureOf } from './pod-runs.ts'
import { clonePod, convergedPod, type Pod, podSecrets } from './pod-setup.ts'
import { requireLab, title } from './prerequisites.ts'
import { must, type Result, run, until } from './run.ts'

const skip = requireLab('host', 'git', 'acme')
const domain = 'pod.lab.example.org'

describe.skipIf(skip)(title('the baselines of a deployed pod', skip), () => {
  let pod: Pod
  let agent: string | undefined
  beforeAll(async () => {
    pod = await clonePod(await convergedPod())
  })
  afterAll(async () => {
    if (agent !== undefined) await run('ssh-agent', ['-k'], { env: { SSH_AGENT_PID: agent } })
    await pod?.close()
  })

  /** Runs on the host what must succeed. */
  async function onHost(script: string): Promise<string> {
    const { code, stdout, stderr } = await pod.host.exec(`set -e\n${script}`)
    expect(code, `${script}\n${stdout}${stderr}`).toBe(0)
    return stdout
  }

  /** An operator's own ssh, without a setting of ours; by the pod's key unless the options say by which. */
  const ssh = (options: readonly string[], command: string, env = {}): Promise<Result> => {
    const trust = ['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null']
    const place = ['-p', String(pod.host.sshPort), `root@${pod.host.address}`]
    return run('ssh', ['-F', 'none', ...trust, ...options, '-o', 'LogLevel=ERROR', ...place, command], { env })
  }
  const byKey = (...options: string[]) => ['-i', pod.host.keyFile, '-o', 'IdentitiesOnly=yes', ...options]

  /** An agent that offers six keys, of which the last one opens. */
  async function sixKeys(): Promise<{ readonly SSH_AUTH_SOCK: string }> {
    const socket = join(pod.root, 'agent')
    agent = (await must('ssh-agent', ['-s', '-a', socket])).match(/SSH_AGENT_PID=(\d+)/)?.[1]
    for (const n of [1, 2, 3, 4, 5]) {
      await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(pod.root, `stranger-${n}`)])
      await must('ssh-add', ['-q', join(pod.root, `stranger-${n}`)], { env: { SSH_AUTH_SOCK: socket } })
    }
    await must('ssh-add', ['-q', pod.host.keyFile], { env: { SSH_AUTH_SOCK: socket } })
    return { SSH_AUTH_SOCK: socket }
  }
  const banned = async () => (await onHost('fail2ban-client get sshd banip')).trim()

  test('an agent whose sixth key opens gets in as often as it likes, and is not banned', async () => {
    const env = await sixKeys()
    for (const _ of [1, 2, 3, 4]) expect((await ssh([], 'echo in', env)).stdout).toMatch(/^in$/m)
    expect(await banned()).toBe('')
    expect(await onHost('journalctl -q --no-pager -t sshd -t sshd-session | grep -c "Failed publickey"')).not.toBe(
      '0\n',
    )
  })

  test('ssh lends a tunnel to the database, and neither an agent nor a port of its own', async () => {
    const env = { SSH_AUTH_SOCK: join(pod.root, 'agent') }
    const tunnel = await ssh(byKey('-o', 'ExitOnForwardFailure=yes', '-W', 'localhost:5432'), '')
    expect(tunnel.stderr).not.toMatch(/prohibited/)
    expect((await ssh(byKey('-A'), 'echo "agent:$SSH_AUTH_SOCK"', env)).stdout).toMatch(/^agent:$/m)
    const back = await ssh(byKey('-o', 'ExitOnForwardFailure=yes', '-R', '15999:localhost:22'), 'echo open')
    expect(back).toMatchObject({ code: 255, stdout: '' })
  })

  test.each(['hmac-sha1', 'hmac-sha1-etm@openssh.com', 'umac-64@openssh.com', 'umac-64-etm@openssh.com'])(
    'no connection is authenticated by %s',
    async (mac) => {
      const { code, stderr } = await ssh(byKey('-o', 'LogLevel=INFO', '-c', 'aes128-ctr', '-m', mac), 'echo in')
      expect(code).toBe(255)
      expect(stderr).toMatch(/no matching MAC/)
    },
  )

  test('an encoded path does not lead past the filter to the admin API of Synapse', async () => {
    const { token = '' } = await login(pod, 'admin', podSecrets.SYNAPSE_ADMIN_PASSWORD ?? '')
    const above = '%2f..%2f..%2f..%2f..%2f..%2f'
    for (const path of [
      `/_synapse/admin/v2/users/x${above}_matrix`,
      `/_synapse/admin/v2/users/x${above.replaceAll('.', '%2e')}_synapse/client`,
      '/_matrix/%2e%2e/_synapse/admin/v1/server_version',
    ]) {
      const { status, text } = await ask(pod, path, { token })
      expect([path, status, text]).toEqual([path, 404, expect.not.stringContaining('errcode')])
    }
    // An identifier with an encoded slash goes through as it is.
    expect((await ask(pod, '/_matrix/client/v3/profile/@admin%3apod.lab.example.org')).status).toBe(200)
    expect((await ask(pod, '/_matrix/client/v3/directory/room/%23a%2fb%3apod.lab.example.org')).text).toMatch(
      /M_NOT_FOUND/,
    )
  })

  test('every answer forbids to guess its type, once', async () => {
    for (const path of ['/', '/.well-known/matrix/client', '/_matrix/client/versions'])
      expect([path, (await ask(pod, path)).headers['x-content-type-options']]).toEqual([path, 'nosniff'])
  })

  /** What nginx answers by HTTP to a request for this host: its status, or how the connection ended. */
  const asks = (host: string) =>
    new Promise<number | string>((resolve) => {
      const asked = request({ host: pod.host.address, port: 80, path: '/', headers: { host } }, (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      })
      asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
      asked.end()
    })

  test('a host that is not ours gets no answer, unless somebody has a site for all hosts', async () => {
    expect(await asks(domain)).toBe(301)
    expect(await asks('evil.example.com')).toBe('ECONNRESET')
    const handshake = await run('openssl', [
      's_client',
      '-connect',
      `${pod.host.address}:443`,
      '-servername',
      'evil.example.com',
    ])
    expect(handshake.stderr + handshake.stdout).toMatch(/unrecognized name/)
    await onHost(`echo 'server { listen 80 default_server; server_name _; return 418; }' >/etc/nginx/conf.d/all.conf`)
    expect(await deployed(pod)).toEqual([
      expect.stringMatching(/sites-available\/valence$/),
      expect.stringMatching(/nginx reloaded$/),
    ])
    expect(await asks('evil.example.com')).toBe(418)
    expect(await asks(domain)).toBe(301)
    await onHost('rm /etc/nginx/conf.d/all.conf')
    expect(await deployed(pod)).toHaveLength(2)
    expect(await asks('evil.example.com')).toBe('ECONNRESET')
  })

  test('a name of 50 characters beside another site outlives a reload and a restart', async () => {
    const long = `${'a'.repeat(46)}.org`
    const site = httpSite({ VALENCE_DOMAIN: long } as PodEnv, { version: '1.26.3', ipv6: true, set: [] })
    await onHost(`cat >/etc/nginx/conf.d/long.conf <<'END'\n${site}END
echo 'server { listen 80; server_name other.example.org; return 204; }' >/etc/nginx/conf.d/other.conf
systemctl reload nginx; systemctl restart nginx; systemctl is-active nginx`)
    expect([await asks(long), await asks('other.example.org'), await asks(domain)]).toEqual([503, 204, 301])
    await onHost('rm /etc/nginx/conf.d/long.conf /etc/nginx/conf.d/other.conf; systemctl restart nginx')
  })

  test('whoever shuts valence out of sshd is told before anything is changed; by the remedy it logs in', async () => {
    const mine = '/etc/ssh/sshd_config.d/50-mine.conf'
    const security = ['deploy', '--yes', '--json', '-t', 'security', '--skip-verification']
    const valence = async () => {
      const trust = ['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null']
      return (await run('ssh', ['-F', 'none', ...trust, ...byKey(), `valence@${pod.host.address}`, 'id -un'])).stdout
    }
    expect(await valence()).toBe('valence\n')
    await onHost(`printf '%s\\n' 'ALLOWUSERS="root" # nobody else' 'MaxAuthTries 5' >${mine}; systemctl restart ssh`)
    expect(await valence()).toBe('')
    const touched = await written(pod.host, async () => {
      const { message, remedy } = failureOf(await pod.cli(...security), 1)
      expect(message).toMatch(/^sshd: valence would not get in.*\(ALLOWUSERS="root" in \S+50-mine\.conf:1\)$/)
      expect(remedy).toMatch(/^Add valence to AllowUsers/)
    })
    expect(touched).toEqual([])
    await onHost(`sed -i 's/"root"/"root" valence/' ${mine}`)
    // Fewer attempts than ours are left as they are.
    expect(await deployed(pod, ...security.slice(3))).toEqual(['sshd: /etc/ssh/sshd_config.d/00-valence.conf'])
    expect(await valence()).toBe('valence\n')
    expect(await onHost('sshd -T -C user=valence,host=x,addr=192.0.2.1 | grep ^maxauthtries')).toBe('maxauthtries 5\n')
    await onHost(`rm ${mine}`)
    expect(await deployed(pod, ...security.slice(3))).toEqual(['sshd: /etc/ssh/sshd_config.d/00-valence.conf'])
  })

  test('PostgreSQL tells in its log who connects', async () => {
    await onHost(`cd / && runuser -u postgres -- psql -qXAtc 'SELECT 1' postgres >/dev/null
tail -n 20 /var/log/postgresql/*.log | grep -q 'connection authorized: user=postgres database=postgres'`)
  })

  test('each unit is confined: at most 3.0 by systemd itself', async () => {
    await pod.configure({ VALENCE_BACKUP_TIMER: 'true' })
    await deployed(pod)
    const units = ['matrix-synapse.service', 'vkb.service', 'valence-backup.service']
    const said = await onHost(
      `for u in ${units.join(' ')}; do systemd-analyze security --no-pager $u | tail -n 1; done`,
    )
    const levels = [...said.matchAll(/level for (\S+): ([\d.]+)/g)].map(
      ([, unit, level]) => [unit, Number(level)] as const,
    )
    expect(levels.map(([unit]) => unit)).toEqual(units)
    expect(levels.filter(([, level]) => level > 3)).toEqual([])
  })

  test('and does its work: a backup is made, the knowledge base starts, Synapse keeps and gives back a file', async () => {
    await onHost(`systemctl start valence-backup || { journalctl -q --no-pager -u valence-backup >&2; exit 1; }
cat /var/backups/valence/*.tar.age | tail -c +1025 | head -c 21 | grep -q age-encryption
systemctl start vkb
${awaitsThat('[ "$(systemctl show -p ActiveState --value vkb)" != active ]')}
[ "$(systemctl show -p Result --value vkb)" = success ]
! journalctl -q --no-pager -k | grep -q 'comm="valence-backup.*SECCOMP'`)
    const { token = '' } = await login(pod, 'valence-bot', podSecrets.VALENCE_BOT_PASSWORD ?? '')
    const { text } = await ask(pod, '/_matrix/media/v3/upload', { method: 'POST', token, body: { kept: 'as it was' } })
    const [, server, id] = (JSON.parse(text) as { content_uri: string }).content_uri.match(/^mxc:\/\/(.+)\/(.+)$/) ?? []
    const kept = await ask(pod, `/_matrix/client/v1/media/download/${server}/${id}`, { token })
    expect(kept.text).toBe('{"kept":"as it was"}')
    await pod.configure()
    await deployed(pod)
  })

  test('in the end all is as before', () => expectConverged(pod))

  test('whoever asks for a login without end is told to wait, as Matrix says it, and a client is not', async () => {
    const path = '/_matrix/client/v3/login'
    for (const _ of [1, 2, 3])
      expect(await login(pod, 'valence-bot', podSecrets.VALENCE_BOT_PASSWORD ?? '')).toHaveProperty('token')
    const flood = await Promise.all(Array.from({ length: 80 }, () => ask(pod, path)))
    const refused = flood.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThan(20)
    expect(flood.filter(({ status }) => status === 200).length).toBeGreaterThan(20)
    expect(JSON.parse(refused[0]?.text ?? '')).toMatchObject({ errcode: 'M_LIMIT_EXCEEDED' })
    expect(refused[0]?.headers['access-control-allow-origin']).toBe('*')
    expect((await ask(pod, '/_matrix/client/versions')).status).toBe(200)
  })

  test('whoever tries keys that do not open is banned', async () => {
    const stranger = ['-i', join(pod.root, 'stranger-1'), '-o', 'IdentitiesOnly=yes', '-o', 'ConnectTimeout=5']
    for (const _ of [1, 2, 3]) expect((await ssh(stranger, 'echo in')).code).toBe(255)
    await until('the ban', 10_000, async () => ((await banned()) === '' ? undefined : true))
  })
})
