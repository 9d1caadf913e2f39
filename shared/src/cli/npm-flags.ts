import { readFileSync } from 'node:fs'
import { type OptionSpec, optionsOf, optionTable, usage, type WorkspaceSyntax, workspaceOptionsOf } from './options.ts'

/** Flags that npm has too, which a machine may set for its own ends: a trace only for a command that has them. */
const shared: ReadonlySet<string> = new Set(['yes', 'offline'])

type Environment = Readonly<Record<string, string | undefined>>

interface NpmShort {
  readonly key: string
  kept(value: string | undefined): boolean
}

const isTrue = (value: string | undefined) => value === 'true'

/**
 * What npm makes of our short flags, where that is a long flag of its own: `-c` is its `--call`, `-n` its `--no-yes`. A
 * letter that it does not know leaves a trace under its own name. `-v` and `-h` never reach a script: npm prints its own
 * version or help.
 */
const npmShorts: Readonly<Record<string, NpmShort>> = {
  c: { key: 'call', kept: Boolean },
  n: { key: 'yes', kept: (value) => value === '' },
  y: { key: 'yes', kept: isTrue },
  f: { key: 'force', kept: isTrue },
}

/** How a command was called, as the script that npm started sees it. */
export interface NpmCalled {
  readonly command: string
  /** What reached the script: values of options whose names npm kept are among it. */
  readonly args?: readonly string[]
  readonly syntax?: WorkspaceSyntax
  /** The workspace of `-w`; none at the root. */
  readonly workspace?: string
}

/**
 * `npm run deploy -w pod --check`, without the `--`, makes npm keep the flag for itself: the script starts as if it had
 * not been given. npm leaves a trace of it in the environment. Throws a usage failure when it finds one, for a run that
 * was meant as a rehearsal must never deploy. What stands in the user's npm settings is not a trace of the call.
 */
export function refuseSwallowedFlags(env: Environment, called: NpmCalled): void {
  if (!env.npm_lifecycle_event) return
  const { command, syntax = {}, workspace } = called
  const own = optionsOf(command, syntax)
  const has = new Set(own.map(([name]) => name))
  const every: Readonly<Record<string, OptionSpec>> = { ...workspaceOptionsOf(syntax), ...optionTable }
  const long = Object.entries(every).flatMap(([name, spec]) => {
    const key = name.replaceAll('-', '_')
    const value = env[`npm_config_${key}`]
    const isKept = Boolean(value) && value !== 'false' && value !== 'null' && (!shared.has(name) || has.has(name))
    return isKept && !isSetting(key, env) ? [{ flag: `--${name}`, spec, value }] : []
  })
  const isLong = ({ short }: OptionSpec) => long.some(({ spec }) => spec.short === short)
  const short = own.flatMap(([, spec]) => {
    if (spec.short === undefined || isLong(spec)) return []
    const { key, kept } = npmShorts[spec.short] ?? { key: spec.short, kept: isTrue }
    return kept(env[`npm_config_${key}`]) && !isSetting(key, env)
      ? [{ flag: `-${spec.short}`, spec, value: 'true' }]
      : []
  })
  const first = [...long, ...short][0]
  if (!first) return
  const words = typed([...long, ...short], called).join(' ')
  const where = workspace === undefined ? '' : ` -w ${workspace}`
  const ownEnd = shared.has(first.flag.slice(2))
    ? `, or unset npm_config_${first.flag.slice(2)} where your environment sets it for npm`
    : ''
  throw usage(
    `npm consumed ${first.flag}, so ${command} did not get it; nothing was done`,
    `Put -- before the options: npm run ${env.npm_lifecycle_event}${where} -- ${words}${ownEnd}`,
  )
}

interface Kept {
  readonly flag: string
  readonly spec: OptionSpec
  readonly value: string | undefined
}

/** The options as they were typed, as far as that is known: npm leaves the value of `--env staging` among the arguments. */
function typed(kept: readonly Kept[], { command, args = [], syntax = {} }: NpmCalled): string[] {
  const lacking = kept.filter(({ spec, value }) => spec.type === 'string' && value === 'true')
  const wanted = syntax.commands?.[command]?.args ?? []
  const takesArgs = wanted.length > 0
  const only = lacking.length === 1 && args.length === 1 && !takesArgs ? args[0] : undefined
  const flags = kept.map(({ flag, spec, value }) => {
    if (spec.type === 'boolean') return flag
    return `${flag} ${value === 'true' ? (only ?? spec.value) : value?.replaceAll('\n\n', ',')}`
  })
  // Which of the words is a value and which an argument, nobody knows.
  if (takesArgs && lacking.length > 0) return [...wanted, ...flags]
  return takesArgs ? [...args, ...flags] : flags
}

/** Whether one of npm's settings files sets this key. */
function isSetting(key: string, env: Environment): boolean {
  const pattern = new RegExp(`^\\s*${key.replaceAll('_', '[-_]')}\\s*=`, 'm')
  return [env.npm_config_userconfig, env.npm_config_globalconfig].some((path) => {
    try {
      return path !== undefined && pattern.test(readFileSync(path, 'utf8'))
    } catch {
      return false // no such file: nothing is set in it
    }
  })
}
