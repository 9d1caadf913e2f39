import { revealText } from '@infra/shared/command/command'
import { isSecret } from '@infra/shared/command/secret'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { PodEnv } from '../../../pod/env/env.ts'
import { explainConfig, explainStart, homeserver, settingsBefore, synapseKeys } from '../../../pod/synapse/synapse.ts'
import { httpSite, tlsSite } from '../../../pod/web/nginx-site.ts'
import { loadPod } from '../env/load-pod.ts'
import { podFile } from '../env/place.ts'

const awkward = `it's "4" \\n: #{x} & *y $(id)    and more`

function podEnv(changes: Readonly<Record<string, string>> = {}, files: Readonly<Record<string, string>> = {}): PodEnv {
  const { env, problems } = loadPod({ '.env.pod': podFile(), ...files }, { processEnv: changes })
  if (!env) throw new Error(JSON.stringify(problems))
  return env as PodEnv
}

describe('homeserver.yaml', () => {
  test('is YAML whatever the secrets are, and holds each of them as it is', () => {
    const env = podEnv({ SYNAPSE_FORM_SECRET: awkward })
    const text = homeserver(env)
    expect(parse(revealText(text))).toMatchObject({
      server_name: env.VALENCE_DOMAIN,
      enable_registration: false,
      form_secret: awkward,
      listeners: [
        {
          port: 8008,
          bind_addresses: ['127.0.0.1'],
          x_forwarded: true,
          resources: [{ names: ['client', 'federation'] }],
        },
      ],
      database: {
        name: 'psycopg2',
        args: { user: 'synapse', dbname: 'synapse', host: '/var/run/postgresql', cp_min: 5, cp_max: 10 },
      },
      trusted_key_servers: [{ server_name: 'matrix.org' }],
    })
    expect(text.parts.filter(isSecret)).toHaveLength(3)
    expect(revealText(text)).not.toContain('password')
  })

  test("its name is written as Debian's package would write it", () => {
    const env = podEnv()
    expect(revealText(homeserver(env)).split('\n')).toEqual(
      expect.arrayContaining([`server_name: ${env.VALENCE_DOMAIN}`, 'report_stats: false']),
    )
  })

  test("the user's own settings replace those of the deployment, and no other", () => {
    const extra = '---\nmax_upload_size: 3M # small\nemail:\n  smtp_host: mail.example.org\n'
    const env = podEnv({ SYNAPSE_EXTRA_CONFIG_FILE: './extra.yaml' }, { 'extra.yaml': extra })
    const [plain, own] = [podEnv(), env].map((each) => parse(revealText(homeserver(each))) as Record<string, unknown>)
    expect(own).toEqual({ ...plain, max_upload_size: '3M', email: { smtp_host: 'mail.example.org' } })
    expect(synapseKeys(env)).toEqual([...synapseKeys(podEnv()), 'email'])
  })

  test.each([
    [
      "\nError in configuration at 'rc_message':\n  is not a map\n",
      "Synapse does not take it: Error in configuration at 'rc_message': is not a map",
    ],
    [
      'Traceback (most recent call last):\n  File "x"\nyaml.scanner.ScannerError: mapping values\n',
      'Synapse does not take it: yaml.scanner.ScannerError: mapping values',
    ],
    ['\ntrusted_key_servers must be a list\n', 'Synapse does not take it: trusted_key_servers must be a list'],
    ['', 'Synapse does not take it: see below'],
  ])('what it says of %j', (stderr, says) => {
    expect(explainConfig({ code: 1, stdout: '', stderr })).toBe(says)
  })

  test('what it says when it does not start', () => {
    const stderr =
      'psycopg2.OperationalError: connection to server failed: FATAL: password\n\nSynapse does not answer\n'
    expect(explainStart({ code: 1, stdout: '', stderr })).toBe(
      'Synapse does not start: psycopg2.OperationalError: connection to server failed: FATAL: password',
    )
    const refused = "\nError in configuration at 'email':\n  is not a map\nSynapse was left as it is\n"
    expect(explainStart({ code: 1, stdout: '', stderr: refused })).toBe(
      "Synapse does not take it: Error in configuration at 'email': is not a map (Synapse was left as it is)",
    )
  })
})

