import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { project } from '../support/cli.ts'
import { parseXml } from '../support/xml.ts'
import { deployed, failureOf } from './pod-runs.ts'
import { clonePod, convergedPod, type Pod, podSecrets } from './pod-setup.ts'
import { requireLab, title } from './prerequisites.ts'
import { run, tether, until } from './run.ts'
import { findings, redOf, skippedOf } from './verify-runs.ts'

const skip = requireLab('host', 'git', 'acme', 'psql')

const substrate = '/opt/valence/repo/src/valence/substrate'
const sql = (
  statement: string,
  database = 'valence',
) => `cd / && runuser -u postgres -- psql -XqAt -v ON_ERROR_STOP=1 -d ${database} <<'SQL'
${statement}
SQL`

describe.skipIf(skip)(title('the knowledge base of a deployed pod', skip), () => {
  let pod: Pod
  beforeAll(async () => {
    pod = await clonePod(await convergedPod())
  })
  afterAll(() => pod?.close())

  const onHost = async (script: string, user?: string): Promise<string> => {
    const { code, stdout, stderr } = await pod.host.exec(script, user)
    expect(code, `${script}\n${stdout}${stderr}`).toBe(0)
    return stdout
  }

  test('its settings are the same to sh and to systemd, its health check passes, its unit is sound', async () => {
    const health =
      'source /opt/valence/config/vkb.env && /opt/valence/venv/bin/python -m valence.substrate.mcp_server --health-check'
    expect(await onHost(`bash -c '${health}'`, 'valence')).toBe('Healthy: True\n')
    const names = ['VKB_DB_PASSWORD', 'MATRIX_PASSWORD', 'OPENAI_API_KEY', 'DATABASE_URL', 'MCP_PORT']
    const print = `python3 -c 'import json, os; print(json.dumps([os.environ[n] for n in "${names.join(' ')}".split()]))'`
    const bySh = JSON.parse(await onHost(`. /opt/valence/config/vkb.env && ${print}`))
    const unit = 'systemd-run --quiet --pipe --wait -p EnvironmentFile=/opt/valence/config/vkb.env'
    expect(JSON.parse(await onHost(`${unit} ${print}`))).toEqual(bySh)
    const [database, matrix, openai, url] = bySh as string[]
    expect([database, matrix, openai]).toEqual([
      podSecrets.VALENCE_DB_PASSWORD,
      podSecrets.VALENCE_BOT_PASSWORD,
      podSecrets.OPENAI_API_KEY,
    ])
    expect(decodeURIComponent(new URL(url ?? '').password)).toBe(database)
    expect(await onHost('systemd-analyze verify vkb.service 2>&1; systemctl is-enabled vkb.service || true')).toBe(
      'disabled\n',
    )
  })

  test('what Claude Code starts speaks MCP, and its settings hold no secret', async () => {
    const file = await onHost('cat ~/.claude.json', 'valence')
    for (const value of Object.values(podSecrets)) expect(file).not.toContain(value)
    const servers = Object.values(JSON.parse(file).mcpServers) as { command: string; args: string[] }[]
    const [{ command, args }] = servers as [{ command: string; args: string[] }]
    const ask = `printf '%s\\n' '{"jsonrpc": "2.0", "id": 1, "method": "initialize"}' | ${command} ${args.map((word) => `'${word}'`).join(' ')}`
    expect(JSON.parse(await onHost(ask, 'valence')).result.serverInfo.name).toBe('valence-substrate')
  })

  test('a schema that PostgreSQL refuses stops with its line, and nothing of it is applied', async () => {
    const line = Number(
      await onHost(`cat >>${substrate}/schema.sql <<'SQL'
CREATE TABLE half_done (id int);
CREATE TABLE broken (id nonsense);
SQL
wc -l <${substrate}/schema.sql`),
    )
    const { message } = failureOf(await pod.cli('deploy', '--yes', '--json', '-t', 'vkb'), 1)
    expect(message).toContain(`schema.sql:${line}: type "nonsense" does not exist; nothing of it was applied`)
    expect(await onHost(sql("SELECT to_regclass('half_done') IS NULL"))).toBe('t\n')
    await onHost(`git -C /opt/valence/repo checkout -q -- ${substrate}`, 'valence')
    expect(await deployed(pod, '-t', 'vkb')).toEqual([])
  })

  test('another ref brings its package along in one deploy, of which the plan tells what it cannot know', async () => {
    await pod.configure({ VALENCE_REPO_REF: 'v1.0.2' })
    const { stdout: plan } = await pod.cli('plan')
    expect(plan).toMatch(/~ {2}\/opt\/valence\/repo \w+ → v1\.0\.2\n/)
    for (const id of ['python package valence', 'postgres.schema valence/vkb'])
      expect(plan).toContain(`?  ${id}  asked again after repository /opt/valence/repo\n`)
    expect(await deployed(pod)).toEqual([
      expect.stringMatching(/repo \w+ → v1\.0\.2$/),
      expect.stringMatching(/python package valence: 1\.0\.1 → 1\.0\.2$/),
    ])
    await pod.configure()
    expect(await deployed(pod)).toEqual([
      expect.stringMatching(/repo \w+ → v1\.0\.1$/),
      expect.stringMatching(/python package valence: 1\.0\.2 → 1\.0\.1$/),
    ])
  })

  test('each thing that is broken is found by its check, with what to do; then all is mended and no data is lost', async () => {
    await onHost(sql("INSERT INTO beliefs (content) VALUES ('kept'); DROP TABLE vkb_patterns"))
    await onHost(`set -e
      sed -i s/8765/8766/ /opt/valence/config/vkb.env
      echo 'export MY_OWN_TOKEN=sk-old' >>/opt/valence/config/vkb.env
      /opt/valence/venv/bin/python -m pip -q uninstall -y psycopg2-binary
      systemctl enable -q vkb.service
      echo '{"theirs": 1, "mcpServers": {"valence-vkb": {"args": ["sk-old"], "env": {"KEY": "sk-old"}}}}' >/home/valence/.claude.json
      { echo '[Service]'; echo 'Environment=MATRIX_PASSWORD=sk-old'; } >/etc/systemd/system/vkb.service
      sed -i -e /local.bin/d -e '1i export KEY=sk-old' ~valence/.bashrc
      systemctl disable -q --now certbot.timer
      ufw allow 8008/tcp >/dev/null; ufw allow 5432/tcp >/dev/null
      systemctl stop fail2ban
      systemd-run --quiet --unit=vkb-lab sh -c 'echo "<3>a lab error"; exit 1'
      for port in 5432 8008; do
        systemd-run --quiet --unit=lab-$port python3 -m http.server --bind ${pod.host.address} $port
      done`)
    await until('the listeners', 10_000, async () =>
      (await pod.host.exec(`ss -Hltn | grep -c '${pod.host.address}:[58]'`)).stdout.trim() === '2' ? true : undefined,
    )
    const report = join(pod.root, 'verify.xml')
    const verified = await pod.cli('verify', '--json', '--junit', report)
    expect(verified.code).toBe(3)
    const planned = await pod.cli('plan', '--json')
    expect(planned.stdout).toContain('~/.claude.json')
    const previous = '/var/lib/infra/previous/opt/valence/config/vkb.env'
    expect(planned.stdout).toContain(`vkb.env, without MY_OWN_TOKEN of somebody else (kept in ${previous})`)
    for (const { stdout, stderr } of [verified, planned, await pod.cli('plan', '--diff')])
      expect(stdout + stderr).not.toContain('sk-old')
    const red = redOf(verified)
    expect(Object.keys(red).sort()).toEqual(
      [
        ...['security.firewall', 'security.fail2ban', 'postgresql.localhost'],
        ...['synapse.localhost', 'synapse.port-8008', 'synapse.renewal', 'outside.postgresql'],
        ...['vkb.package', 'vkb.env', 'vkb.schema', 'vkb.tables', 'vkb.health', 'vkb.service', 'vkb.claude'],
      ].sort(),
    )
    expect(red['vkb.schema']?.detail).toBe('missing: relation public.vkb_patterns')
    expect(red['vkb.tables']?.detail).toBe('no table vkb_patterns')
    for (const { remedy } of Object.values(red)) expect(remedy).toMatch(/\w/)
    const warned = findings(verified).filter(({ outcome }) => outcome === 'warn')
    expect(warned.map(({ id }) => id)).toEqual(expect.arrayContaining(['system.units', 'system.journal']))
    const [suites] = parseXml(await readFile(report, 'utf8'))
    expect(suites?.children[0]?.attributes.failures).toBe(String(Object.keys(red).length))

    await onHost('systemctl stop lab-5432 lab-8008; systemctl reset-failed vkb-lab')
    const made = await deployed(pod)
    expect(made).toEqual(
      expect.arrayContaining([
        'postgres.schema valence/vkb: schema vkb of database valence: relation public.vkb_patterns missing',
        'python package valence: python package valence: lacks psycopg2-binary>=2.9',
        'unit vkb.service: vkb.service not at boot',
      ]),
    )
    expect(await onHost(`grep -c MY_OWN_TOKEN=sk-old ${previous}; stat -c '%a %U' ${previous}`)).toBe('1\n600 root\n')
    expect(await onHost(`ls ${previous}; true`, 'valence')).toBe('')
    expect(await onHost(sql("SELECT count(*) FROM beliefs WHERE content = 'kept'"))).toBe('1\n')
    expect(JSON.parse(await onHost('cat /home/valence/.claude.json')).theirs).toBe(1)
  })

  test('with Synapse and nginx stopped all that they serve is red; what is asked for alone is checked alone', async () => {
    const other = join(pod.root, 'other.pem')
    await run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'ed25519',
      '-nodes',
      '-keyout',
      '/dev/null',
      '-out',
      other,
      '-subj',
      '/CN=other',
    ])
    const untrusted = await pod.cliWith(
      { env: { VALENCE_CA_FILE: other } },
      'verify',
      '--json',
      '--only',
      'synapse.versions',
    )
    expect(findings(untrusted)).toMatchObject(
      [{ id: 'synapse.versions', outcome: 'fail', detail: /authority that is not trusted/ }].map(
        ({ detail, ...rest }) => ({ ...rest, detail: expect.stringMatching(detail) }),
      ),
    )

    const judged = async (...words: string[]) => {
      const ran = await pod.cli('verify', '--json', ...words)
      return { red: redOf(ran), skipped: skippedOf(ran) }
    }
    await onHost('systemctl stop matrix-synapse')
    const behind = ['synapse.versions', 'synapse.federation', 'synapse.registration', 'synapse.round-trip']
    const half = await judged('--only', 'synapse.')
    // One failure, and what comes of it by its name.
    expect(Object.keys(half.red)).toEqual(['synapse.matrix-synapse'])
    expect(Object.keys(half.skipped).sort()).toEqual([...behind, 'synapse.localhost'].sort())
    expect(half.skipped['synapse.round-trip']?.detail).toMatch(
      /^synapse\.matrix-synapse failed: .*Synapse does not answer on localhost/,
    )

    await onHost('systemctl stop nginx')
    const whole = await judged('--tags', 'synapse')
    const served = [
      'port-80',
      'port-443',
      'port-8448',
      'well-known-server',
      'well-known-client',
      'admin-api',
      'certificate',
    ]
    expect(Object.keys(whole.red).sort()).toEqual(['synapse.matrix-synapse', 'synapse.nginx'])
    expect(Object.keys(whole.skipped)).toEqual(
      expect.arrayContaining([...behind, ...served.map((id) => `synapse.${id}`)]),
    )
    expect(
      Object.keys({ ...whole.red, ...whole.skipped }).filter((id) => /^(vkb|postgresql|common|security)\./.test(id)),
    ).toEqual([])
    await deployed(pod)
  })

  test('the user of the round trip is gone again', async () => {
    const verified = await pod.cli('verify', '--json', '--only', 'synapse.round-trip')
    expect(verified.code, verified.stdout).toBe(0)
    const rows = await onHost(
      sql(
        "SELECT deactivated, password_hash IS NULL OR password_hash = '' FROM users WHERE name LIKE '@verify-%'",
        'synapse',
      ),
    )
    expect(new Set(rows.trim().split('\n'))).toEqual(new Set(['1|t']))
  })

  test('the integration tests pass against it', async () => {
    const port = 20_000 + pod.host.number
    const known = [
      '-o',
      'StrictHostKeyChecking=accept-new',
      '-o',
      `UserKnownHostsFile=${join(pod.root, 'known_hosts')}`,
    ]
    const words = [
      'ssh',
      '-N',
      '-i',
      pod.host.keyFile,
      ...known,
      '-L',
      `127.0.0.1:${port}:localhost:5432`,
      `root@${pod.host.address}`,
    ]
    const [program, ...args] = [...tether, ...words] as [string, ...string[]]
    const tunnel = spawn(program, args, { stdio: 'ignore' })
    try {
      await until('the tunnel', 15_000, async () =>
        (await run('pg_isready', ['-q', '-h', '127.0.0.1', '-p', String(port)])).code === 0 ? true : undefined,
      )
      const env = {
        VKB_DB_HOST: '127.0.0.1',
        VKB_DB_PORT: String(port),
        VALENCE_DB_PASSWORD: podSecrets.VALENCE_DB_PASSWORD,
        VALENCE_POD_IP: pod.host.address,
        VALENCE_DOMAIN: 'pod.lab.example.org',
        VALENCE_CA_FILE: join(pod.root, 'authorities.pem'),
        VKB_SCHEMA_DIR: join(project, 'tests/lab/valence/src/valence/substrate'),
      }
      const { code, stdout, stderr } = await run('npm', ['run', '-s', 'test:integration'], { cwd: project, env })
      expect(code, stdout + stderr).toBe(0)
      expect(stdout).toMatch(/Tests .*24 passed/)
      expect(stdout).not.toContain('skipped')
    } finally {
      tunnel.kill()
    }
  })
})
