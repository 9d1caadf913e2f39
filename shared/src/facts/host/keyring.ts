import { raw, type Shell, sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** Shell text that prints the fingerprints of all keys in a file, a line each and sorted; by gpg, with no keyring of its own. */
export const fingerprintsIn = (file: Shell): Shell =>
  sh`( d=$(mktemp -d) && trap 'rm -rf "$d"' EXIT && gpg --homedir "$d" --batch --no-autostart --with-colons --show-keys ${file} 2>/dev/null | ${byKey} )`

// Of a key and not of its subkeys: those count only by its signature.
const byKey = raw('awk -F: \'$1 == "pub" { key = 1 } $1 == "fpr" && key { print $10; key = 0 }\' | sort')

/** The keys of a package source: null without the file, no fingerprints where the host has no gpg to tell them. */
export function keyringState(path: string): Question<{ readonly fingerprints: readonly string[] | undefined } | null> {
  return {
    command: sh`[ -e ${path} ] || exit 0; echo there; ! command -v gpg >/dev/null || { echo told; ${fingerprintsIn(sh`${path}`)}; }`,
    parse({ stdout }) {
      const [there, told, ...fingerprints] = stdout.split('\n').filter(Boolean)
      return there === undefined ? null : { fingerprints: told === undefined ? undefined : fingerprints }
    },
  }
}