describe('the site', () => {
  const env = podEnv()
  const lines = (text: string, word: string) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line.startsWith(word))

  test.each([
    ['1.24.0', ['listen 443 ssl http2;', 'listen 8448 ssl http2;'], []],
    ['1.25.0', ['listen 443 ssl http2;', 'listen 8448 ssl http2;'], []],
    ['1.25.1', ['listen 443 ssl;', 'listen 8448 ssl;'], ['http2 on;']],
    ['1.26.3', ['listen 443 ssl;', 'listen 8448 ssl;'], ['http2 on;']],
    ['2.0.0', ['listen 443 ssl;', 'listen 8448 ssl;'], ['http2 on;']],
  ])('asks nginx %s for HTTP/2 in its own words', (version, listen, http2) => {
    const site = tlsSite(env, { version, ipv6: false, elsewhere: [80, 443, 8448], set: [] })
    expect(lines(site, 'listen')).toEqual(['listen 80;', ...listen])
    expect(lines(site, 'http2')).toEqual(http2)
  })

  test('listens on IPv6 only where the host has it', () => {
    expect(lines(httpSite(env, { version: '1.26.3', ipv6: true, set: [] }), 'listen')).toEqual([
      'listen 80;',
      'listen [::]:80;',
    ])
    expect(httpSite(env, { version: '1.26.3', ipv6: false, set: [] })).not.toContain('[::]')
  })

  test('serves nothing of Synapse before there is TLS, and never its admin API', () => {
    expect(httpSite(env, { version: '1.26.3', ipv6: true, set: [] })).not.toContain('proxy_pass')
    expect(lines(tlsSite(env, { version: '1.26.3', ipv6: true, elsewhere: [], set: [] }), 'location ~')).toEqual([
      'location ~ ^/_matrix/client/[^/]+/(login|register) {',
      'location ~ ^(/_matrix|/_synapse/client) {',
    ])
  })

  test.each<[elsewhere: number[], listen: string[]]>([
    [[], ['listen 80 default_server;', 'listen 443 ssl default_server;', 'listen 8448 ssl default_server;']],
    [[80], ['listen 443 ssl default_server;', 'listen 8448 ssl default_server;']],
    [[443, 8448], ['listen 80 default_server;']],
    [[80, 443, 8448], []],
  ])('refuses other names on the ports where nobody else (%j) answers to them', (elsewhere, listen) => {
    const site = tlsSite(env, { version: '1.26.3', ipv6: false, elsewhere, set: [] })
    expect(lines(site, 'listen').filter((line) => line.includes('default_server'))).toEqual(listen)
  })

  const extra = (nginx: string, yaml = '') =>
    tlsSite(
      podEnv(
        { NGINX_EXTRA_CONFIG_FILE: './extra.conf', SYNAPSE_EXTRA_CONFIG_FILE: './extra.yaml' },
        { 'extra.conf': nginx, 'extra.yaml': yaml },
      ),
      { version: '1.26.3', ipv6: true, elsewhere: [], set: [] },
    )

  test.each([
    ['', '50M'],
    ['max_upload_size: 200M # large', '200M'],
    ['{"max_upload_size": 209715201}', '201M'],
    ['max_upload_size: 1_048_576_0', '13M'],
    ['max_upload_size: 2G', '2048M'],
    ['max_upload_size: 1024K # other servers send more at once than this', '13M'],
    ['max_upload_size: much', '50M'],
  ])('lets through what Synapse takes: %j', (yaml, limit) => {
    expect(lines(extra('', yaml), 'client_max_body_size')).toEqual([`client_max_body_size ${limit};`])
  })

  test.each([
    ['client_max_body_size 200M;', 'client_max_body_size', 1],
    ['"client_max_body_size"\n  200M;', 'client_max_body_size', 0],
    ['ssl_protocols TLSv1.3;', 'ssl_protocols', 1],
    ['location /x { client_max_body_size 1M; }', 'client_max_body_size', 1],
    ['add_header strict-transport-security "max-age=1" always;', 'add_header Strict', 0],
    ['location = /.well-known/matrix/client { return 200 "{}"; }', 'location = /.well-known/matrix/client', 1],
    ['location =/.well-known/matrix/client { return 200 "{}"; }', 'location = /.well-known/matrix/client', 0],
    ['location /.well-known/matrix/ { root /srv; }', 'location = /.well-known/matrix/', 0],
    ['location ~ ^/\\.well-known/matrix/client$ { root /srv; }', 'location = /.well-known/matrix/client', 0],
    ['location /.well-known/ { root /srv; }', 'location = /.well-known/matrix/', 4],
    ['location / { root /srv; }', 'location / {', 2],
    ['location ^~ / { root /srv; }', 'location / {', 1],
    ['location @limited { return 429; }', 'location @limited', 1],
  ])('what the user says of it stands alone: %s', (nginx, word, count) => {
    expect(lines(extra(nginx), word)).toHaveLength(count)
  })

  test('what goes to Synapse is judged as it came, too: nginx passes on what it has not decoded', () => {
    const site = extra('')
    const guarded = /if \(\$request_uri !~ \^\/\(_matrix\|_synapse\/client\)\) \{\s+return 404;\s+\}\s+proxy_pass /g
    expect(lines(site, 'proxy_pass').length).toBeGreaterThan(1)
    expect(site.match(guarded)).toHaveLength(lines(site, 'proxy_pass').length)
  })

  test("a location of the user's below a path of Synapse is not hidden by ours", () => {
    const below = extra('location /_matrix/client/unstable/org.x { proxy_pass http://127.0.0.1:8009; }')
    expect(lines(below, 'location ~')).toEqual([
      'location ~ ^(?!/_matrix/client/unstable/org\\.x)/_matrix/client/[^/]+/(login|register) {',
      'location ~ ^(?!/_matrix/client/unstable/org\\.x)(/_matrix|/_synapse/client) {',
    ])
    const pattern = extra('location ~ ^/_matrix/client/v3/sync$ { proxy_pass http://127.0.0.1:8009; }')
    expect(lines(pattern, 'location ~')[0]).toBe(
      'location ~ ^/_matrix/client/v3/sync$ { proxy_pass http://127.0.0.1:8009; }',
    )
    const images = extra('location ~* \\.png$ { expires 1d; }')
    expect(lines(images, 'location ~').at(-1)).toMatch(/png/)
  })

  test.each<[domain: string, set: string[], says: string[]]>([
    ['pod.example.com', [], []],
    [`${'a'.repeat(34)}.org`, [], []],
    [`${'a'.repeat(36)}.org`, [], ['server_names_hash_bucket_size 128;']],
    [`${'a'.repeat(46)}.org`, [], ['server_names_hash_bucket_size 128;']],
    [`${'a'.repeat(46)}.org`, ['server_names_hash_bucket_size'], []],
    [`${'a'.repeat(60)}.${'b'.repeat(60)}.org`, [], ['server_names_hash_bucket_size 256;']],
  ])('has room for its names beside those of others: %s, set elsewhere: %j', (domain, set, says) => {
    const env = podEnv({ VALENCE_DOMAIN: domain })
    const form = { version: '1.26.3', ipv6: true, elsewhere: [], set }
    for (const site of [tlsSite(env, form), httpSite(env, form)])
      expect(lines(site, 'server_names_hash_bucket_size')).toEqual(says)
  })

  test("the user's own directives stand in the TLS server", () => {
    const own = podEnv(
      { NGINX_EXTRA_CONFIG_FILE: './extra.conf' },
      { 'extra.conf': 'location = /about {\n  return 200;\n}\n' },
    )
    expect(
      tlsSite(own, { version: '1.26.3', ipv6: true, elsewhere: [], set: [] }).endsWith(
        '    # extra.conf\n    location = /about {\n      return 200;\n    }\n}\n',
      ),
    ).toBe(true)
  })
})

test('nothing that the Ansible roles before us wrote into homeserver.yaml is taken for somebody’s own', () => {
  // The names at the top of the template of commit 9c528c1.
  const template = [
    ...['server_name', 'pid_file', 'listeners', 'database', 'log_config', 'media_store_path', 'uploads_path'],
    ...['enable_registration', 'enable_registration_without_verification', 'registration_shared_secret'],
    ...['macaroon_secret_key', 'form_secret', 'signing_key_path', 'trusted_key_servers', 'rc_messages_per_second'],
    ...['rc_message_burst_count', 'suppress_key_server_warning'],
  ]
  const known = [...synapseKeys(podEnv()), ...settingsBefore.needless]
  expect(template.filter((name) => !known.includes(name))).toEqual([])
})
