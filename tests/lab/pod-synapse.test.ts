import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, login } from './matrix.ts'
import { mainPids, written } from './pod-probes.ts'
import { deployed, expectConverged, failureOf } from './pod-runs.ts'
import { clonePod, convergedPod, type Pod, podSecrets } from './pod-setup.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'

const skip = requireLab('host', 'git', 'acme')
const domain = 'pod.lab.example.org'
const config = '/etc/matrix-synapse/homeserver.yaml'
const key = '/etc/matrix-synapse/homeserver.signing.key'
const sites = '/etc/nginx/sites-available'
const sql = (statement: string) =>
  `(cd / && runuser -u postgres -- psql -qXAt -v ON_ERROR_STOP=1 -d synapse) <<'END'\n${statement};\nEND`

describe.skipIf(skip)(title('the Matrix server of a deployed pod', skip), () => {
  let pod: Pod
  beforeAll(async () => {
    pod = await clonePod(await convergedPod())
  })
  afterAll(() => pod?.close())

  /** Runs on the host what must succeed. */
  async function onHost(script: string): Promise<string> {
    const { code, stdout, stderr } = await pod.host.exec(`set -e\n${script}`)
    expect(code, `${script}\n${stdout}${stderr}`).toBe(0)
    return stdout
  }
  const failedDeploy = async () => failureOf(await pod.cli('deploy', '--yes', '--json'), 1)
  const serials = async () => ({
    served: (await ask(pod, '/')).serial,
    kept: (await onHost(`openssl x509 -noout -serial -in /etc/letsencrypt/live/${domain}/fullchain.pem`))
      .trim()
      .replace('serial=', ''),
  })

  test('answers the world over TLS, and nothing else of it does', async () => {
    const server = await ask(pod, '/.well-known/matrix/server')
    expect(JSON.parse(server.text)).toEqual({ 'm.server': `${domain}:443` })
    expect(server.headers).toMatchObject({
      'strict-transport-security': expect.stringContaining('max-age='),
      'access-control-allow-origin': '*',
      'content-type': 'application/json',
    })
    const client = await ask(pod, '/.well-known/matrix/client')
    expect(JSON.parse(client.text)).toEqual({ 'm.homeserver': { base_url: `https://${domain}` } })
    expect((await ask(pod, '/_matrix/client/versions')).text).toContain('v1.')
    expect((await ask(pod, '/_matrix/federation/v1/version', { port: 8448 })).text).toContain('Synapse')
    expect((await ask(pod, '/_synapse/admin/v1/register')).status).toBe(404)
    const registration = { method: 'POST', body: { username: 'x', password: 'x', auth: { type: 'm.login.dummy' } } }
    expect((await ask(pod, '/_matrix/client/v3/register', registration)).status).toBe(403)
    await expect(
      fetch(`http://${pod.host.address}:8008/health`, { signal: AbortSignal.timeout(2000) }),
    ).rejects.toThrow()
  })

  test('its users log in with the passwords of the environment', async () => {
    expect(await login(pod, 'admin', podSecrets.SYNAPSE_ADMIN_PASSWORD ?? '')).toHaveProperty('token')
    expect(await login(pod, 'valence-bot', podSecrets.VALENCE_BOT_PASSWORD ?? '')).toHaveProperty('token')
    expect(await login(pod, 'admin', 'a guess of somebody')).toEqual({ errcode: 'M_FORBIDDEN' })
  })

  test('whatever was changed is found and mended, in one run', async () => {
    const before = await onHost(`cat ${key}`)
    await onHost(`systemctl disable --quiet --now nginx certbot.timer
rm /etc/letsencrypt/renewal-hooks/deploy/reload-nginx
chmod 644 ${key} ${config}
sed -i 's/enable_registration: false/enable_registration: true/' ${config}
echo 'enable_registration: true' >/etc/matrix-synapse/conf.d/open.yaml
ln -s ${sites}/default /etc/nginx/sites-enabled/default
printf '%s\\n' 'server { listen 80; include /etc/nginx/snippets/stray.conf; return 200; }' >/etc/nginx/sites-enabled/stray
printf '%s\\n' 'server_name' '  "${domain}"' ';' >/etc/nginx/snippets/stray.conf
sed -i 's/NoNewPrivileges=yes/NoNewPrivileges=no/' /etc/systemd/system/matrix-synapse.service.d/hardening.conf
sed -i '/webroot/d; s/^\\[renewalparams\\]/&\\nauthenticator = nginx/' /etc/letsencrypt/renewal/${domain}.conf
${sql(`DELETE FROM users WHERE name = '@valence-bot:${domain}'`)}`)
    const password = `another "one" \\ 'of' $(the) lab's`
    const env = { SYNAPSE_ADMIN_PASSWORD: password }
    const { stdout, stderr } = await pod.cliWith({ env }, 'deploy', '--yes', '--no-diff')
    const made = stdout + stderr
    for (const change of [
      `${key} 0644 root:matrix-synapse → 0640 root:matrix-synapse`,
      '/etc/matrix-synapse/conf.d/open.yaml, which sets enable_registration',
      config,
      '/etc/systemd/system/matrix-synapse.service.d/hardening.conf',
      'matrix-synapse.service read anew by systemd',
      'matrix-synapse.service restarted',
      `password of Matrix user @admin:${domain}`,
      `Matrix user @valence-bot:${domain}`,
      'site /etc/nginx/sites-enabled/default',
      'site /etc/nginx/sites-enabled/stray',
      'nginx at boot',
      'nginx started',
      '/etc/letsencrypt/renewal-hooks/deploy/reload-nginx',
      `renewal of certificate ${domain} by /var/www/acme`,
      'certbot.timer at boot',
      'certbot.timer started',
    ])
      expect(made).toContain(`✓ ${change}`)
    expect(await onHost(`cat ${key}`)).toBe(before)
    expect(await login(pod, 'admin', password)).toHaveProperty('token')
    expect(await login(pod, 'valence-bot', podSecrets.VALENCE_BOT_PASSWORD ?? '')).toHaveProperty('token')
    // The environment file still has the old one.
    expect(await deployed(pod)).toEqual([expect.stringMatching(/: password of Matrix user @admin/)])
  })

  test('a user who was deactivated or lost the rights is given them back', async () => {
    await onHost(
      sql(`UPDATE users SET deactivated = 1, password_hash = NULL WHERE name = '@valence-bot:${domain}';
UPDATE users SET admin = 0, locked = true WHERE name = '@admin:${domain}'`),
    )
    expect(await deployed(pod)).toEqual([
      expect.stringMatching(/Matrix user @admin:\S+ not locked, administrator$/),
      expect.stringMatching(/Matrix user @valence-bot:\S+ active again$/),
    ])
    const { token = '' } = await login(pod, 'admin', podSecrets.SYNAPSE_ADMIN_PASSWORD ?? '')
    expect(await login(pod, 'valence-bot', podSecrets.VALENCE_BOT_PASSWORD ?? '')).toHaveProperty('token')
    const server = await pod.host.exec(
      `curl -sS -H 'Authorization: Bearer ${token}' http://127.0.0.1:8008/_synapse/admin/v2/users/@admin:${domain}`,
    )
    expect(JSON.parse(server.stdout)).toMatchObject({ admin: true, deactivated: false })
  })

  test('a name that leads elsewhere is told before the authority is asked; a lost certificate is got anew', async () => {
    await onHost(
      `mv /etc/letsencrypt /root/letsencrypt; sed -i.kept 's/^10\\.[0-9.]* pod/198.51.100.7 pod/' /etc/hosts`,
    )
    const { message, remedy } = await failedDeploy()
    expect(message).toMatch(/pod\.lab\.example\.org leads to 198\.51\.100\.7, not to this host \(10\.77\./)
    expect(remedy).toMatch(/Set its records to 10\.77\./)
    expect(await onHost('ls /etc/letsencrypt 2>/dev/null || echo absent')).toBe('absent\n')
    await onHost('mv /etc/hosts.kept /etc/hosts')
    const made = await deployed(pod)
    expect(made.join('\n')).toMatch(/certificate for pod\.lab\S+, matrix\.pod\.lab\S+ from lab\.internal/)
    const { served, kept } = await serials()
    expect(served).toBe(kept)
  })

  test('a certificate that is renewed is served without our help', async () => {
    const before = await serials()
    expect(before.served).toBe(before.kept)
    // Its timer would wait up to eight minutes first, so that not all of the world comes at once.
    await onHost('certbot renew --quiet --force-renewal --no-random-sleep-on-renew')
    const { kept } = await serials()
    expect(kept).not.toBe(before.kept)
    await until('the new certificate to be served', 10_000, async () => (await serials()).served === kept || undefined)
    expect(await deployed(pod)).toEqual([])
    // Without the hook nginx would serve the old one on: that follows from its age.
    await onHost(`touch $(readlink -f /etc/letsencrypt/live/${domain}/fullchain.pem)`)
    expect(await deployed(pod)).toEqual(['nginx.site valence: nginx reloaded'])
  })

  test.each([
    [
      'NGINX_EXTRA_CONFIG_FILE',
      'location = /about { return 200 "a pod"; }\nbroken on;\n',
      /nginx does not take it: unknown directive "broken" \(line \d+ of site\/valence\)/,
    ],
    [
      'SYNAPSE_EXTRA_CONFIG_FILE',
      'trusted_key_servers: matrix.org\n',
      /Synapse does not take it: .*trusted_key_servers.* must be a list/,
    ],
  ])('a broken setting of the user in %s is refused, and the old one serves on', async (name, content, says) => {
    const file = join(pod.root, 'extra')
    await writeFile(file, content)
    const pids = await mainPids(pod.host)
    await pod.configure({ [name]: file })
    expect((await failedDeploy()).message).toMatch(says)
    expect(await mainPids(pod.host)).toBe(pids)
    expect((await ask(pod, '/_matrix/client/versions')).status).toBe(200)
    await pod.configure()
    expect(await deployed(pod)).toEqual([])
  })

  test.each([
    ['a wrong value', 'email: none', /Synapse does not take it: .* \(Synapse was left as it is\)/],
    ['no YAML', 'email: [', /nobody knows what \S+mine\.yaml says: not YAML \(line 2\)$/],
  ])('a drop-in of somebody with %s keeps the old one serving', async (_, text, says) => {
    const path = '/etc/matrix-synapse/conf.d/mine.yaml'
    await onHost(`echo '${text}' >${path}`)
    const pids = await mainPids(pod.host)
    expect((await failedDeploy()).message).toMatch(says)
    expect(await mainPids(pod.host)).toBe(pids)
    expect((await ask(pod, '/_matrix/client/versions')).status).toBe(200)
    await onHost(`rm ${path}`)
    expect(await deployed(pod)).toEqual([expect.stringMatching(/matrix-synapse\.service restarted$/)])
  })

  test('sound settings of the user are in force', async () => {
    const files = {
      NGINX_EXTRA_CONFIG_FILE: join(pod.root, 'nginx'),
      SYNAPSE_EXTRA_CONFIG_FILE: join(pod.root, 'synapse'),
    }
    const client = `{"m.homeserver":{"base_url":"https://${domain}"},"org.example":1}`
    await writeFile(
      files.NGINX_EXTRA_CONFIG_FILE,
      `location = /about { return 200 "a pod"; }
ssl_session_timeout 1h;
location /.well-known/matrix/client { default_type application/json; add_header Access-Control-Allow-Origin * always; return 200 '${client}'; }
location /_matrix/client/unstable/org.example { return 200 theirs; }
`,
    )
    await writeFile(files.SYNAPSE_EXTRA_CONFIG_FILE, 'max_upload_size: 60M\n')
    await pod.configure(files)
    expect((await deployed(pod)).map((change) => change.split(': ')[1])).toEqual([
      config,
      'matrix-synapse.service restarted',
      `${sites}/valence`,
      'nginx reloaded',
    ])
    const { token = '' } = await login(pod, 'admin', podSecrets.SYNAPSE_ADMIN_PASSWORD ?? '')
    expect((await ask(pod, '/_matrix/media/v3/config', { token })).text).toContain(String(60 * 1024 * 1024))
    // nginx lets through what Synapse takes, and no more.
    const body = { kept: 'x'.repeat(60 * 1024 * 1024 - 11) }
    expect((await ask(pod, '/_matrix/media/v3/upload', { method: 'POST', token, body })).status).toBe(200)
    expect(await onHost("nginx -T 2>/dev/null | grep -o 'client_max_body_size .*;'")).toBe(
      'client_max_body_size 60M;\n',
    )
    expect((await ask(pod, '/about')).text).toBe('a pod')
    expect((await ask(pod, '/.well-known/matrix/client')).text).toBe(client)
    expect((await ask(pod, '/_matrix/client/unstable/org.example/x')).text).toBe('theirs')
    await pod.configure()
    expect(await deployed(pod)).toHaveLength(4)
  })

  test('another server name is refused, by the files and by the database alone', async () => {
    await pod.configure({ VALENCE_DOMAIN: 'other.lab.example.org' })
    const touched = await written(pod.host, async () => {
      expect((await failedDeploy()).message).toMatch(/the database synapse is that of the Matrix server pod\.lab/)
      await onHost(sql('ALTER TABLE users RENAME TO kept'))
      expect((await failedDeploy()).message).toMatch(/homeserver.yaml says that this is the Matrix server pod\.lab/)
      await onHost(sql('ALTER TABLE kept RENAME TO users'))
    })
    expect(touched).toEqual([])
    await pod.configure()
  })

  test('a signing key that is lost is not replaced by another', async () => {
    await onHost(`mv ${key} /root/key`)
    const touched = await written(pod.host, async () => {
      expect((await failedDeploy()).message).toMatch(
        /the signing key \S+ is gone, but the database synapse holds the server/,
      )
    })
    expect(touched).toEqual([])
    await onHost(`mv /root/key ${key}`)
  })

  test('in the end all is as before', () => expectConverged(pod))
})
