import { gzipSync } from 'node:zlib'
import { nothing } from '@infra/shared/command/command'
import { nginxState } from '@infra/shared/facts/host/nginx'
import { matching } from '@infra/shared/facts/host/nginx-config'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'
import { link, site, sound } from './nginx-sound.ts'

/** What the host answers where nginx has these files. */
function answer(files: Readonly<Record<string, string>>, more = ''): string {
  const dump = Object.entries(files).map(([path, text]) => `# configuration file ${path}:\n${text}\n`)
  const sizes = Object.entries(files).map(([path, text]) => `size ${Buffer.byteLength(text)} ${path}\n`)
  return `version 1.26.3\n${more}${sizes.join('')}dump ${gzipSync(dump.join('')).toString('base64')}\n`
}
const found = (stdout: string) => nginxState([], link).parse({ code: 0, stdout, stderr: '' })
const main = `user www-data;
http {
  include /etc/nginx/mime.types;
  include conf.d/*.conf; # relative
  include /etc/nginx/sites-enabled/*;
}
`

describe('what is found of nginx', () => {
  test('its version, its sites in their order, where they listen', () => {
    const files = {
      '/etc/nginx/nginx.conf': main,
      '/etc/nginx/mime.types': 'types { text/html html; }\n',
      '/etc/nginx/conf.d/own.conf': 'server_names_hash_bucket_size 128;\n',
      '/etc/nginx/sites-enabled/default':
        'server { listen 80 default_server; listen [::]:80 default; server_name _; }\n',
      [link]:
        'server { listen 198.51.100.7; listen [::]:443 ssl http2; server_name pod.example.org matrix.pod.example.org; }\nserver { server_name pod.example.org; listen unix:/run/x; listen 81-82; }',
    }
    expect(found(answer(files, 'ipv6\nstale\nconflict pod.example.org\n'))).toEqual({
      version: '1.26.3',
      ipv6: true,
      stale: true,
      sites: [
        { path: '/etc/nginx/conf.d/own.conf', names: [] },
        { path: '/etc/nginx/sites-enabled/default', names: ['_'] },
        { path: link, names: ['pod.example.org', 'matrix.pod.example.org', 'pod.example.org'] },
      ],
      listens: [
        { path: '/etc/nginx/sites-enabled/default', port: 80, isDefault: true },
        { path: '/etc/nginx/sites-enabled/default', port: 80, isDefault: true },
        { path: link, port: 80, isDefault: false },
        { path: link, port: 443, isDefault: false },
        { path: link, port: 81, isDefault: false },
        { path: link, port: 82, isDefault: false },
      ],
      once: [{ name: 'server_names_hash_bucket_size', path: '/etc/nginx/conf.d/own.conf' }],
      conflicts: ['pod.example.org'],
    })
    expect(nginxState([], link).parse(nothing)).toMatchObject({
      version: '1.24.0',
      ipv6: true,
      stale: false,
      sites: [],
    })
  })

  const old = '/etc/nginx/conf.d/old.conf'
  test.each<[string, string]>([
    ['quoted', `server { listen 80; server_name "pod.example.org" 'old.example.org'; }`],
    [
      'on several lines, with comments',
      `server\n{\n  server_name # ours:\n    pod.example.org # and\n    old.example.org\n  ;\n}`,
    ],
    ['in a file that it includes', 'server { include /etc/nginx/snippets/names.conf; }'],
    [
      'beside a pattern with braces',
      `server { server_name "~^(?<x>[a-z]{2})\\.example\\.org$" pod.example.org old.example.org; }`,
    ],
    ['in capitals', 'server { server_name POD.Example.ORG old.example.org; }'],
    [
      'behind what looks like a comment',
      `server { set $x a#b; add_header X "}; server_name #"; server_name pod.example.org old.example.org; }`,
    ],
    [
      'behind the head of another file',
      `# configuration file /etc/nginx/conf.d/other.conf:\nserver { server_name pod.example.org old.example.org; }`,
    ],
    [
      'behind blocks of Lua and variables in braces',
      'server { content_by_lua_block { if x then f({}) end } set $y ' +
        '$' +
        '{x}z; server_name pod.example.org old.example.org; }',
    ],
  ])('a name is found in whatever shape it is written: %s', (_, text) => {
    const files = {
      '/etc/nginx/nginx.conf': main,
      '/etc/nginx/mime.types': '',
      [old]: text,
      '/etc/nginx/snippets/names.conf': 'server_name pod.example.org old.example.org;\n',
    }
    const nginx = found(answer(files))
    expect(nginx.sites).toMatchObject([
      { path: old, names: expect.arrayContaining([expect.stringMatching(/^pod\.example\.org$/i), 'old.example.org']) },
    ])
    expect(told(site.plan({ ...sound, nginx }, { pending: [] }))).toEqual([
      expect.stringMatching(
        /^! \S+old\.conf claims pod\.example\.org, and put aside it would take .*old\.example\.org/,
      ),
    ])
  })

  test('what its servers say besides: of locations the paths, however they are marked and escaped', () => {
    const text = `server { listen 80; server_name a; root /srv; root /x; location ~* ^(\\/_matrix|\\/x) { deny all; } location = /hello { } }`
    const files = { '/etc/nginx/nginx.conf': main, '/etc/nginx/mime.types': '', [old]: text }
    expect(found(answer(files)).sites).toEqual([
      { path: old, names: ['a'], says: ['root', 'location ^(/_matrix|/x)', 'location /hello'] },
    ])
  })

  test('a server that nginx reads by name, or in nginx.conf, must stay where it is', () => {
    const conf = 'http { include /srv/one.conf; server { server_name pod.example.org; } }\n'
    const files = { '/etc/nginx/nginx.conf': conf, '/srv/one.conf': 'server { server_name one.example.org; }' }
    expect(found(answer(files)).sites).toEqual([
      { path: '/srv/one.conf', names: ['one.example.org'], fixed: true },
      { path: '/etc/nginx/nginx.conf', names: ['pod.example.org'], fixed: true },
    ])
  })

  test('what it does not take, and what is not understood, is told', () => {
    const emerg = 'nginx: [emerg] unknown directive "lsten" in /etc/nginx/conf.d/x.conf:2'
    expect(found(`version 1.26.3\nbroken ${emerg}\n`).broken).toBe(
      'unknown directive "lsten" in /etc/nginx/conf.d/x.conf:2',
    )
    const files = { '/etc/nginx/nginx.conf': 'http {\n  include conf.d/*;\n}\n', [old]: 'server { password "hush\n' }
    expect(found(answer(files)).broken).toBe(`${old} is not understood: a quote that does not end in line 1`)
    expect(found(answer(files).replace(/size \d+ (\S+old)/, 'size 7 $1')).broken).toBe(
      `${old} was changed while it was read`,
    )
  })
})

test.each<[pattern: string, path: string, fits: boolean]>([
  ['/etc/nginx/conf.d/*.conf', '/etc/nginx/conf.d/a.conf', true],
  ['/etc/nginx/conf.d/*.conf', '/etc/nginx/conf.d/.a.conf', false],
  ['/etc/nginx/conf.d/*.conf', '/etc/nginx/conf.d/a/b.conf', false],
  ['/etc/nginx/*/a.conf', '/etc/nginx/x/a.conf', true],
  ['/etc/nginx/a?.conf', '/etc/nginx/ab.conf', true],
  ['/etc/nginx/[!a]*', '/etc/nginx/a', false],
  ['/etc/nginx/[a-c]+', '/etc/nginx/b+', true],
  ['/etc/nginx/a.conf', '/etc/nginx/axconf', false],
])('whether %s means %s: %s', (pattern, path, fits) => {
  expect(matching(pattern, [path])).toEqual(fits ? [path] : [])
})
