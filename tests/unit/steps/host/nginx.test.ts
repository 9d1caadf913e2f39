import { digestText, nothing, plainText } from '@infra/shared/command/command'
import { nginxState } from '@infra/shared/facts/host/nginx'
import { nginxSite } from '@infra/shared/steps/host/nginx'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const path = '/etc/nginx/sites-available/pod'
const options = { names: ['pod.example.org'], certificate: 'pod.example.org', content: () => 'server {}\n' }
const site = nginxSite(blank('new'), 'pod', options)
const before = nginxSite(blank('new'), 'pod', { ...options, bootstrap: true })
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
    ['a site of other names', beside('/etc/nginx/sites-enabled/blog', 'blog.example.org'), ['= TLS, pod.example.org']],
  ])('%s', (_, now, desired) => {
    expect(told(site.plan({ ...sound, ...now }, { pending: [] }))).toEqual(desired)
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
    expect(plan({ site: null, certificate: null })).toEqual([`+ ${path}`, '~ nginx reloaded'])
    expect(plan({ certificate: null })).toEqual(['= HTTP'])
  })

  test('what the first site will do is not planned twice', () => {
    const fresh = { ...sound, site: null, enabled: undefined, unit: { ...sound.unit, active: 'inactive', enabled: '' } }
    expect(told(site.plan(fresh, { pending: [before.id] }))).toEqual([`~ ${path}`, '~ nginx reloaded'])
  })

  test('where the certificate was lost, it is known that this site comes back after the first one', () => {
    expect(told(site.plan({ ...sound, certificate: null }, { pending: [before.id] }))).toEqual([
      `~ ${path}`,
      '~ nginx reloaded',
    ])
  })
})

test('what is found of nginx', () => {
  const { parse } = nginxState()
  const stdout = `version 1.26.3
ipv6
site /etc/nginx/sites-enabled/default _
site ${link} pod.example.org matrix.pod.example.org pod.example.org
file /etc/nginx/nginx.conf
file /etc/nginx/sites-enabled/default
listen 80 default_server
listen [::]:80 default
listen 198.51.100.7
listen [::]:443 ssl http2
stale
`
  expect(parse({ code: 0, stdout, stderr: '' })).toEqual({
    version: '1.26.3',
    ipv6: true,
    stale: true,
    sites: [
      { path: '/etc/nginx/sites-enabled/default', names: ['_'] },
      { path: link, names: ['pod.example.org', 'matrix.pod.example.org', 'pod.example.org'] },
    ],
    listens: [
      { port: 80, isDefault: true },
      { port: 80, isDefault: true },
      { port: 80, isDefault: false },
      { port: 443, isDefault: false },
    ].map((listen) => ({ path: '/etc/nginx/sites-enabled/default', ...listen })),
  })
  expect(parse(nothing)).toEqual({ version: '1.24.0', ipv6: true, stale: false, sites: [], listens: [] })
})
