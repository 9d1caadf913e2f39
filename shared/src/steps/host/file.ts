import { withRightsOf } from '../../command/as-user.ts'
import {
  type Command,
  digestText,
  holdsSecret,
  type Output,
  plainText,
  showText,
  type Text,
} from '../../command/command.ts'
import { withoutLookalikes } from '../../command/secret.ts'
import { all, raw, type Shell, sh, withStdin } from '../../command/sh.ts'
import {
  type Change,
  changes,
  create,
  type Decision,
  type Dependency,
  type Diff,
  type Question,
  type Risk,
  refuse,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type FileState, fileContent, fileDigest } from '../../facts/host/file.ts'
import { variableNames, variableNamesIn } from '../../facts/host/variable-names.ts'

export interface Ownership {
  /** Octal, four digits. A file: `0644` by default; a directory: `0755`. */
  mode?: string
  /** `root` by default. */
  owner?: string
  /** The owner's name by default. */
  group?: string
}

export interface FileOptions extends Ownership {
  content: string | Text
  /** Checks the new content before it takes its place; `temp` is where it lies until then. */
  validate?(temp: Shell): Shell
  /** What the check means, in a line. */
  explain?(output: Output): string | undefined
  risk?: Risk
  /**
   * Of content with secrets: which settings the file has and which the content, to name those that go, since no difference
   * is shown. Of a file of variables both are found.
   */
  names?: 'variables' | { readonly now: Question<readonly string[]>; readonly own: readonly string[] }
  dependsOn?: readonly Dependency[]
}

/** Where the previous version of each file is kept, by its path. Readable by root only. */
export const previousFolder = '/var/lib/infra/previous'

/** Where the previous version of this file is kept, and the command that makes the folder for it, which only root can read. */
export function backupOf(path: string): { readonly path: string; readonly mkdir: Shell } {
  const backup = `${previousFolder}${path}`
  return { path: backup, mkdir: sh`(umask 077; mkdir -p ${folderOf(backup)})` }
}

/**
 * A file with this content, owner and mode. Content that holds a secret is compared by digest and never shown. What is
 * another account's is read and written with its rights, and lies in a folder that it can write to.
 */
export function file(on: Target, path: string, options: FileOptions): Step {
  return step({ id: `file ${path}`, on, dependsOn: options.dependsOn ?? [], ...fileParts(path, options) })
}

/** What {@link file} asks and decides, for steps that are about a file and something else. */
export function fileParts(path: string, options: Omit<FileOptions, 'dependsOn'>) {
  const content = typeof options.content === 'string' ? plainText(options.content) : options.content
  const desired = ownership('0644', options)
  const { names } = options
  const change = { risk: options.risk ?? 'safe', ...(options.explain && { explain: options.explain }) }
  return {
    ask: {
      now: (holdsSecret(content) ? fileDigest : fileContent)(path, desired.owner),
      ...(names && { names: names === 'variables' ? variableNames(path, desired.owner) : names.now }),
    },
    plan({ now, names: found = [] }: { readonly now: FileState | null; readonly names?: readonly string[] }): Decision {
      const write = writeFile(path, content, desired, options.validate)
      if (!now) return changes([create(path, write, { ...change, diff: diffOf(path, null, content) })], '')
      if (now.type !== 'file')
        return refuse(`${path} is a ${now.type}, not a file`, `Move it away: mv ${path} ${path}.old`)
      if (now.sha256 !== digestText(content)) {
        const own = names === 'variables' ? variableNamesIn(content) : (names?.own ?? [])
        const gone = found.filter((name) => !own.includes(name))
        const say = `${path}${sayGone(path, gone)}`
        return changes([update(say, write, { ...change, diff: diffOf(path, now, content) })], '')
      }
      return changes(inPlace(path, now, desired, write), `${desired.mode} ${desired.owner}`)
    },
  }
}

/** The settings of somebody else that a new content does without, by their names. */
const sayGone = (path: string, gone: readonly string[]) =>
  gone.length > 0 ? `, without ${gone.join(', ')} of somebody else (kept in ${backupOf(path).path})` : ''

/** A file of the right content gets its owner and mode. One that goes to another account that account writes anew. */
function inPlace(path: string, now: FileState, desired: Required<Ownership>, write: Command): Change[] {
  const { owner } = desired
  return ownershipChange(path, now, desired).map((change) => {
    if (owner === 'root') return change
    const isTheirs = now.owner === owner && now.group === desired.group
    return { ...change, run: [isTheirs ? withRightsOf(owner, sh`chmod ${desired.mode} ${path}`) : write] }
  })
}

/** A directory with this owner and mode, in a folder of root's; its parents are made as needed, owned by root. */
export function directory(
  on: Target,
  path: string,
  options: Ownership & { dependsOn?: readonly Dependency[] } = {},
): Step {
  const desired = ownership('0755', options)
  return step({
    id: `directory ${path}`,
    on,
    ask: { now: fileDigest(path) },
    dependsOn: options.dependsOn ?? [],
    plan({ now }) {
      if (!now) return changes([create(`${path}/`, makeDirectory(path, desired))], '')
      if (now.type !== 'directory')
        return refuse(`${path} is a ${now.type}, not a directory`, `Move it away: mv ${path} ${path}.old`)
      return changes(ownershipChange(path, now, desired), `${desired.mode} ${desired.owner}`)
    },
  })
}

