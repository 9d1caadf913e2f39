import { raw, type Shell, sh } from '../../command/sh.ts'
import type { Guard } from '../../engine/step.ts'
import { previousFolder } from './file.ts'

/** Seconds that a change has to prove that it did not lock us out. */
const timeoutSeconds = 60

interface Saved {
  /** The guard's name: the revert of a killed run is found by it. */
  readonly name: string
  /** Files and folders to put back. */
  readonly paths: readonly string[]
  /** Names the state before the change, as the facts have it: the revert puts back this state or none. */
  readonly digest: string
  /** Puts what was restored into effect. */
  readonly effect: Shell
}

/**
 * How to come back from a change of files that could lock us out: `save` is the first command of the change, `guard`
 * puts back what it saved. Where a run dies before it has saved, the revert finds nothing of that state and does
 * nothing. The text of a revert goes through systemd, which takes `\${…}` and `$$` for its own: neither is used here.
 */
export function restoring({ name, paths, digest, effect }: Saved): { save: Shell; guard: Guard } {
  const kept = `${previousFolder}/${name}-`
  const folder = `${kept}${digest}`
  const save = sh`umask 077; mkdir -p ${previousFolder} && chmod 700 ${previousFolder} && rm -rf ${kept}* && mkdir ${`${folder}.new`} && \
for p in ${paths}; do [ ! -e "$p" ] || { mkdir -p ${`${folder}.new`}"$(dirname "$p")" && cp -a "$p" ${`${folder}.new`}"$p"; } || exit; done && mv ${`${folder}.new`} ${folder}`
  // Path by path: a copy of the whole folder onto / would give / the folder's own mode.
  const undo = sh`k=${folder}; [ -d "$k" ] || exit 0; for p in ${paths}; do
if [ -d "$k$p" ]; then rm -f "$p"/* && cp -a "$k$p"/. "$p"; elif [ -e "$k$p" ]; then cp -a "$k$p" "$p.infra" && mv -f "$p.infra" "$p"; else rm -f "$p"; fi || exit
done; ${effect}`
  return { save, guard: { name, seconds: timeoutSeconds, undo } }
}

/**
 * For a revert that a killed run left armed: what it would put back is gone with that run, so this opens the door
 * instead. That we got in at all is what the guard proves once more before it disarms.
 */
export function confirming(name: string, open: Shell): Guard {
  return { name, seconds: timeoutSeconds, undo: open }
}

/** Does nothing: for a change that only confirms. */
export const confirmed: Shell = raw('true')
