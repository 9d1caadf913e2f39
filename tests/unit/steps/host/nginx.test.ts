import { gzipSync } from 'node:zlib'
import { digestText, nothing, plainText } from '@infra/shared/command/command'
import { nginxState } from '@infra/shared/facts/host/nginx'
import { matching } from '@infra/shared/facts/host/nginx-config'
import { certificateStep } from '@infra/shared/steps/host/certificate'
import { nginxSite } from '@infra/shared/steps/host/nginx'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const path = '/etc/nginx/sites-available/pod'
const options = { names: ['pod.example.org'], certificate: 'pod.example.org', content: () => 'server {}\n' }
const site = nginxSite(blank('new'), 'pod', options)
const before = nginxSite(blank('new'), 'pod', { ...options, bootstrap: () => 'server { listen 80; }\n' })
const file = {
  type: 'file',
  mode: '0644',
  owner: 'root',
  group: 'root',
  content: 'server {}\n',
  sha256: digestText(plainText('server {}\n')),
}
const link = '/etc/nginx/sites-enabled/pod'
const sound = {
  nginx: {
    version: '1.26.3',
    ipv6: true,
    stale: false,
    sites: [{ path: link, names: ['pod.example.org'] }],
    listens: [],
    once: [],
    conflicts: [],
  },
  site: file,
  enabled: path,
  unit: { exists: true, active: 'active', enabled: 'enabled', since: 1, outdated: false },
  certificate: { names: ['pod.example.org'] },
}
const beside = (path: string, ...names: string[]) => ({ nginx: { ...sound.nginx, sites: [{ path, names }] } })

