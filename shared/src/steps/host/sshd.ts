import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { type Command, plainText } from '../../command/command.ts'
import { raw, type Shell, sh } from '../../command/sh.ts'
import {
  type Change,
  changes,
  create,
  type Decision,
  type Dependency,
  type Facts,
  noting,
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
  sshdRescued,
  sshdSettings,
  sshdTouched,
} from '../../facts/host/sshd.ts'
import { sshdEntrance } from '../../facts/host/sshd-entrance.ts'
import { revertArmed, unitState } from '../../facts/host/systemd.ts'
import { authorizedKeys } from '../../facts/host/user.ts'
import { diffOf, writeFile } from './file.ts'
import { confirmed, confirming, escaping, restoring } from './revert.ts'
import { type Denial, denialOf } from './sshd-entrance.ts'
import { type Rescue, rescueAtBoot, rescueSshd, restartSshd } from './sshd-restart.ts'
import { holds } from './sshd-strict.ts'

export interface SshdOptions {
  /** The drop-in's name. It must sort before those of others: for each setting sshd takes the first that it reads. */
  dropIn: string
  /** By keyword, as sshd_config(5) writes them. */
  settings: Readonly<Record<string, string>>
  /** For whom the settings must hold, whatever Match blocks there are. */
  users: readonly string[]
  /** Whom sshd must let in by a key: where its files would not, the plan is refused. */
  entering?: readonly string[]
  /** Who we log in as: one key at least must let this user in before anything is closed. */
  login: string
  dependsOn?: readonly Dependency[]
}

interface Desired {
  readonly options: SshdOptions
  readonly path: string
}

const questions = ({ options: { login, users, settings }, path }: Desired) => ({
  dropIn: fileContent(path),
  lines: sshdLines,
  effective: sshdSettings(users, Object.keys(settings)),
  entrance: sshdEntrance([...new Set([login, ...users])]),
  service: unitState('ssh.service'),
  socket: unitState('ssh.socket'),
  touched: sshdTouched,
  rescued: sshdRescued,
  armed: revertArmed('sshd'),
  keys: authorizedKeys(login),
})

type Now = Facts<ReturnType<typeof questions>>

/**
 * sshd's settings by a drop-in that sorts first, true by `sshd -T`, in force in the daemon that runs. A line of another
 * file that overrides it is commented out. What a restart would put in force is judged first: where our login would not
 * get in, the plan is refused. Each change is confirmed over a fresh connection or reverted.
 */
export function sshd(on: Target, options: SshdOptions): Step {
  const desired: Desired = { options, path: `${sshdFolder}/${options.dropIn}` }
  return step({
    id: 'sshd',
    on,
    dependsOn: options.dependsOn ?? [],
    ask: questions(desired),
    plan(now, { pending }) {
      const refusal = refusalWithoutKeys(desired, now, pending)
      if (refusal) return refusal
      const settings = keptSettings(desired, now)
      const list = editsOf(desired, now, settings)
      const wrong = list.length === 0 && now.lines && differing(now.effective, options.settings)
      if (wrong)
        return refuse(`sshd would still have ${wrong}`, `Look for it: grep -rin '${wrong.split(' ')[0]}' /etc/ssh`)
      if (list.length === 0 && !isInForce(now)) {
        const rescue = rescueOf(desired, now)
        const guard = escaping('sshd', rescueSshd(rescue), rescueAtBoot(rescue))
        list.push(update('sshd restarted', [raw('sshd -t'), restartSshd], { risk: 'restart', guard }))
      }
      const denials = denialsOf(settings, now, pending)
      const [denial] = [...(list.length > 0 ? [options.login] : []), ...(options.entering ?? [])].flatMap(
        (user) => denials.get(user) ?? [],
      )
      if (denial) return refuse(denial.reason, denial.remedy)
      list.push(...changesAtBoot(now))
      if (now.armed && !list.some(({ guard }) => guard)) {
        const guard = confirming('sshd')
        list.push(update('sshd change of an interrupted run confirmed', confirmed, { guard }))
      }
      const because = Object.entries(settings).map((pair) => pair.join(' '))
      return noting(
        changes(list, because.join(', ')),
        list.length > 0 ? [...denials.values()].map(({ reason }) => reason) : [],
      )
    },
  })
}

