import { excerpt } from '@infra/shared/command/secret'
import { sh } from '@infra/shared/command/sh'
import { askOf } from '@infra/shared/engine/ask'
import { type Check, check, type Finding, fail, ok, warn } from '@infra/shared/engine/check'
import { fileDigest } from '@infra/shared/facts/host/file'
import {
  availableMemory,
  clockSynchronised,
  clockTime,
  type FileSystem,
  failedUnits,
  fileSystems,
  type LoggedErrors,
  loggedErrors,
} from '@infra/shared/facts/host/health'
import { undoRestore } from '../backup/unfinished-restore.ts'
import type { PodContext } from '../context.ts'
import { errorLines, readSince, troubling } from '../host/log-errors.ts'
import { home } from '../valence/valence.ts'

/** What a deployment fills, sooner or later. */
const paths = ['/', '/tmp', '/var/lib/postgresql', '/var/lib/matrix-synapse', '/var/log', home]
const services = ['postgresql*', 'matrix-synapse*', 'nginx*', 'fail2ban*', 'vkb*', 'certbot*']
/** Minutes of the logs that are looked at. */
const lately = 60

/** How the host itself is. */
export const systemChecks = ({ host }: PodContext): readonly Check[] => [
  check(host, {
    id: 'system.disk',
    about: 'there is room on the disk',
    remedy: 'On the host: sudo du -xhd2 / | sort -h | tail; sudo journalctl --vacuum-size=200M; sudo apt-get clean',
    ask: { disks: fileSystems(paths) },
    judge: ({ disks }) => judgeDisks(disks),
  }),
  check(host, {
    id: 'system.memory',
    about: 'there is memory left',
    remedy: 'On the host: ps aux --sort=-rss | head; a droplet with more memory: see the runbook.',
    ask: { mb: availableMemory },
    judge: ({ mb }) => judgeMemory(mb),
  }),
  {
    id: 'system.clock',
    about: 'the clock is right',
    remedy: 'On the host: timedatectl; sudo systemctl enable --now systemd-timesyncd',
    asked: { on: host, ask: { synchronised: clockSynchronised } },
    // By itself: with all others its answer would be as old as the slowest of them makes it.
    probe: async () => {
      const { time } = await askOf(host, { time: clockTime })
      const off = time - Date.now() / 1000
      return ({ synchronised }) => judgeClock(synchronised as boolean, off)
    },
  },
  check(host, {
    id: 'system.units',
    about: 'no service has failed',
    remedy: 'On the host: systemctl --failed; journalctl -u UNIT; when it is mended: sudo systemctl reset-failed',
    severity: 'warn',
    ask: { failed: failedUnits },
    judge: ({ failed }) => (failed.length > 0 ? fail(failed.join(', ')) : ok('none')),
  }),
  check(host, {
    id: 'system.restore',
    about: 'no restore was cut short',
    remedy: `It gives back what was there, on the host, as root: bash ${undoRestore}`,
    ask: { left: fileDigest(undoRestore) },
    judge: ({ left }) => (left ? fail('files and database may not be of one time') : ok('none')),
  }),
  check(host, {
    id: 'system.journal',
    about: `our services logged no error within ${lately} minutes`,
    remedy: 'npm run logs -w pod -- all --since "1 hour ago"',
    severity: 'warn',
    ask: { errors: loggedErrors(sh`${readSince(`${lately} minutes ago`)}; ${errorLines(troubling, services)}`) },
    judge: ({ errors }) => judgeJournal(errors),
  }),
]

/** Room on the fullest file system, by bytes or by inodes: below 80 % is well, below 90 % a warning. */
export function judgeDisks(disks: readonly FileSystem[]): Finding {
  const fullest = Math.max(...disks.map(({ used, inodes }) => Math.max(used, inodes ?? 0)))
  const said = disks
    .map(({ mount, used, inodes }) => `${mount} ${used} %${(inodes ?? 0) > used ? ` (inodes ${inodes} %)` : ''}`)
    .join(', ')
  if (fullest >= 90) return fail(said)
  return fullest >= 80 ? warn(said) : ok(said)
}

/** Available memory: above 500 MB is well, above 200 MB a warning. */
export function judgeMemory(mb: number): Finding {
  if (mb <= 200) return fail(`${mb} MB`)
  return mb <= 500 ? warn(`${mb} MB`) : ok(`${mb} MB`)
}

/** Seconds between our clock and the host's that the way there and back cannot explain. */
const skew = 120

/** Certificates and Matrix's signatures need the right time. `off` is how many seconds the host is before us. */
export function judgeClock(synchronised: boolean, off: number): Finding {
  const seconds = Math.round(Math.abs(off))
  if (seconds > skew) return fail(`${seconds} s ${off > 0 ? 'before' : 'behind'} ours`)
  return synchronised ? ok('synchronised') : warn('as ours, but nothing keeps it so: not synchronised')
}

function judgeJournal({ count, last }: LoggedErrors): Finding {
  return count > 0 ? fail(`${count}, the last: ${excerpt(last ?? '', 200)}`) : ok('none')
}
