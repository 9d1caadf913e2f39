import { sh } from '@infra/shared/command/sh'
import type { Question } from '@infra/shared/engine/step'
import type { PodEnv } from '../env/env.ts'
import { user } from '../valence/valence.ts'

/** Where sudo's rules for user valence lie: read before the drop-ins of others, whose rules win over these. */
export const sudoRules = '/etc/sudoers.d/00-valence'

/**
 * The commands that user valence may run by sudo, with these arguments and no others: none takes a file, an option or a
 * pattern of the caller's. Those that only look start no other program, so sudo lets them start none (NOEXEC): neither a
 * pager nor their editor gives a shell. sudo compares the arguments as one line, without the quotes of a shell.
 */
export const sudoLooks = [
  '/usr/bin/systemctl status postgresql matrix-synapse vkb nginx',
  '/usr/bin/journalctl -u vkb -f',
  '/usr/bin/journalctl -u matrix-synapse -f',
  '/usr/bin/journalctl -u matrix-synapse',
  '/usr/bin/journalctl -u certbot',
  '/usr/bin/journalctl --since 10 minutes ago',
] as const

/** It has to start iptables; it reads nothing from its caller and knows no pager. */
const firewall = '/usr/sbin/ufw status'

/** As itself, which gives it nothing that it has not. */
const database = '/usr/bin/psql -h localhost -d valence'

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The file of sudo's rules for user valence (sudoers(5)): of all rules that match, the last counts. */
export function sudoersOf(rights: PodEnv['VALENCE_SUDO']): string {
  const narrowed = [`Defaults:${user} env_reset, !setenv, use_pty, secure_path="${path}"`, `${user} ALL=(ALL:ALL) !ALL`]
  return `${[
    '# Written by each deployment: VALENCE_SUDO says what it holds.',
    `Cmnd_Alias VALENCE_LOOKS = ${sudoLooks.join(', \\\n    ')}`,
    'Defaults!VALENCE_LOOKS noexec',
    ...(rights === 'full' ? [] : narrowed),
    `${user} ALL=(root:root) NOPASSWD: NOEXEC: NOSETENV: VALENCE_LOOKS`,
    `${user} ALL=(root:root) NOPASSWD: NOSETENV: ${firewall}`,
    `${user} ALL=(${user}) NOPASSWD: NOSETENV: ${database}`,
  ].join('\n')}\n`
}

/** What sudo lets user valence run beyond that, by `sudo -l`: whoever gave it, by whichever file or group. */
export const sudoBeyond: Question<readonly string[]> = {
  command: sh`COLUMNS=4000 sudo -n -l -U ${user}`,
  parse({ code, stdout, stderr }) {
    if (code !== 0) throw new Error(stderr.trim().split('\n').at(-1) ?? `exit code ${code}`)
    const [, rules = ''] = stdout.split(/may run the following commands on .*:\n/)
    const entries = rules
      .replace(/\n {5,}/g, ' ')
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
    const counted = entries.slice(entries.lastIndexOf('(ALL : ALL) !ALL') + 1)
    return counted.flatMap((entry) => beyond(entry))
  },
}

/** The commands of one line of `sudo -l` that are not among those above. */
function beyond(entry: string): string[] {
  const [, as = '', commands = ''] = entry.match(/^\(([^)]*)\) (?:[A-Z_]+: )*(.*)$/) ?? []
  const known: readonly string[] = as === user ? [database] : as === 'root : root' ? [...sudoLooks, firewall] : []
  const more = commands.split(', ').filter((command) => !known.includes(command))
  return more.map((command) => `${command} (as ${as})`)
}