/** The settings as the drop-in shall have them: what another file says for all is kept where it is stricter. */
function keptSettings({ options, path }: Desired, { lines }: Now): Readonly<Record<string, string>> {
  const kept = Object.entries(options.settings).map(([keyword, value]): [string, string] => {
    const word = keyword.toLowerCase()
    const other = lines?.find((line) => line.keyword === word && line.match === undefined && line.path !== path)
    return [keyword, other && holds(word, other.value, value) ? other.value : value]
  })
  return Object.fromEntries(kept)
}

function refusalWithoutKeys(
  { options: { login, users } }: Desired,
  { lines, service, keys, effective }: Now,
  pending: readonly string[],
): Decision | undefined {
  if (lines && !service.exists)
    return refuse(
      'this host has no ssh.service',
      'Install openssh-server: only OpenSSH as Debian and Ubuntu package it is known.',
    )
  const settings = effective?.[login] ?? effective?.[users[0] ?? '']
  if (lines && pending.length === 0 && keys?.lines.length === 0 && !hasOtherKeys(settings))
    return refuse(
      `no key would let ${login} in once passwords are off`,
      `Put a public key into ~${login}/.ssh/authorized_keys, then run again.`,
    )
  return undefined
}

/** Who of our users sshd would not let in after a restart, and why. */
function denialsOf(
  settings: Readonly<Record<string, string>>,
  now: Now,
  pending: readonly string[],
): Map<string, Denial> {
  const { entrance, lines, socket } = now
  if (!entrance || !lines) return new Map()
  const judged = Object.keys(entrance.users).map((user) => {
    const login = { user, entrance, settings, lines, socket: socket.active === 'active' }
    // An earlier step makes the user, or gives it its groups.
    return [user, denialOf({ ...login, groups: !pending.includes(`user ${user}`) })] as const
  })
  return new Map(judged.filter((entry): entry is [string, Denial] => entry[1] !== undefined))
}

/** Whether the daemon that runs, or the one that its socket would start, has what the files say. */
const isInForce = ({ lines, service, socket, touched, rescued }: Now): boolean =>
  !rescued &&
  (service.active === 'active' ? (touched ?? 0) <= (service.since ?? 0) : lines === null || socket.active === 'active')

const rescueOf = ({ options: { login, users } }: Desired, { entrance }: Now): Rescue => ({
  users: [login, ...users],
  port: entrance?.connection?.port ?? 22,
})

