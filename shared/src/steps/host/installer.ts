import { asUser } from '../../command/as-user.ts'
import type { Output } from '../../command/command.ts'
import { changes, create, type Dependency, noting, type Step, step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { hasProgram } from '../../facts/host/installer.ts'

export interface InstallerOptions {
  /** Where its installer comes from: a script for bash. */
  readonly url: string
  readonly user: string
  /** The program it makes, below the user's home. */
  readonly creates: string
  /** The SHA-256 of that script: another one is not run. Without it, `unpinned` is told in the plan. */
  readonly sha256?: string | undefined
  readonly unpinned?: string
  /** How to do without it, for the error: `VALENCE_CLAUDE_CODE=false skips it`. */
  readonly without: string
  readonly dependsOn?: readonly Dependency[]
}

// Whole before any of it runs: a download that breaks off must not leave half of a script to run.
const script = `t=$(mktemp) || exit
trap 'rm -f "$t"' EXIT
trap 'exit 1' HUP INT TERM
curl -fSsL --connect-timeout 20 --max-time 300 --retry 2 -o "$t" -- "$1" || { echo "download failed" >&2; exit 3; }
[ -z "$3" ] || echo "$3  $t" | sha256sum --check --status || { sha256sum <"$t" >&2; exit 6; }
bash "$t" || exit 4
[ -x "$HOME/$2" ] || exit 5`

/** A program that a user installs by the maker's own script, from the web, once: it keeps itself up to date. */
export function installer(on: Target, name: string, options: InstallerOptions): Step {
  const { url, user, creates, without, sha256, unpinned, dependsOn = [] } = options
  const explain = ({ code, stderr }: Output) => {
    const curl = stderr.match(/curl: \(\d+\) (.*)/)?.[1]
    if (code === 3) return `the installer of ${name} cannot be fetched from ${url}: ${curl ?? 'no answer'} (${without})`
    if (code === 4) return `the installer of ${name} failed (${without})`
    if (code === 5) return `the installer of ${name} ended well but made no ~${user}/${creates} (${without})`
    if (code === 6)
      return `the installer of ${name} has the SHA-256 ${stderr.match(/[0-9a-f]{64}/)?.[0]}, not ${sha256}: it was not run (${without})`
    return undefined
  }
  return step({
    id: `installer ${name}`,
    on,
    dependsOn,
    ask: { there: hasProgram(user, creates) },
    plan({ there }) {
      if (there) return changes([], `~${user}/${creates}`)
      const install = asUser(user, script, [url, creates, sha256 ?? ''])
      const decision = changes([create(name, install, { explain })], '')
      return sha256 === undefined && unpinned !== undefined ? noting(decision, [unpinned]) : decision
    },
  })
}
