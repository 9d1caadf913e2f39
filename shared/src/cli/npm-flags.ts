import { type OptionName, optionTable, usage } from './options.ts'

/** Flags whose loss changes nothing but what is shown or checked, and that may stand in a user's npm settings. */
const harmless: ReadonlySet<OptionName> = new Set([
  'yes',
  'json',
  'verbose',
  'help',
  'diff',
  'no-diff',
  'offline',
  'only',
])

/**
 * `npm run deploy -w pod --check`, without the `--`, makes npm keep the flag for itself: the script starts as if it had
 * not been given. npm leaves a trace of it in the environment. Throws a usage failure when it finds one, for a run that
 * was meant as a rehearsal must never deploy.
 */
export function refuseSwallowedFlags(env: Readonly<Record<string, string | undefined>>, command: string): void {
  if (!env.npm_lifecycle_event) return
  for (const name of Object.keys(optionTable) as OptionName[]) {
    const value = env[`npm_config_${name.replaceAll('-', '_')}`]
    if (harmless.has(name) || value === undefined || value === '' || value === 'false' || value === 'null') continue
    throw usage(
      `npm kept --${name} for itself, so ${command} was not told of it; nothing was done`,
      `Put -- before the options: npm run ${env.npm_lifecycle_event} -- --${name}`,
    )
  }
}