/** What changes sshd's files; each change restarts sshd. */
function editsOf(desired: Desired, now: Now, settings: Readonly<Record<string, string>>): Change[] {
  const { path, options } = desired
  const lines = now.lines ?? []
  const content = `# For each setting sshd takes the first value that it reads, and reads this file first.\n${Object.entries(
    settings,
  )
    .map((pair) => `${pair.join(' ')}\n`)
    .join('')}`
  const elsewhere = lines.map((line) => line.path).filter((one) => one !== sshdConfig && !isDropIn(one))
  const { save, guard } = restoring({
    name: 'sshd',
    paths: [sshdConfig, sshdFolder, ...new Set(elsewhere)],
    digest: digestOf(now.lines),
    ...effectsOf(desired, now),
  })
  const guarded = (...edit: readonly Command[]) => [[save, ...edit, raw('sshd -t'), restartSshd], { guard }] as const
  const list: Change[] = overriding(lines, path, options.settings).map((line) => {
    const where = `${line.match ? ` for ${line.match}` : ''} in ${line.path}:${line.number}`
    return remove(`sshd: ${line.keyword} ${line.value}${where}`, ...guarded(commentedOut(line)))
  })
  // After those: it moves every line of the file by one.
  if (now.lines && !hasInclude(lines)) {
    const include = sh`sed -i ${`1i Include ${sshdFolder}/*.conf`} ${sshdConfig}`
    list.push(update(`${sshdConfig} reads its drop-ins`, ...guarded(include)))
  }
  if (now.dropIn?.content !== content || now.dropIn.mode !== '0644' || now.dropIn.owner !== 'root') {
    const text = plainText(content)
    const [run, options] = guarded(writeFile(path, text, { mode: '0644', owner: 'root', group: 'root' }))
    const diff = diffOf(path, now.dropIn, text)
    list.push((now.dropIn ? update : create)(path, run, { ...options, risk: 'restart', diff }))
  }
  return list
}

/**
 * After the files were put back. What sshd had not read before is not a way back. Passwords that were on before the first
 * deployment stay off: nobody needs them to come back by a key.
 */
function effectsOf(desired: Desired, now: Now): { effect: Shell; effectAtBoot: Shell } {
  const isClosed = now.dropIn !== null || hasInclude(now.lines ?? [])
  const rescue = rescueOf(desired, now)
  const [effect, effectAtBoot] =
    isInForce(now) && isClosed ? [restartSshd, raw(':')] : [rescueSshd(rescue), rescueAtBoot(rescue)]
  if (now.dropIn) return { effect, effectAtBoot }
  const closed = Object.entries(desired.options.settings).filter(
    ([keyword, value]) => /^(Password|KbdInteractive)Authentication$/.test(keyword) && value === 'no',
  )
  const close = sh`printf ${'%s\\n'} ${closed.map((pair) => pair.join(' '))} >${desired.path}`
  return { effect: sh`${close}; ${effect}`, effectAtBoot: sh`${close}; ${effectAtBoot}` }
}

// Not `enable`: a new alias (sshd.service) of a unit that runs makes systemd 257 lose sight of the process.
function changesAtBoot({ lines, service, socket }: Now): Change[] {
  if (!lines || service.enabled === 'enabled' || socket.enabled === 'enabled') return []
  return [create('sshd at boot', sh`systemctl add-wants --quiet multi-user.target ssh.service`)]
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

const isDropIn = (path: string) => path.startsWith(`${sshdFolder}/`)

/** Whether a line has sshd read the drop-ins: relative to /etc/ssh, or in full. */
const includesDropIns = ({ path, keyword, value, match }: SshdLine) =>
  path === sshdConfig &&
  keyword === 'include' &&
  match === undefined &&
  value.split(' ').some((word) => [`${sshdFolder}/*.conf`, `${sshdFolder}/*`].includes(posix.resolve('/etc/ssh', word)))

const hasInclude = (lines: readonly SshdLine[]) => lines.some(includesDropIns)

/** The lines of other files that win over the drop-in at `path`: read before it, or in a Match block. */
export function overriding(
  lines: readonly SshdLine[],
  path: string,
  settings: Readonly<Record<string, string>>,
): SshdLine[] {
  const desired = new Map(Object.entries(settings).map(([keyword, value]) => [keyword.toLowerCase(), value]))
  const include = lines.findIndex(includesDropIns)
  return lines.filter((line, index) => {
    const value = desired.get(line.keyword)
    if (value === undefined || line.path === path || holds(line.keyword, line.value, value)) return false
    const isFirst = index < include || (isDropIn(line.from) && line.from < path)
    return isFirst || line.match !== undefined
  })
}

/** The first setting that does not hold, in sshd's words: `passwordauthentication yes for root`. */
export function differing(
  effective: Readonly<Record<string, SshdSettings>> | null,
  settings: Readonly<Record<string, string>>,
): string | undefined {
  for (const [user, found] of Object.entries(effective ?? {})) {
    for (const [keyword, value] of Object.entries(settings)) {
      const is = found[keyword.toLowerCase()]?.[0] ?? 'no value'
      if (!holds(keyword.toLowerCase(), is, value)) return `${keyword.toLowerCase()} ${is} for ${user}`
    }
  }
  return undefined
}

const digestOf = (lines: Now['lines']) => createHash('sha256').update(JSON.stringify(lines)).digest('hex').slice(0, 12)