/**
 * The command that writes a file in one step: a temporary beside it that is private from birth, owner, mode, the check,
 * the previous version put by where only root can look, then a rename.
 * What belongs to a user is written with that user's own rights: in their folders a link could lead root anywhere.
 */
export function writeFile(path: string, content: Text, owner: Required<Ownership>, validate?: FileOptions['validate']) {
  const keep = keepPrevious(path, owner.owner)
  const isRoots = owner.owner === 'root'
  const write = all(
    sh`t=$(mktemp ${`${folderOf(path)}/.infra.XXXXXX`})`,
    raw(`trap 'rm -f "$t"' EXIT`),
    raw('cat >"$t"'),
    isRoots ? sh`chown ${`root:${owner.group}`} "$t"` : sh`chgrp ${owner.group} "$t"`,
    sh`chmod ${owner.mode} "$t"`,
    // A check takes its time: what counts is when the file took its place, which services compare their start with.
    ...(validate ? [validate(raw('"$t"')), raw('touch "$t"')] : []),
    ...(isRoots ? [keep] : []),
    sh`mv -fT "$t" ${path}`,
  )
  if (isRoots) return withStdin(write, content)
  return withStdin(all(keep, withRightsOf(owner.owner, write)), content)
}

/** How much of the previous version of a file of another account is kept, in bytes. */
const keptAtMost = 1_048_576

/**
 * Puts the previous version of a file by, where only root can look, and follows no link, neither in its place nor where it
 * is kept. What is in a folder of another account is read with its rights: root gets the bytes and opens nothing there.
 */
function keepPrevious(path: string, owner: string): Shell {
  const { path: backup, mkdir } = backupOf(path)
  if (owner === 'root')
    return sh`{ [ ! -e ${path} ] || { ${mkdir} && cp -aT --remove-destination ${path} ${backup}; }; }`
  const read = withRightsOf(owner, sh`[ ! -f ${path} ] || exec timeout 20 head -c ${keptAtMost} -- ${path}`)
  return sh`{ ${mkdir} && k=$(mktemp ${`${backup}.XXXXXX`}) && { (${read}) </dev/null | head -c ${keptAtMost} >"$k"; } && \
if [ -s "$k" ]; then mv -fT "$k" ${backup}; else rm -f "$k"; fi; }`
}

/** How the content changes, without showing a secret of either side: somebody may have written one into the old content. */
export function diffOf(path: string, now: Pick<FileState, 'content'> | null, content: Text): Diff {
  if (holdsSecret(content) || (now !== null && now.content === undefined)) return { kind: 'secret', path }
  const [before, after] = [now?.content ?? '', showText(content)].map(withoutLookalikes) as [string, string]
  return { kind: 'text', path, before, after }
}

function ownership(mode: string, { mode: own = mode, owner = 'root', group = owner }: Ownership): Required<Ownership> {
  return { mode: own.padStart(4, '0'), owner, group }
}

/** Gives a file the desired owner and mode; no change where it has them. */
export function ownershipChange(
  path: string,
  now: Pick<FileState, 'mode' | 'owner' | 'group'>,
  desired: Required<Ownership>,
): Change[] {
  const is = `${now.mode} ${now.owner}:${now.group}`
  const shall = `${desired.mode} ${desired.owner}:${desired.group}`
  if (is === shall) return []
  // Closed before it changes hands, so that no moment is more open than either state.
  const run =
    desired.owner === 'root'
      ? sh`chmod go-rwx ${path} && chown ${`root:${desired.group}`} ${path} && chmod ${desired.mode} ${path}`
      : handOver(path, desired)
  return [update(`${path} ${is} → ${shall}`, run)]
}

function makeDirectory(path: string, desired: Required<Ownership>): Shell {
  if (desired.owner === 'root') return sh`install -d -m ${desired.mode} -o root -g ${desired.group} ${path}`
  // Made only where there is nothing yet: no link either.
  return all(sh`mkdir -p ${folderOf(path)}`, rootsAbove(path), sh`mkdir -m 0700 ${path}`, handOver(path, desired))
}

/** From a folder of root's to another account: that account sets the mode, and a link leads root nowhere. */
const handOver = (path: string, { owner, group, mode }: Required<Ownership>): Shell =>
  sh`${rootsAbove(path)} && chown --no-dereference ${`${owner}:${group}`} ${path} && ${withRightsOf(owner, sh`chmod ${mode} ${path}`)}`

/**
 * Fails unless every folder above this path is root's. Who owns one of them can put a link in the place of what is in it
 * at any time, so that what root then does by its name would happen elsewhere.
 */
export function rootsAbove(path: string): Shell {
  const above = path.split('/').map((_, index, parts) => parts.slice(0, index).join('/') || '/')
  return sh`{ for d in ${above.slice(1)}; do [ "$(stat -Lc %u "$d")" = 0 ] || { \
echo "$d is not root's: root changes nothing by name in it" >&2; d=; break; }; done; [ -n "$d" ]; }`
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'
