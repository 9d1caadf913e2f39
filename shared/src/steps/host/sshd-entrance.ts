import { BlockList, isIP } from 'node:net'
import type { SshdLine, SshdSettings } from '../../facts/host/sshd.ts'
import type { SshdConnection, SshdEntrance } from '../../facts/host/sshd-entrance.ts'

/** Why sshd would not let a user in, and what can be done about it. */
export interface Denial {
  readonly reason: string
  readonly remedy: string
}

export interface Judged {
  readonly user: string
  readonly entrance: SshdEntrance
  /** What the step is about to set, by keyword: in force whatever the files say before. */
  readonly settings: Readonly<Record<string, string>>
  /** The lines of sshd's files, to tell where a setting stands. */
  readonly lines: readonly SshdLine[]
  /** Whether a socket of systemd listens: then sshd's own ports are of no account. */
  readonly socket: boolean
  /** Whether the user's groups are those that it will have. */
  readonly groups: boolean
}

interface Login {
  readonly user: string
  readonly connection: SshdConnection | null
  readonly found: SshdSettings
}

/** `values` are the setting's own, as sshd has them. */
interface Finding {
  readonly keywords: readonly string[]
  readonly values: readonly string[]
  readonly why: string
  readonly remedy: string
}

/**
 * Whether sshd, once it is started with these files, would let a user in by a key, over a connection like the one that
 * asked: undefined when it would, as far as its settings tell. The order is that of sshd's own checks (sshd_config(5)).
 */
export function denialOf({ user, entrance, settings, lines, socket, groups }: Judged): Denial | undefined {
  const own = Object.entries(settings).map(([keyword, value]) => [keyword.toLowerCase(), [value]] as const)
  const found = { ...entrance.users[user], ...Object.fromEntries(own) }
  const login: Login = { user, connection: entrance.connection, found }
  const byGroup = groups ? [deniedGroup, allowedGroup] : []
  const checks = [...(socket ? [] : [listening]), deniedUser, allowedUser, ...byGroup, publicKey, methods, rootLogin]
  for (const check of checks) {
    const finding = check(login)
    if (!finding) continue
    const { why, remedy } = finding
    return { reason: `${user} would not get in once sshd is restarted: ${why}${tellPlaces(finding, lines)}`, remedy }
  }
  return undefined
}

