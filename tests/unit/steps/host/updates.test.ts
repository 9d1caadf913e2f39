import { nothing } from '@infra/shared/command/command'
import { pendingUpdates } from '@infra/shared/facts/host/updates'
import { upgradesFrom } from '@infra/shared/steps/host/unattended-upgrades'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { told } from '../told.ts'

const stdout = `Reading package lists...
Inst bash [5.2.15-2+b8] (5.2.15-2+b13 Debian:12.15/oldstable [amd64])
Inst libgcrypt20 [1.10.1-3] (1.10.1-3+deb12u1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64])
Inst matrix-synapse-py3 [1.160.0+bookworm1] (1.163.2+bookworm1 matrix.org:bookworm [amd64])
Inst postgresql-16 [16.10-1.pgdg12+1] (16.11-1.pgdg12+1 apt.postgresql.org:bookworm-pgdg [amd64]) []
Inst libpq5 [17.6-1.pgdg12+1] (18.1-1 Debian:12.15/oldstable [amd64])
Conf bash (5.2.15-2+b13 Debian:12.15/oldstable [amd64])
bash:
  Installed: 5.2.15-2+b8
  Candidate: 5.2.15-2+b13
  Version table:
     5.2.15-2+b13 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
 *** 5.2.15-2+b8 100
        100 /var/lib/dpkg/status
matrix-synapse-py3:
  Installed: 1.160.0+bookworm1
  Candidate: 1.163.2+bookworm1
  Version table:
     1.163.2+bookworm1 500
        500 https://packages.matrix.org/debian bookworm/main amd64 Packages
 *** 1.160.0+bookworm1 500
        500 https://packages.matrix.org/debian bookworm/main amd64 Packages
        100 /var/lib/dpkg/status
postgresql-16:
  Installed: 16.10-1.pgdg12+1
  Candidate: 16.11-1.pgdg12+1
  Version table:
     16.11-1.pgdg12+1 500
        500 http://apt.postgresql.org/pub/repos/apt bookworm-pgdg/main amd64 Packages
 *** 16.10-1.pgdg12+1 100
        100 /var/lib/dpkg/status
libpq5:
  Installed: 17.6-1.pgdg12+1
  Candidate: 18.1-1
  Version table:
     18.1-1 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
 *** 17.6-1.pgdg12+1 500
        500 http://apt.postgresql.org/pub/repos/apt bookworm-pgdg/main amd64 Packages
        100 /var/lib/dpkg/status
`

describe('the updates that wait', () => {
  test.each<[string[], string[]]>([
    [[], ['libgcrypt20']],
    [['packages.matrix.org'], ['libgcrypt20', 'matrix-synapse-py3']],
    [
      ['packages.matrix.org', 'apt.postgresql.org'],
      ['libgcrypt20', 'matrix-synapse-py3', 'postgresql-16'],
    ],
    [['matrix.org'], ['libgcrypt20']],
  ])('security, and of the sites %j', (sites, names) => {
    expect(pendingUpdates(sites).parse({ code: 0, stdout, stderr: '' })).toEqual(names)
  })

  test('none on a blank host; none is told while apt cannot tell', () => {
    expect(pendingUpdates([]).parse(nothing)).toEqual([])
    expect(() => pendingUpdates([]).parse({ code: 100, stdout: '', stderr: 'E: broken\n' })).toThrow('E: broken')
  })
})

describe('updates from a site', () => {
  const site = 'packages.matrix.org'
  const path = '/etc/apt/apt.conf.d/52unattended-upgrades-packages-matrix-org'
  test.each<[string, boolean, string[], string[]]>([
    ['a source there', true, [], [`+ ${path}`]],
    ['a source that is about to be there', false, ['apt.source matrix-org'], [`+ ${path}`]],
    ['no source there', false, [], ['= no source of the host is there']],
  ])('%s', (_, used, pending, desired) => {
    expect(told(upgradesFrom(blank('a new host'), site).plan({ used, now: null }, { pending }))).toEqual(desired)
  })
})