describe('nginxSite', () => {
  test.each<[string, object, string[]]>([
    ['as desired', {}, ['= TLS, pod.example.org']],
    ['older than its files', { nginx: { ...sound.nginx, stale: true } }, ['~ nginx reloaded']],
    ['another content', { site: { ...file, content: '', sha256: 'aa' } }, [`~ ${path}`, '~ nginx reloaded']],
    ['writable by others', { site: { ...file, mode: '0666' } }, [`~ ${path}`, '~ nginx reloaded']],
    ['too large to be read, but as desired', { site: { ...file, content: undefined } }, ['= TLS, pod.example.org']],
    ['not enabled', { enabled: undefined }, ['+ site pod enabled', '~ nginx reloaded']],
    [
      'another in its place',
      { enabled: '/etc/nginx/sites-available/maintenance' },
      ['+ site pod enabled, not /etc/nginx/sites-available/maintenance in its place', '~ nginx reloaded'],
    ],
    ['stopped', { unit: { ...sound.unit, active: 'inactive' } }, ['+ nginx started']],
    ['not at boot', { unit: { ...sound.unit, enabled: 'disabled' } }, ['+ nginx at boot']],
    ['masked', { unit: { ...sound.unit, enabled: 'masked' } }, ['! nginx.service is masked']],
    [
      "Debian's default site",
      beside('/etc/nginx/sites-enabled/default', '_'),
      ['- site /etc/nginx/sites-enabled/default', '~ nginx reloaded'],
    ],
    [
      'another site of this name',
      beside('/etc/nginx/conf.d/x.conf', '_', 'Pod.example.org', '""'),
      ['- site /etc/nginx/conf.d/x.conf', '~ nginx reloaded'],
    ],
    [
      'a file of this name and of others, such as certbot mends for both',
      beside('/etc/nginx/conf.d/x.conf', 'Pod.example.org', 'shop.example.com', 'pod.example.org', 'WWW.example.com'),
      [
        '! /etc/nginx/conf.d/x.conf claims pod.example.org, and put aside it would take shop.example.com, www.example.com down',
      ],
    ],
    [
      'a file of this name and of a pattern beside it',
      beside('/etc/nginx/sites-enabled/all', 'pod.example.org', '*.example.org'),
      ['! /etc/nginx/sites-enabled/all claims pod.example.org, and put aside it would take *.example.org down'],
    ],
    [
      'a file of this name and all below it, written as one',
      beside('/etc/nginx/sites-enabled/all', '.pod.example.org'),
      ['! /etc/nginx/sites-enabled/all claims pod.example.org, and put aside it would take *.pod.example.org down'],
    ],
    [
      'another name and all below it',
      beside('/etc/nginx/sites-enabled/all', '.example.org'),
      ['= TLS, pod.example.org'],
    ],
    ['a pattern alone', beside('/etc/nginx/sites-enabled/all', '*.example.org'), ['= TLS, pod.example.org']],
    [
      "Debian's default site that was made the site of another name",
      beside('/etc/nginx/sites-enabled/default', '_', 'blog.example.org'),
      ['= TLS, pod.example.org'],
    ],
    [
      'the same, of this name too',
      beside('/etc/nginx/sites-enabled/default', '_', 'blog.example.org', 'pod.example.org'),
      ['! /etc/nginx/sites-enabled/default claims pod.example.org, and put aside it would take blog.example.org down'],
    ],
    [
      'this name in a file that nginx reads by its name',
      { nginx: { ...sound.nginx, sites: [{ path: '/etc/nginx/mine.conf', names: ['pod.example.org'], fixed: true }] } },
      ['! /etc/nginx/mine.conf claims pod.example.org, and nginx reads it by its name'],
    ],
    [
      'a configuration that nginx does not take',
      { nginx: { ...sound.nginx, broken: 'unknown directive "lsten" in /etc/nginx/conf.d/x.conf:2' } },
      ['! the configuration of nginx cannot be read: unknown directive "lsten" in /etc/nginx/conf.d/x.conf:2'],
    ],
    ['a site of other names', beside('/etc/nginx/sites-enabled/blog', 'blog.example.org'), ['= TLS, pod.example.org']],
  ])('%s', (_, now, desired) => {
    expect(told(site.plan({ ...sound, ...now }, { pending: [] }))).toEqual(desired)
  })

  test("what somebody else's site says, and goes with it, is told with the way to keep it", () => {
    const old = '/etc/nginx/sites-enabled/old'
    const says = ['location /hello', 'location ^(/_matrix|/x)', 'ssl_protocols', 'client_max_body_size']
    const nginx = {
      ...sound.nginx,
      sites: [
        { path: old, names: ['pod.example.org'], says },
        { path: '/etc/nginx/sites-enabled/default', names: ['_'], says: ['root'] },
        { path: '/etc/nginx/sites-enabled/blog', names: ['blog.example.org'], says: ['root'] },
      ],
    }
    const content = () => 'server { ssl_protocols TLSv1.3; location ~ ^(/_matrix|/x) { return 404; } }\n'
    const own = nginxSite(blank('new'), 'pod', { ...options, content, keptBy: 'EXTRA' })
    expect(own.plan({ ...sound, nginx }, { pending: [] })).toMatchObject({
      notes: [
        `${old} says location /hello, client_max_body_size, which goes with it; to keep it, write it into the file of EXTRA`,
      ],
    })
  })

  test.each<[string, { path: string; names: string[]; isDefault: boolean }, number[]]>([
    ['the default of others', { path: '/etc/nginx/conf.d/a.conf', names: ['a.example.org'], isDefault: true }, [443]],
    ['a site of others without a name', { path: '/etc/nginx/conf.d/a.conf', names: ['_'], isDefault: false }, [443]],
    ['a site of another name', { path: '/etc/nginx/conf.d/a.conf', names: ['a.example.org'], isDefault: false }, []],
    ['its own', { path: link, names: ['pod.example.org'], isDefault: true }, []],
    ["Debian's own, which goes", { path: '/etc/nginx/sites-enabled/default', names: ['_'], isDefault: true }, []],
  ])('%s answers to names that no site has: %j', (_, { path, names, isDefault }, elsewhere) => {
    const forms: unknown[] = []
    const content = (form: unknown) => {
      forms.push(form)
      return ''
    }
    const nginx = { ...sound.nginx, sites: [{ path, names }], listens: [{ path, port: 443, isDefault }] }
    nginxSite(blank('new'), 'pod', { ...options, content }).plan({ ...sound, nginx }, { pending: [] })
    expect(forms).toEqual([expect.objectContaining({ elsewhere })])
  })

  test('files of other names as well are told all at once, with what to do', () => {
    const sites = [
      { path: '/etc/nginx/conf.d/a.conf', names: ['pod.example.org', 'a.example.org'] },
      { path: '/etc/nginx/conf.d/b.conf', names: ['pod.example.org', 'b.example.org'] },
    ]
    expect(site.plan({ ...sound, nginx: { ...sound.nginx, sites } }, { pending: [] })).toEqual({
      kind: 'refused',
      reason: expect.stringMatching(
        /^\S+a\.conf claims .* a\.example\.org down; \S+b\.conf claims .* b\.example\.org down$/,
      ),
      remedy: expect.stringMatching(
        /^Take pod\.example\.org out of \S+a\.conf, or move .*\nTake pod\.example\.org out of /,
      ),
    })
  })

  test('the site before the certificate is wanted until there is one', () => {
    const plan = (now: object) => told(before.plan({ ...sound, ...now }, { pending: [] }))
    expect(plan({ site: null })).toEqual(['= there is a certificate'])
    const first = '+ site pod by HTTP, until there is a certificate'
    expect(plan({ site: null, certificate: null })).toEqual([first, '~ nginx reloaded'])
    const http = 'server { listen 80; }\n'
    const first80 = { ...file, content: http, sha256: digestText(plainText(http)) }
    expect(plan({ certificate: null, site: first80 })).toEqual(['= HTTP'])
  })

  test("where somebody else's site serves the certificate, this one comes before the next is asked for: it proves all names", () => {
    const now = {
      ...sound,
      ...beside('/etc/nginx/sites-enabled/old', 'pod.example.org'),
      site: null,
      enabled: undefined,
    }
    const all = [`+ ${path}`, '- site /etc/nginx/sites-enabled/old', '+ site pod enabled', '~ nginx reloaded']
    expect(told(before.plan(now, { pending: [] }))).toEqual(all)
    expect(told(site.plan(now, { pending: [before.id] }))).toEqual(['= TLS, pod.example.org'])
    const asked = [before.id, certificateStep('pod.example.org')]
    expect(told(site.plan(now, { pending: asked }))).toEqual(['~ nginx reloaded'])
  })

  test('what the first site will do is not planned twice', () => {
    const fresh = {
      ...sound,
      site: null,
      enabled: undefined,
      certificate: null,
      unit: { ...sound.unit, active: 'inactive', enabled: '' },
    }
    expect(told(site.plan(fresh, { pending: [before.id] }))).toEqual([`~ ${path}`, '~ nginx reloaded'])
  })

  test('where the certificate was lost, it is known that this site comes back after the first one', () => {
    expect(told(site.plan({ ...sound, certificate: null }, { pending: [before.id] }))).toEqual([
      `~ ${path}`,
      '~ nginx reloaded',
    ])
  })
})

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
