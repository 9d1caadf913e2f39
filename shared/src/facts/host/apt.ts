import { raw, sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** The installed versions of these packages, by name; a package that is not (wholly) installed is not in it. */
export function installedPackages(names: readonly string[]): Question<Readonly<Record<string, string>>> {
  return {
    command: sh`dpkg-query -W -f '\${Package} \${db:Status-Abbrev} \${Version}\\n' ${names}`,
    parse({ code, stdout, stderr }) {
      // 1: some of them are unknown; the others are told all the same.
      if (code > 1 && code !== 127) throw new Error(stderr.trim())
      const lines = stdout.split('\n').map((line) => line.split(/\s+/))
      return Object.fromEntries(
        lines.filter(([, status]) => status === 'ii').map(([name, , version]) => [name, version ?? '']),
      )
    },
  }
}

/**
 * What an interrupted dpkg left half done, in its own words, and the numbered files of its journal, which the audit passes
 * over, but apt does nothing before they are worked off. Empty when there is nothing, and while a package manager is at
 * work: what is half done then is its own.
 */
export const dpkgAudit: Question<string> = {
  command: raw(
    'grep -qs "POSIX .*:$(stat -c %i /var/lib/dpkg/lock-frontend) " /proc/locks && exit; dpkg --audit; ls /var/lib/dpkg/updates 2>/dev/null | grep \'^[0-9]*$\' || true',
  ),
  parse: ({ stdout }) => stdout.trim(),
}
