import type { Output } from '../../command/command.ts'
import { sh } from '../../command/sh.ts'
import { changes, create, type Dependency, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { fingerprintsIn, keyringState } from '../../facts/host/keyring.ts'

export interface KeyringOptions {
  readonly url: string
  /** Of the only key that may be in it: 40 hexadecimal digits, upper case. */
  readonly fingerprint: string
  /** What installs curl and gpg among them. */
  readonly dependsOn?: readonly Dependency[]
}

/**
 * The key of a package source, fetched from its maker over https and taken by its whole fingerprint only. apt trusts it for
 * the source that names this file, and for no other.
 */
export function keyring(on: Target, path: string, options: KeyringOptions): Step {
  const { url, fingerprint, dependsOn = [] } = options
  const fetch = sh`t=$(mktemp ${`${path}.XXXXXX`}) && trap 'rm -f "$t"' EXIT && \
curl -fSsL --connect-timeout 20 --max-time 120 --retry 2 -o "$t" -- ${url} && \
k=$( ${fingerprintsIn(sh`"$t"`)} ) && { [ "$k" = ${fingerprint} ] || { echo "other keys:" $k >&2; false; }; } && \
chmod 644 "$t" && mv -f "$t" ${path}`
  const explain = ({ stderr }: Output) => {
    const [, other] = stderr.match(/^other keys:(.*)$/m) ?? []
    if (other !== undefined)
      return `what ${url} gives is not the key ${fingerprint}, but${other || ' none'}: it was not taken`
    return `the key cannot be fetched from ${url}: ${stderr.match(/curl: \(\d+\) (.*)/)?.[1] ?? 'no answer'}`
  }
  return step({
    id: `keyring ${path}`,
    on,
    dependsOn,
    ask: { now: keyringState(path) },
    plan({ now }) {
      if (!now) return changes([create(path, fetch, { explain })], '')
      // Without gpg, which comes before, it is asked again.
      const other = now.fingerprints?.filter((found) => found !== fingerprint) ?? []
      if (now.fingerprints === undefined || (other.length === 0 && now.fingerprints.length === 1))
        return changes([], fingerprint)
      return changes([update(`${path}: ${other.join(', ') || 'no key'} → ${fingerprint}`, fetch, { explain })], '')
    },
  })
}
