import { revealText } from '@infra/shared/command/command'
import { isSecret } from '@infra/shared/command/secret'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { PodEnv } from '../../../pod/env/env.ts'
import { explainConfig, explainStart, homeserver, synapseKeys } from '../../../pod/synapse/synapse.ts'
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
    const site = tlsSite(env, { version, ipv6: false, elsewhere: [80, 443, 8448] })
    expect(lines(site, 'listen')).toEqual(['listen 80;', ...listen])
    expect(lines(site, 'http2')).toEqual(http2)
  })

  test('listens on IPv6 only where the host has it', () => {
    expect(lines(httpSite(env, { version: '1.26.3', ipv6: true }), 'listen')).toEqual(['listen 80;', 'listen [::]:80;'])
    expect(httpSite(env, { version: '1.26.3', ipv6: false })).not.toContain('[::]')
  })

  test('serves nothing of Synapse before there is TLS, and never its admin API', () => {
    expect(httpSite(env, { version: '1.26.3', ipv6: true })).not.toContain('proxy_pass')
    expect(lines(tlsSite(env, { version: '1.26.3', ipv6: true, elsewhere: [] }), 'location ~')).toEqual([
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
    const site = tlsSite(env, { version: '1.26.3', ipv6: false, elsewhere })
    expect(lines(site, 'listen').filter((line) => line.includes('default_server'))).toEqual(listen)
  })

  test("the user's own directives stand in the TLS server", () => {
    const own = podEnv(
      { NGINX_EXTRA_CONFIG_FILE: './extra.conf' },
      { 'extra.conf': 'location = /about {\n  return 200;\n}\n' },
    )
    expect(
      tlsSite(own, { version: '1.26.3', ipv6: true, elsewhere: [] }).endsWith(
        '    # extra.conf\n    location = /about {\n      return 200;\n    }\n}\n',
      ),
    ).toBe(true)
  })
})
