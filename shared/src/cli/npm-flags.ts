import { readFileSync } from 'node:fs'
import { optionTable, usage } from './options.ts'

/** Flags that machines set in npm's environment for their own ends; a lost --yes means a question, no deployment. */
const usual: ReadonlySet<string> = new Set(['yes', 'offline'])

type Environment = Readonly<Record<string, string | undefined>>

/** What npm makes of our short flags: `-c` is its `--call`, `-n` its `--no-yes`. */
const shorts: readonly { flag: string; key: string; kept(value: string | undefined): boolean }[] = [
  { flag: '-c', key: 'call', kept: Boolean },
  { flag: '-n', key: 'yes', kept: (value) => value === '' },
]

/**
 * `npm run deploy -w pod --check`, without the `--`, makes npm keep the flag for itself: the script starts as if it had
 * not been given. npm leaves a trace of it in the environment. Throws a usage failure when it finds one, for a run that
 * was meant as a rehearsal must never deploy. What stands in the user's npm settings is not a trace of the call.
 */
export function refuseSwallowedFlags(env: Environment, command: string, own: readonly string[] = []): void {
  if (!env.npm_lifecycle_event) return
  const long = [...new Set([...Object.keys(optionTable), ...own])]
    .filter((name) => !usual.has(name))
    .map((name) => ({
      flag: `--${name}`,
      key: name.replaceAll('-', '_'),
      kept: (value: string | undefined) => Boolean(value) && value !== 'false' && value !== 'null',
    }))
  const found = [...long, ...shorts].find(({ key, kept }) => kept(env[`npm_config_${key}`]) && !isSetting(key, env))
  if (!found) return
  throw usage(
    `npm kept ${found.flag} for itself, so ${command} was not told of it; nothing was done`,
    `Put -- before the options: npm run ${env.npm_lifecycle_event} -- ${found.flag}`,
  )
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
