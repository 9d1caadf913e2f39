import { raw, type Shell, sh } from '@infra/shared/command/sh'

/** Shell text that puts a time into `$since`, in seconds since 1970: read as journalctl does, else as date(1) does. */
export const readSince = (time: string): Shell =>
  sh`since=$(systemd-analyze timestamp -- ${time} 2>/dev/null | sed -n 's/^ *UNIX seconds: @\\([0-9]*\\).*/\\1/p')
[ -n "$since" ] || since=$(date -d ${time} +%s) || exit`

/** awk that passes what a log file says from `since` on; a line without a time belongs to the one before. */
export const fromSince = raw(
  `awk -v since="$(date -d "@$since" '+%F %T')" '/^[0-9]/ { time = substr($0, 1, 19); gsub("/", "-", time); on = time >= since } on'`,
)

/** Which errors of services that do not say them as errors to the journal. */
interface Errors {
  /** By a line of nginx's own log. */
  readonly nginx: string
  /** By a line of PostgreSQL's. */
  readonly postgresql: string
  /** Which lines of both are none all the same. */
  readonly expected?: string
}

/** How a line of PostgreSQL's begins on Debian: time, process, and who with which database. */
const postgresql = '^\\S+ \\S+ \\S+ \\[[0-9]+\\] (\\S+ )?'

/** All of them. */
export const everyError: Errors = {
  nginx: '^\\S+ \\S+ \\[(error|crit|alert|emerg)\\]',
  postgresql: `${postgresql}(ERROR|FATAL|PANIC): `,
}

/**
 * Those that tell of trouble: not what any scanner of the internet brings about, nor a query that failed, which Synapse
 * tries again. Nor that a role or a database is not there: a first deploy asks as each role whether it has made it. Should
 * it be lost later, the checks of PostgreSQL fail.
 */
export const troubling: Errors = {
  nginx: '^\\S+ \\S+ \\[(alert|emerg)\\]|No space left on device',
  postgresql: `${postgresql}(FATAL|PANIC): |No space left on device`,
  expected: `${postgresql}FATAL: +(role|database) "(valence|synapse)" does not exist$`,
}

/** What PostgreSQL calls fatal whenever it is restarted. */
const restarting = 'due to administrator command|the database system is (starting up|shutting down)'

/** What Python programs such as Synapse write to stderr, which the journal takes for information. */
const python = '( - |^)(ERROR|CRITICAL)( - |: )'
const pythons = ['matrix-synapse*', 'vkb*']

const units = (names: readonly string[]) => names.map((name) => `--unit=${name}`)
/** How journalctl prints what it has. */
export const journal = ['-q', '--no-pager', '-o', 'short-iso']
/** Where Debian has a service log to files of its own. */
export const logFiles = { nginx: raw('/var/log/nginx/error.log'), postgresql: raw('/var/log/postgresql/*.log') }
const services = ['nginx', 'postgresql'] as const

/** sed that takes the errors of a service's own log out of it, in the journal's manner. */
function picked(service: (typeof services)[number], wanted: Errors): Shell {
  const script = `/${restarting}/d${wanted.expected === undefined ? '' : `\n/${wanted.expected}/d`}
/${wanted[service]}/!d
s|^([0-9]{4})[-/]([0-9]{2})[-/]([0-9]{2}) ([0-9:]{8})[.0-9]*( [A-Z]+)?|\\1-\\2-\\3T\\4 ${service}:|`
  return sh`sed -u -E ${script}`
}

/** Shell text that prints the errors since `$since`, in their order, of these units (none: of all). */
export function errorLines(wanted: Errors, names: readonly string[] = []): Shell {
  const own = services.map(
    (name) => sh`for f in ${logFiles[name]}; do [ ! -f "$f" ] || ${fromSince} "$f" | ${picked(name, wanted)}; done`,
  )
  const [nginx, postgresql] = own as [Shell, Shell]
  return sh`{ journalctl ${journal} --since "@$since" -p err ${units(names)}
journalctl ${journal} --since "@$since" -g ${python} ${units(pythons)}
${nginx}
${postgresql}; } | grep -E '^[0-9]{4}-' | sort -u`
}

/** The same, and those that come, until it is ended. `lines`: how many of the earlier ones. */
export function errorsAsTheyCome(wanted: Errors, lines: string): Shell {
  const [nginx, postgresql] = services.map(
    (name) => sh`{ tail -q -n 0 -F ${logFiles[name]} 2>/dev/null | ${picked(name, wanted)}; } &`,
  ) as [Shell, Shell]
  const follow = [...journal, '-f']
  return sh`now=$(date +%s); ${nginx} ${postgresql}
${errorLines(wanted)} | tail -n ${lines}
journalctl ${follow} --since "@$now" -g ${python} ${units(pythons)} & exec journalctl ${follow} --since "@$now" -p err`
}
