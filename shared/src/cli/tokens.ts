import { parseArgs } from 'node:util'
import type { OptionSpec } from './options.ts'

/** Takes arguments apart by the options that are known; what is not known is a token too. */
export function tokenize(known: readonly [string, OptionSpec][], argv: readonly string[]) {
  return parseArgs({
    args: withTwoDashes(known, argv),
    options: Object.fromEntries(
      known.map(([name, { type, short, multiple }]) => [
        name,
        { type, ...(short && { short }), ...(multiple && { multiple }) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
}

/** `-raw` and `-json`, as Terraform has them: the name of an option behind one dash. */
function withTwoDashes(known: readonly [string, OptionSpec][], argv: readonly string[]): string[] {
  const end = argv.indexOf('--')
  const isLong = (arg: string, at: number) =>
    (end < 0 || at < end) && known.some(([name]) => name.length > 1 && arg === `-${name}`)
  return argv.map((arg, at) => (isLong(arg, at) ? `-${arg}` : arg))
}
