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
  /** The same while the host boots, before what reads the files starts by itself; nothing unless told. */
  readonly effectAtBoot?: Shell
}

/**
 * How to come back from a change of files that could lock us out: `save` is the first command of the change, `guard`
 * puts back what it saved. Where a run dies before it has saved, the revert finds nothing of that state and does
 * nothing.
 */
export function restoring({ name, paths, digest, effect, effectAtBoot = raw(':') }: Saved): {
  save: Shell
  guard: Guard
} {
  const kept = `${previousFolder}/${name}-`
  const folder = `${kept}${digest}`
  const save = sh`umask 077; mkdir -p ${previousFolder} && chmod 700 ${previousFolder} && rm -rf ${kept}* && mkdir ${`${folder}.new`} && \
for p in ${paths}; do [ ! -e "$p" ] || { mkdir -p ${`${folder}.new`}"$(dirname "$p")" && cp -a "$p" ${`${folder}.new`}"$p"; } || exit; done && \
find ${`${folder}.new`} -exec sync {} + && mv ${`${folder}.new`} ${folder} && sync ${previousFolder}`
  // Path by path: a copy of the whole folder onto / would give / the folder's own mode.
  const back = sh`k=${folder}; [ -d "$k" ] || exit 0; for p in ${paths}; do
if [ -d "$k$p" ]; then rm -f "$p"/* && cp -a "$k$p"/. "$p"; elif [ -e "$k$p" ]; then cp -a "$k$p" "$p.infra" && mv -f "$p.infra" "$p"; else rm -f "$p"; fi || exit
done`
  const [undo, undoAtBoot] = [sh`${back}; ${effect}`, sh`${back}; ${effectAtBoot}`]
  return { save, guard: { name, seconds: timeoutSeconds, undo, undoAtBoot } }
}

/** For a change that saves nothing: the way back is another one than the state before. */
export function escaping(name: string, undo: Shell, undoAtBoot: Shell): Guard {
  return { name, seconds: timeoutSeconds, undo, undoAtBoot }
}

/**
 * For a revert that a killed run left armed. That we got in at all is proven once more before it is disarmed; where
 * nobody gets in, it puts back what that run had saved.
 */
export function confirming(name: string): Guard {
  return { name, seconds: timeoutSeconds }
}

/** Does nothing: for a change that only confirms. */
export const confirmed: Shell = raw('true')
