import { digestText, plainText } from '@infra/shared/command/command'
import { certificateStep } from '@infra/shared/steps/host/certificate'
import { nginxSite } from '@infra/shared/steps/host/nginx'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'
import { file, link, options, path, site, sound } from './nginx-sound.ts'

const before = nginxSite(blank('new'), 'pod', { ...options, bootstrap: () => 'server { listen 80; }\n' })
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
