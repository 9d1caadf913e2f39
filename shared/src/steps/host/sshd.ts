import { createHash } from 'node:crypto'
import { type Command, plainText } from '../../command/command.ts'
import { raw, sh } from '../../command/sh.ts'
import {
  type Change,
  changes,
  create,
  type Dependency,
  type Facts,
  refuse,
  remove,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { fileContent } from '../../facts/host/file.ts'
import {
  type SshdLine,
  type SshdSettings,
  sshdConfig,
  sshdFolder,
  sshdLines,
  sshdSettings,
  sshdTouched,
} from '../../facts/host/sshd.ts'
import { revertArmed, unitState } from '../../facts/host/systemd.ts'
import { authorizedKeys } from '../../facts/host/user.ts'
import { diffOf, writeFile } from './file.ts'
import { confirmed, confirming, restoring } from './revert.ts'

export interface SshdOptions {
  /** The drop-in's name. It must sort before those of others: for each setting sshd takes the first that it reads. */
  dropIn: string
  /** By keyword, as sshd_config(5) writes them. */
  settings: Readonly<Record<string, string>>
  /** For whom the settings must hold, whatever Match blocks there are. */
  users: readonly string[]
  /** Who we log in as: one key at least must let this user in before anything is closed. */
  login: string
  dependsOn?: readonly Dependency[]
}

// Sessions survive a restart (KillMode=process). Where a socket starts sshd, one that does not run has nothing to do.
// A listener that systemd lost sight of has the port: the unit would fail to start, and take away the /run/sshd that the
// listener needs, so it must go first. systemd refuses the sixth start within ten seconds, a revert's as well, and then
// there is no sshd: it is made to forget the others.
const restart = raw(
  `systemctl reset-failed ssh.service 2>/dev/null
if systemctl is-active --quiet ssh.service; then systemctl restart ssh.service
elif ! systemctl is-active --quiet ssh.socket; then
if pkill -f '^sshd: .*[[]listener[]]'; then sleep 1; fi; systemctl start ssh.service; fi`,
)

/**
 * sshd's settings by a drop-in that sorts first, true by `sshd -T`, in force in the daemon that runs. A line of another
 * file that overrides it is commented out. Each change is confirmed over a fresh connection or reverted.
 */
export function sshd(on: Target, options: SshdOptions): Step {
  const path = `${sshdFolder}/${options.dropIn}`
  const content = `# For each setting sshd takes the first value that it reads, and reads this file first.\n${Object.entries(
    options.settings,
  )
    .map(([keyword, value]) => `${keyword} ${value}\n`)
    .join('')}`
  return step({
    id: 'sshd',
    on,
    dependsOn: options.dependsOn ?? [],
    ask: {
      dropIn: fileContent(path),
      lines: sshdLines,
      effective: sshdSettings(options.users, Object.keys(options.settings)),
      service: unitState('ssh.service'),
      socket: unitState('ssh.socket'),
      touched: sshdTouched,
      armed: revertArmed('sshd'),
      keys: authorizedKeys(options.login),
    },
    plan(now, { pending }) {
      const { lines, effective, service, socket, touched, armed, keys } = now
      if (lines && !service.exists)
        return refuse(
          'this host has no ssh.service',
          'Install openssh-server: only OpenSSH as Debian and Ubuntu package it is known.',
        )
      const login = effective?.[options.login] ?? effective?.[options.users[0] ?? '']
      if (lines && pending.length === 0 && keys?.lines.length === 0 && !hasOtherKeys(login))
        return refuse(
          `no key would let ${options.login} in once passwords are off`,
          `Put a public key into ~${options.login}/.ssh/authorized_keys, then run again.`,
        )
      const { save, guard } = restoring({
        name: 'sshd',
        paths: [sshdConfig, sshdFolder],
        digest: digestOf(lines),
        effect: restart,
      })
      const guarded = (...edit: readonly Command[]) => [[save, ...edit, raw('sshd -t'), restart], { guard }] as const
      const list: Change[] = []
      for (const line of overriding(lines ?? [], path, options.settings)) {
        const say = `sshd: ${line.keyword} ${line.value}${line.match ? ` for ${line.match}` : ''} in ${line.path}:${line.number}`
        list.push(remove(say, ...guarded(commentedOut(line))))
      }
      // After those: it moves every line of the file by one.
      if (lines && !hasInclude(lines))
        list.push(
          update(
            `${sshdConfig} reads its drop-ins`,
            ...guarded(sh`sed -i ${`1i Include ${sshdFolder}/*.conf`} ${sshdConfig}`),
          ),
        )
      if (now.dropIn?.content !== content || now.dropIn.mode !== '0644' || now.dropIn.owner !== 'root') {
        const text = plainText(content)
        const write = writeFile(path, text, { mode: '0644', owner: 'root', group: 'root' })
        const [run, { guard }] = guarded(write)
        list.push(
          (now.dropIn ? update : create)(path, run, { guard, risk: 'restart', diff: diffOf(path, now.dropIn, text) }),
        )
      }
      if (list.length === 0) {
        const wrong = differing(effective, options.settings)
        if (wrong && lines)
          return refuse(`sshd would still have ${wrong}`, `Look for it: grep -rin '${wrong.split(' ')[0]}' /etc/ssh`)
        if (service.active === 'active' ? (touched ?? 0) > (service.since ?? 0) : lines && socket.active !== 'active')
          list.push(
            update('sshd restarted', [raw('sshd -t'), restart], {
              risk: 'restart',
              guard: confirming('sshd', restart),
            }),
          )
      }
      // Not `enable`: a new alias (sshd.service) of a unit that runs makes systemd 257 lose sight of the process.
      if (lines && service.enabled !== 'enabled' && socket.enabled !== 'enabled')
        list.push(create('sshd at boot', sh`systemctl add-wants --quiet multi-user.target ssh.service`))
      if (armed && !list.some(({ guard }) => guard))
        list.push(
          update('sshd change of an interrupted run confirmed', confirmed, {
            guard: confirming('sshd', sh`rm -f ${path}; ${restart}`),
          }),
        )
      return changes(
        list,
        Object.entries(options.settings)
          .map((pair) => pair.join(' '))
          .join(', '),
      )
    },
  })
}

/** The line is found by its number, and must still be the one that was read: another one may close a Match block. */
const commentedOut = ({ path, number, text }: SshdLine) =>
  sh`[ "$(sed -n ${`${number}p`} ${path})" = ${text} ] || { echo ${`${path}:${number} is another line by now`} >&2; false; } && sed -i ${`${number}s/^/#/`} ${path}`

/** Whether a user may come in by other keys than those of ~/.ssh/authorized_keys. */
function hasOtherKeys(settings: SshdSettings | undefined): boolean {
  const [files = '.ssh/authorized_keys'] = settings?.authorizedkeysfile ?? []
  const isSet = (keyword: string) => ![undefined, 'none'].includes(settings?.[keyword]?.[0])
  return (
    isSet('authorizedkeyscommand') ||
    isSet('trustedusercakeys') ||
    files.split(' ').some((file) => !/^(%h\/)?\.ssh\/authorized_keys2?$/.test(file))
  )
}

const hasInclude = (lines: readonly SshdLine[]) =>
  lines.some(
    ({ path, keyword, value, match }) =>
      path === sshdConfig &&
      keyword === 'include' &&
      match === undefined &&
      value.split(/\s+/).includes(`${sshdFolder}/*.conf`),
  )

/** The lines of other files that win over the drop-in at `path`: read before it, or in a Match block. */
export function overriding(
  lines: readonly SshdLine[],
  path: string,
  settings: Readonly<Record<string, string>>,
): SshdLine[] {
  const wish = new Map(Object.entries(settings).map(([keyword, value]) => [keyword.toLowerCase(), value]))
  const include = lines.find((line) => line.path === sshdConfig && line.keyword === 'include')?.number ?? 0
  return lines.filter((line) => {
    const value = wish.get(line.keyword)
    if (value === undefined || line.path === path || same(line.value, value)) return false
    const isFirst = line.path === sshdConfig ? line.number < include : line.path < path
    return isFirst || line.match !== undefined
  })
}

const same = (one: string, other: string) => normal(one) === normal(other)
const normal = (value: string) => value.toLowerCase().replace('without-password', 'prohibit-password')

/** The first setting that does not hold, in sshd's words: `passwordauthentication yes for root`. */
export function differing(
  effective: Readonly<Record<string, SshdSettings>> | null,
  settings: Readonly<Record<string, string>>,
): string | undefined {
  for (const [user, found] of Object.entries(effective ?? {})) {
    for (const [keyword, value] of Object.entries(settings)) {
      const is = found[keyword.toLowerCase()]?.[0] ?? 'no value'
      if (!same(is, value)) return `${keyword.toLowerCase()} ${is} for ${user}`
    }
  }
  return undefined
}

const digestOf = (lines: Facts<{ lines: typeof sshdLines }>['lines']) =>
  createHash('sha256').update(JSON.stringify(lines)).digest('hex').slice(0, 12)
