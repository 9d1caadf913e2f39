import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { plainText } from '@infra/shared/command/command'
import { raw } from '@infra/shared/command/sh'
import type { Question } from '@infra/shared/engine/step'
import { installedPackages } from '@infra/shared/facts/host/apt'
import { certificateState } from '@infra/shared/facts/host/certificate'
import { ownAddresses, resolved } from '@infra/shared/facts/host/dns'
import { jailSettings } from '@infra/shared/facts/host/fail2ban'
import { fileContent, fileDigest } from '@infra/shared/facts/host/file'
import { gitState } from '@infra/shared/facts/host/git'
import { availableMemory, failedUnits, fileSystems } from '@infra/shared/facts/host/health'
import { listeningAddresses } from '@infra/shared/facts/host/listening'
import { nginxState } from '@infra/shared/facts/host/nginx'
import { operatingSystem } from '@infra/shared/facts/host/os'
import { sshdLines, sshdPorts, sshdSettings, sshdTouched } from '@infra/shared/facts/host/sshd'
import { sshdEntrance } from '@infra/shared/facts/host/sshd-entrance'
import { unitState } from '@infra/shared/facts/host/systemd'
import { timezoneState } from '@infra/shared/facts/host/timezone'
import { ufwConfig, ufwLoaded } from '@infra/shared/facts/host/ufw'
import { pendingUpdates, periodicUpdates } from '@infra/shared/facts/host/updates'
import { authorizedKeys, userState } from '@infra/shared/facts/host/user'
import { accessState, databaseState, roleState, serverState } from '@infra/shared/facts/postgres/postgres'
import { changedSettings, configFiles } from '@infra/shared/facts/synapse/config'
import { matrixUsers } from '@infra/shared/facts/synapse/matrix-users'
import { signingKeys } from '@infra/shared/facts/synapse/synapse'
import { expect, test } from 'vitest'
import { damages } from '../../support/damage.ts'
import { randomBy } from '../../support/shuffle.ts'

const recorded = (name: string) => readFileSync(join(import.meta.dirname, 'recorded', name), 'utf8')
const server = { serverName: 'pod.example.org', database: 'd', role: 'r', venv: '/v' }

