import { createHash } from 'node:crypto'
import { raw } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** A rule as ufw keeps it in its rule files. */
export interface UfwRule {
  /** `allow`, `deny`, `reject`, `limit`; with `_log` or `_log-all` where it logs; after `route:` where it forwards. */
  readonly action: string
  /** `tcp`, `udp`, … or `any`. */
  readonly protocol: string
  readonly toPort: string
  readonly to: string
  readonly fromPort: string
  readonly from: string
  /** The application profile that the port came from, if any. */
  readonly toApp: string | undefined
  readonly fromApp: string | undefined
  /** `in`, `out`, `in_eth0`, `in_eth0!out_eth1`. */
  readonly direction: string
  readonly family: 4 | 6
}

export interface UfwConfig {
  /** What ufw.conf says: whether it starts at boot. */
  readonly enabled: boolean
  readonly ipv6: boolean
  /** iptables' words: `DROP`, `REJECT`, `ACCEPT`. */
  readonly incoming: string
  readonly outgoing: string
  readonly rules: readonly UfwRule[]
  /** How many lines the kernel has of the rules when they are loaded. */
  readonly lines: { readonly 4: number; readonly 6: number }
  /** Tells one state of its files from another. */
  readonly digest: string
}

/** The files that make up ufw's settings and rules. */
export const ufwFiles = [
  '/etc/default/ufw',
  '/etc/ufw/ufw.conf',
  '/etc/ufw/user.rules',
  '/etc/ufw/user6.rules',
] as const

/** Shell text that succeeds where ufw starts at boot: its script there reads the file as a shell, and knows two words. */
export const ufwStarts = raw('( . /etc/ufw/ufw.conf; [ "$ENABLED" = yes ] || [ "$ENABLED" = YES ] )')

/** What ufw is told to do, by its own files: they cost a fraction of `ufw status`. Null where it is not installed. */
export const ufwConfig: Question<UfwConfig | null> = {
  command: raw(`[ -f /etc/ufw/ufw.conf ] || exit 0
for f in ${ufwFiles.join(' ')}; do echo "== $f"; grep -E '^(### tuple ###|-A ufw6?-user-(input|output|forward) |[A-Z_0-9]+=)' "$f"; done; true`),
  parse({ code, stdout, stderr }) {
    if (code === 127 || stdout === '') return null
    if (/Permission denied/.test(stderr)) throw new Error(stderr.trim())
    const parts = new Map(
      stdout.split(/^== /m).map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]),
    )
    // Of several the last, as ufw and a shell read them.
    const setting = (name: string) =>
      [...stdout.matchAll(new RegExp(`^${name}=(["']?)([^"'\\s]*)\\1(?=\\s|$)`, 'gm'))].at(-1)?.[2] ?? ''
    const [four = '', six = ''] = [parts.get('/etc/ufw/user.rules'), parts.get('/etc/ufw/user6.rules')]
    return {
      enabled: ['yes', 'YES'].includes(setting('ENABLED')),
      ipv6: ['yes', 'YES'].includes(setting('IPV6')),
      incoming: setting('DEFAULT_INPUT_POLICY').toUpperCase(),
      outgoing: setting('DEFAULT_OUTPUT_POLICY').toUpperCase(),
      rules: [...parseRules(four, 4), ...parseRules(six, 6)],
      lines: { 4: countLines(four), 6: countLines(six) },
      digest: createHash('sha256').update(stdout).digest('hex').slice(0, 12),
    }
  },
}

export interface UfwLoaded {
  /** Whether the kernel sends what comes in through ufw's rules. */
  readonly active: boolean
  /** The kernel's policy for what no rule lets in. */
  readonly incoming: string
  /** How many lines of user rules are loaded. */
  readonly lines: number
}

/** What the kernel really does, for both families; 6 is null on a host without IPv6. */
export const ufwLoaded: Question<{ readonly 4: UfwLoaded; readonly 6: UfwLoaded | null }> = {
  command: raw(
    `k() { "$1" -S | grep -E '^(-P INPUT|-A INPUT -j ufw6?-before-input|-A ufw6?-user-(input|output|forward) )'; }
k iptables; echo ==; [ ! -e /proc/sys/net/ipv6 ] || k ip6tables; echo ==`,
  ),
  parse({ stdout, stderr }) {
    if (/Permission denied|can't initialize|Could not fetch rule set/i.test(stderr)) throw new Error(stderr.trim())
    const [four = '', six = ''] = stdout.split('==\n')
    return { 4: parseLoaded(four), 6: six === '' ? null : parseLoaded(six) }
  },
}

function parseRules(text: string, family: 4 | 6): UfwRule[] {
  const tuples = text.split('\n').filter((line) => line.startsWith('### tuple ###'))
  return tuples.map((line) => {
    const words = line.slice('### tuple ### '.length).split(' ')
    const [action = '', protocol = '', toPort = '', to = '', fromPort = '', from = ''] = words
    // Either the direction follows, or two application names and the direction; then maybe a comment.
    const hasApps = words[7] !== undefined && !words[7].startsWith('comment=')
    const app = (word = '-') => (hasApps && word !== '-' ? word.replaceAll('%20', ' ') : undefined)
    const direction = words[hasApps ? 8 : 6] ?? 'in'
    return {
      ...{ action, protocol, toPort, to, fromPort, from },
      ...{ toApp: app(words[6]), fromApp: app(words[7]), direction, family },
    }
  })
}

const countLines = (text: string) => text.split('\n').filter((line) => line.startsWith('-A ')).length

function parseLoaded(text: string): UfwLoaded {
  const lines = text.split('\n')
  return {
    active: lines.some((line) => line.startsWith('-A INPUT -j ufw')),
    incoming: lines.find((line) => line.startsWith('-P INPUT'))?.split(' ')[2] ?? '',
    lines: lines.filter((line) => line.startsWith('-A ufw')).length,
  }
}
