import { isSecret, reveal, type Secret } from '../command/secret.ts'

/**
 * `export NAME='value'` lines for a shell to read, from `loadEnv(…).values`. The one place that prints secrets,
 * because the user asks for it with `--export`: its output must not pass through redaction or a log.
 */
export function exportLines(values: Readonly<Record<string, string | Secret>>): string[] {
  return Object.entries(values).map(
    ([name, value]) => `export ${name}=${quoted(isSecret(value) ? reveal(value) : value)}`,
  )
}

/** A word in single quotes, as every POSIX shell reads it. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