/** Each question with what a host answers to it. */
const questions: readonly (readonly [name: string, question: Question<unknown>, answer: string])[] = [
  ['dpkg-query', installedPackages(['a']), 'a ii  1.2-3\nb un  \n'],
  [
    'systemctl show',
    unitState('x.service'),
    'LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nInactiveExitTimestamp=Sun 2026-11-22 01:34:00.123456 UTC\nNeedDaemonReload=no\n',
  ],
  ['ufw', ufwConfig, recorded('ufw-config.txt')],
  ['iptables', ufwLoaded, recorded('ufw-loaded.txt')],
  ['psql: server', serverState, recorded('postgres-17.txt')],
  ['psql: role', roleState('valence'), recorded('postgres-17.txt')],
  ['psql: database', databaseState('valence'), recorded('postgres-17.txt')],
  ['psql: access', accessState, recorded('postgres-17.txt')],
  [
    'openssl x509',
    certificateState('pod.example.org'),
    'notBefore=Nov 24 14:47:19 2026 GMT\nnotAfter=Feb 22 14:47:18 2027 GMT\nserial=5A\nissuer=CN = x\nX509v3 Subject Alternative Name: \n    DNS:pod.example.org, DNS:b\ndue\nrenewal\nversion = 2\n',
  ],
  ['ip', ownAddresses, 'own 10.0.0.5\nown 2001:db8::1\n'],
  ['getent', resolved(['a'], { chain: '/c', near: raw('false') }), 'name a 203.0.113.10 ::1\nown 10.0.0.5\n'],
  ['fail2ban-client', jailSettings('sshd', ['maxretry', 'bantime']), 'fail2ban> 3\nfail2ban> 600\nfail2ban> \n'],
  ['stat', fileContent('/f'), '644|root|root|8|regular file\n0a  -\ncontent\n'],
  ['sha256sum', fileDigest('/f'), '644|root|root|8|regular file\n0a  -\n'],
  [
    'git',
    gitState('/r', { user: 'valence', url: 'https://x/y', ref: 'v1' } as never),
    'kind clone\nhead 0a\ndesired 0b\nurl https://x/y\nmodified a b\n',
  ],
  ['df', fileSystems(['/']), '/ 66% 1%\n/tmp 0% -\n'],
  ['free', availableMemory, 'MemFree: 1 kB\nMemAvailable:   19364000 kB\n'],
  ['systemctl list-units', failedUnits, 'x.service loaded failed failed X\n'],
  ['ss', listeningAddresses(8008), 'LISTEN 0 50 127.0.0.1:8008 0.0.0.0:*\n'],
  ['os-release', operatingSystem, 'ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian 13"\n'],
  ['readlink', timezoneState('UTC'), 'known\nEtc/UTC\n/usr/share/zoneinfo/UTC\n'],
  ['apt-config', periodicUpdates, 'APT::Periodic::Enable "1";\n'],
  [
    'apt-get -s',
    pendingUpdates(['x']),
    'Inst a [1] (2 x)\na:\n  Installed: 1\n  Candidate: 2\n  Version table:\n     2 500\n',
  ],
  [
    'getent passwd',
    userState('valence'),
    'valence:x:1000:1000::/home/valence:/bin/bash\nvalence sudo\nvalence L 2026 0\nvalence\n',
  ],
  [
    'authorized_keys',
    authorizedKeys('valence'),
    '700|valence|directory\n600|valence|regular file\nssh-ed25519 AAAA x\n',
  ],
  ['nginx', nginxState([], '/l'), 'version 1.26.3\nipv6\nstale\nconflict a\nsize 3 /etc/nginx/nginx.conf\ndump H4sI\n'],
  ['the files of sshd', sshdLines, recorded('sshd-lines.txt')],
  ['sshd -T', sshdSettings(['root'], ['PermitRootLogin']), 'user root\npermitrootlogin without-password\n'],
  ['sshd -T: ports', sshdPorts, 'port 22\nport 2222\n'],
  [
    'sshd -T: a login',
    sshdEntrance(['root']),
    'user root\ngroups root\nport 22\nallowusers a\nconnection 10.0.0.1 5 10.0.0.2 22\nhost 10.0.0.1\n',
  ],
  ['stat: sshd', sshdTouched, '1700000000.123456\n'],
  ['YAML', configFiles, '{"path": "/a", "keys": ["x"], "empty": [], "values": {"server_name": "a"}, "by": "other"}\n'],
  ['YAML: changes', changedSettings(plainText('')), '{"name": "a", "path": "/a", "before": "x", "after": "y"}\n'],
  ['YAML: keys', signingKeys('/k'), '/k|640|root|synapse\nsound\n0a\n'],
  [
    'the users of Synapse',
    matrixUsers(server, []),
    '[{"admin": true, "deactivated": false, "locked": false, "password": true}, null]\n',
  ],
]

test.each(questions)(
  'a damaged answer of %s is read, or refused in plain words without what it held',
  (_, question, answer) => {
    const damaged = damages(randomBy(20261130))
    // Undamaged it tells something.
    expect(() => question.parse({ code: 0, stdout: answer, stderr: '' })).not.toThrow()
    const lines = answer.split('\n')
    for (let times = 0; times < Math.min(1000, 2_000_000 / answer.length); times += 1) {
      const at = times % lines.length
      const secret = times % 2 === 0 ? answer : [...lines.slice(0, at), 'hunter2', ...lines.slice(at)].join('\n')
      const stdout = damaged(secret, ' \n"{}[]|:=,-#0aé\u0000')
      try {
        question.parse({ code: 0, stdout, stderr: '' })
      } catch (error) {
        const { message } = error as Error
        expect([stdout.slice(0, 500), Object.getPrototypeOf(error) === Error.prototype, message]).toEqual([
          stdout.slice(0, 500),
          true,
          expect.stringMatching(/^(?!.*hunter2)\S.{10,200}$/),
        ])
      }
    }
  },
)