/** ` (AllowUsers chris in /etc/ssh/sshd_config.d/50-mine.conf:1)`; the bare values where no file is known to hold them. */
function tellPlaces({ keywords, values }: Finding, lines: readonly SshdLine[]): string {
  const held = new Set(wordsOf(values).map((word) => word.toLowerCase()))
  const places = lines.filter(
    ({ keyword, value }) => keywords.includes(keyword) && wordsOf([value]).some((word) => held.has(word.toLowerCase())),
  )
  if (places.length === 0) return ` (${keywords[0]} ${values.join(' ')})`
  const told = places.map(({ path, number, text, match }) => {
    const setting = text.trim().replace(/\s+#.*$/, '')
    return `${setting}${match === undefined ? '' : ` for ${match}`} in ${path}:${number}`
  })
  return ` (${told.join(', ')})`
}

const wordsOf = (values: readonly string[] | undefined): string[] =>
  (values ?? []).flatMap((value) => value.split(/\s+/)).filter(Boolean)

function listening({ connection, found }: Login): Finding | undefined {
  const listens = found.listenaddress ?? []
  if (connection === null || listens.length === 0) return undefined
  const { to, port } = connection
  const wildcard = isIP(to) === 6 ? '[::]' : '0.0.0.0'
  const here = isIP(to) === 6 ? `[${to}]` : to
  if ([wildcard, here].some((address) => listens.includes(`${address}:${port}`))) return undefined
  const hasPort = listens.some((listen) => listen.endsWith(`:${port}`))
  const keywords = hasPort ? ['listenaddress', 'addressfamily'] : ['port', 'listenaddress']
  const values = hasPort ? listens : (found.port ?? [])
  return {
    keywords,
    values,
    why: `sshd would no longer listen on ${hasPort ? `${here}, ` : ''}port ${port}, through which this run came`,
    remedy: hasPort
      ? `Let sshd listen on ${here} too (ListenAddress ${here}), then run again.`
      : `Write "Port ${port}" beside it, then run again: sshd listens on both ports and the firewall opens both. To move to the other port, set VALENCE_SSH_PORT to it after that, deploy, and take "Port ${port}" away.`,
  }
}

function deniedUser({ user, connection, found }: Login): Finding | undefined {
  const values = wordsOf(found.denyusers)
  const by = values.filter((pattern) => matchesUser(pattern, user, connection) === true)
  if (by.length === 0) return undefined
  const remedy = `Take ${by.join(' ')} out of DenyUsers, then run again.`
  return { keywords: ['denyusers'], values: by, why: 'DenyUsers denies it', remedy }
}

function allowedUser({ user, connection, found }: Login): Finding | undefined {
  const values = wordsOf(found.allowusers)
  if (values.length === 0 || values.some((pattern) => matchesUser(pattern, user, connection) !== false))
    return undefined
  const remedy = `Add ${user} to AllowUsers, or take that line away, then run again.`
  return { keywords: ['allowusers'], values, why: 'AllowUsers does not allow it', remedy }
}

const inGroup = (values: readonly string[], { found }: Login) =>
  values.filter((pattern) => wordsOf(found.groups).some((group) => matches(pattern, group)))

function deniedGroup(login: Login): Finding | undefined {
  const values = inGroup(wordsOf(login.found.denygroups), login)
  if (values.length === 0) return undefined
  const remedy = `Take ${values.join(' ')} out of DenyGroups, or ${login.user} out of the group, then run again.`
  return { keywords: ['denygroups'], values, why: 'DenyGroups denies a group of it', remedy }
}

function allowedGroup(login: Login): Finding | undefined {
  const values = wordsOf(login.found.allowgroups)
  if (values.length === 0 || inGroup(values, login).length > 0) return undefined
  const remedy = `Add a group of ${login.user} to AllowGroups (${login.found.groups?.join(' ')}), or take that line away, then run again.`
  return { keywords: ['allowgroups'], values, why: 'AllowGroups allows no group of it', remedy }
}

function publicKey({ found }: Login): Finding | undefined {
  const values = wordsOf(found.pubkeyauthentication)
  if (values[0] !== 'no') return undefined
  const remedy = 'Set PubkeyAuthentication to yes, then run again: a deployment logs in by a key.'
  return { keywords: ['pubkeyauthentication'], values, why: 'keys would not be accepted', remedy }
}

// What asks nobody anything. A key alone is what a deployment has; a host or a ticket may do as well.
const alone = /^(any|publickey|hostbased|gssapi-with-mic)$/

function methods({ found }: Login): Finding | undefined {
  const values = wordsOf(found.authenticationmethods)
  if (values.length === 0 || values.some((list) => alone.test(list))) return undefined
  const remedy =
    'Add "publickey" as a list of its own to AuthenticationMethods, for this user at least, then run again.'
  return { keywords: ['authenticationmethods'], values, why: 'AuthenticationMethods wants more than a key', remedy }
}

function rootLogin({ user, found }: Login): Finding | undefined {
  const values = wordsOf(found.permitrootlogin)
  if (user !== 'root' || !['no', 'forced-commands-only'].includes(values[0] ?? '')) return undefined
  const remedy =
    'Set PermitRootLogin to prohibit-password, or log in as another user (VALENCE_SSH_USER), then run again.'
  return { keywords: ['permitrootlogin'], values, why: 'PermitRootLogin keeps root out', remedy }
}

/** Whether `USER` or `USER@HOST` is meant; undefined when that hangs on an address that is not known. */
function matchesUser(pattern: string, user: string, connection: SshdConnection | null): boolean | undefined {
  const at = pattern.lastIndexOf('@')
  if (at < 0) return matches(pattern, user)
  if (!matches(pattern.slice(0, at), user)) return false
  return connection ? matchesHost(pattern.slice(at + 1), connection) : undefined
}

/** A list of names, addresses and networks, with `!` before what is left out. */
function matchesHost(list: string, { host, from }: SshdConnection): boolean {
  let found = false
  for (const entry of list.split(',')) {
    const pattern = entry.replace(/^!/, '')
    if (![host, from].some((name) => matches(pattern.toLowerCase(), name.toLowerCase())) && !within(pattern, from))
      continue
    if (entry.startsWith('!')) return false
    found = true
  }
  return found
}

function within(network: string, address: string): boolean {
  const [base = '', bits] = network.split('/')
  const family = isIP(base)
  if (bits === undefined || family === 0 || family !== isIP(address)) return false
  const list = new BlockList()
  const type = family === 6 ? 'ipv6' : 'ipv4'
  list.addSubnet(base, Number(bits), type)
  return list.check(address, type)
}

/** sshd's own patterns: `*` and `?` (PATTERNS in ssh_config(5)). */
function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's').test(text)
}
