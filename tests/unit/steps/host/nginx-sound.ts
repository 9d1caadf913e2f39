import { digestText, plainText } from '@infra/shared/command/command'
import { nginxSite } from '@infra/shared/steps/host/nginx'
import { blank } from '@infra/shared/targets/blank'

/** Where the site of these tests is written. */
export const path = '/etc/nginx/sites-available/pod'
/** What it is of. */
export const options = { names: ['pod.example.org'], certificate: 'pod.example.org', content: () => 'server {}\n' }
/** Its step. */
export const site = nginxSite(blank('new'), 'pod', options)
/** Its file, as it shall be. */
export const file = {
  type: 'file',
  mode: '0644',
  owner: 'root',
  group: 'root',
  content: 'server {}\n',
  sha256: digestText(plainText('server {}\n')),
}
/** What enables it. */
export const link = '/etc/nginx/sites-enabled/pod'
/** What is found where all of that is in place. */
export const sound = {
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
