import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nginxState } from '@infra/shared/facts/host/nginx'
import { nginxSite } from '@infra/shared/steps/host/nginx'
import { blank } from '@infra/shared/targets/blank'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

/** A folder of programs: a script each. */
function programs(scripts: Readonly<Record<string, string>>): string {
  const folder = tempFolder()
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  return folder
}
const run = (line: string, folder: string) =>
  spawnSync('sh', ['-c', line], { encoding: 'utf8', env: { PATH: `${folder}:/usr/bin:/bin` } })
const ignored = (name: string) =>
  `echo 'nginx: [warn] conflicting server name "${name}" on 0.0.0.0:80, ignored' >&2; exit 0`

test.each([
  [
    'pod.example.org',
    1,
    'nginx would ignore one of two servers: conflicting server name "pod.example.org" on 0.0.0.0:80',
  ],
  ['shop.example.org', 0, undefined],
])('two servers named %s end with %i', (name, status, says) => {
  const site = nginxSite(blank('new'), 'pod', {
    ...{ names: ['www.pod.example.org', 'pod.example.org'], certificate: 'pod.example.org', content: () => '' },
  })
  const unit = { exists: true, active: 'inactive', enabled: 'enabled', since: 1, outdated: false }
  const nginx = { version: '1.26.3', ipv6: true, stale: false, sites: [], listens: [], once: [], conflicts: [] }
  const now = { nginx, site: null, enabled: '/etc/nginx/sites-available/pod', unit, certificate: { names: [] } }
  const decision = site.plan(now, { pending: [] })
  const started = decision.kind === 'changes' ? decision.changes.find(({ say }) => say === 'nginx started') : undefined
  const { stdout, stderr, ...ran } = run(
    started?.run[0]?.line ?? '',
    programs({ nginx: ignored(name), systemctl: 'exit 0' }),
  )
  expect([ran.status, started?.explain?.({ code: 1, stdout, stderr })]).toEqual([status, says])
})

test('what nginx prints is taken apart on the host, and told where it prints nothing', () => {
  const { command, parse } = nginxState([], '/etc/nginx/sites-enabled/pod')
  const file = join(tempFolder(), 'nginx.conf')
  const text = 'http { server { server_name "pod.example.org"; } }\n# é\n'
  writeFileSync(file, text)
  const sound = `case $1 in -v) echo 'nginx version: nginx/1.26.3' >&2 ;; -t) ${ignored('a.org')} ;; -T) printf '# configuration file ${file}:\\n'; cat ${file}; echo ;; esac`
  const systemctl = 'echo 0'
  const read = (nginx: string) => {
    const { status, stdout, stderr } = run(command.line, programs({ nginx, systemctl, unshare: 'exit 1' }))
    return parse({ code: status ?? 1, stdout, stderr })
  }
  expect(read(sound)).toMatchObject({
    version: '1.26.3',
    sites: [{ path: file, names: ['pod.example.org'], fixed: true }],
    conflicts: ['a.org'],
  })
  const broken = `case $1 in -t) echo 'nginx: [emerg] unknown directive "x" in ${file}:1' >&2; exit 1 ;; esac`
  expect(read(broken).broken).toBe(`unknown directive "x" in ${file}:1`)
})
