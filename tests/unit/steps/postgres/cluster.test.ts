import { nothing } from '@infra/shared/command/command'
import { type Cluster, clusters, runningPort } from '@infra/shared/facts/postgres/cluster'
import { postgresCluster } from '@infra/shared/steps/postgres/cluster'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

test('pg_lsclusters', () => {
  const stdout =
    '15 main 5432 online postgres /var/lib/postgresql/15/main /var/log/postgresql/postgresql-15-main.log\n17 main 5433 down   postgres /var/lib/postgresql/17/main /var/log/postgresql/postgresql-17-main.log\n'
  expect(clusters.parse({ code: 0, stdout, stderr: '' })).toEqual([
    { version: '15', name: 'main', port: 5432, status: 'online' },
    { version: '17', name: 'main', port: 5433, status: 'down' },
  ])
  expect(clusters.parse({ code: 0, stdout: '', stderr: '' })).toEqual([])
  expect(clusters.parse(nothing)).toEqual([])
})

test('postmaster.pid', () => {
  expect(runningPort(17, 'main').parse({ code: 0, stdout: '5432\n', stderr: '' })).toBe(5432)
  expect(runningPort(17, 'main').parse({ code: 2, stdout: '', stderr: '' })).toBeUndefined()
})

describe('cluster 17/main', () => {
  const step = postgresCluster(blank('a new host'), 17)
  const own: Cluster = { version: '17', name: 'main', port: 5432, status: 'online' }
  const start = { type: 'file', mode: '0644', owner: 'postgres', group: 'postgres', sha256: '', content: 'auto\n' }
  const good = {
    found: [own],
    server: { exists: true, active: 'active', enabled: 'enabled-runtime', since: 0 },
    all: { exists: true, active: 'active', enabled: 'enabled', since: 0 },
    start,
    running: 5432,
  }
  const unit = 'postgresql@17-main'
  test.each([
    ['as it shall be', {}, ['= online, starts at boot']],
    ['absent', { found: [], start: null, running: undefined }, ['+ cluster 17/main']],
    ['down', { found: [{ ...own, status: 'down' }], running: undefined }, [`+ ${unit} started`]],
    ['failed', { server: { ...good.server, active: 'failed' } }, [`+ ${unit} started`]],
    ['masked', { server: { ...good.server, enabled: 'masked' } }, [`! ${unit} is masked`]],
    ['started by hand only', { start: { ...start, content: '# auto\nmanual\n' } }, ['~ cluster 17/main at boot']],
    ['disabled', { all: { ...good.all, enabled: 'disabled' } }, ['~ postgresql.service at boot']],
    [
      'at another port',
      { found: [{ ...own, port: 5433 }], running: 5433 },
      ['~ port of cluster 17/main 5433 → 5432', `~ ${unit} restarted`],
    ],
    ['not restarted since its port was set', { running: 5433 }, [`~ ${unit} restarted`]],
    [
      'beside another that holds the port',
      {
        found: [
          { ...own, version: '16' },
          { ...own, port: 5433 },
        ],
      },
      ['! cluster 16/main holds port 5432: a new cluster 17/main would leave its data behind'],
    ],
    [
      'beside another at another port',
      { found: [{ ...own, version: '16', port: 5433 }, own] },
      ['= online, starts at boot'],
    ],
  ])('%s', (_, now, desired) => {
    expect(told(step.plan({ ...good, ...now }, { pending: [] }))).toEqual(desired)
  })
})
