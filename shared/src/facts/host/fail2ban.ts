import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** What fail2ban's running server does for a jail; null where the server does not answer or has no such jail. */
export type JailSettings = Readonly<Record<string, string>> | null

/** A jail's settings in force, asked of the server itself in one call. `names` as fail2ban-client's `get` knows them. */
export function jailSettings(jail: string, names: readonly string[]): Question<JailSettings> {
  const asks = names.map((name) => `get ${jail} ${name}`)
  return {
    command: sh`command -v fail2ban-client >/dev/null || exit 127; printf '%s\\n' ${asks} exit | fail2ban-client -i`,
    parse({ code, stdout }) {
      if (code === 127) return null
      const values = [...stdout.matchAll(/^fail2ban> (.+)$/gm)].map(([, value]) => value ?? '')
      if (values.length !== names.length || values.some((value) => value.startsWith('Sorry'))) return null
      return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']))
    },
  }
}
