import { plainText } from '../../command/command.ts'
import { sh } from '../../command/sh.ts'
import {
  type Change,
  changes,
  converged,
  create,
  type Dependency,
  refuse,
  remove,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import {
  type AptSource,
  type AptSourceFile,
  archiveOf,
  fetchedSuites,
  sourceFiles,
} from '../../facts/host/apt-source.ts'
import { fileContent } from '../../facts/host/file.ts'
import { operatingSystem } from '../../facts/host/os.ts'
import { explainApt, updateLists } from './apt.ts'
import { backupOf, diffOf, writeFile } from './file.ts'

export interface SourceOptions {
  readonly uri: string
  /** The suite for a release's code name; undefined where that release needs no such source. */
  suite(release: string): string | undefined
  readonly components: readonly string[]
  /** The file of the keys that sign it: apt trusts them for this source only. */
  readonly signedBy: string
  /** The whole fingerprint of the one of them that counts, 40 hexadecimal digits; all of them unless told. */
  readonly fingerprint?: string
  /** Why a release needs no such source: `trixie carries PostgreSQL 17`. */
  needless(release: string): string
  readonly dependsOn?: readonly Dependency[]
}

/**
 * A source of packages of its own, in deb822 form, with its lists fetched: where those are missing (a run that died in
 * between) they are fetched again. A source that cannot be fetched is taken away again, so that it breaks no other apt.
 * apt does nothing at all while two sources of one archive say different keys, so others of the same go first.
 */
export function aptSource(on: Target, name: string, options: SourceOptions): Step {
  const { uri, components, fingerprint, dependsOn = [] } = options
  // sources.list(5): of the keys of a file those that are named after it.
  const signedBy = [options.signedBy, ...(fingerprint ? [fingerprint] : [])].join(', ')
  const path = `/etc/apt/sources.list.d/${name}.sources`
  return step({
    id: `apt.source ${name}`,
    on,
    dependsOn,
    ask: {
      system: operatingSystem,
      now: fileContent(path),
      fetched: fetchedSuites(uri),
      files: sourceFiles(uri, path),
    },
    plan({ system, now, fetched, files }) {
      const suite = options.suite(system.codename)
      if (suite === undefined) return converged(options.needless(system.codename))
      const lines = ['Types: deb', `URIs: ${uri}`, `Suites: ${suite}`, `Components: ${components.join(' ')}`]
      const content = plainText(`${[...lines, `Signed-By: ${signedBy}`].join('\n')}\n`)
      const fetch = updateLists()
      const isSame = ({ archives, suites }: AptSource) => archives.includes(archiveOf(uri)) && suites.includes(suite)
      const mixed = files.flatMap(({ path, sources }) => {
        const found = sources.find((source) => isSame(source) && source.archives.length + source.suites.length > 2)
        return found ? [`${path}:${found.lines[0]}`] : []
      })[0]
      if (mixed)
        return refuse(
          `${mixed} names ${uri} ${suite} together with others, and apt wants one key for it`,
          `Take it out of that source (URIs, Suites): it gets one of its own, ${path}.`,
        )
      const others = files.flatMap((file) => putAside(file, isSame))
      if (now?.content === content.parts[0]) {
        const lists = update(`lists of source ${name}`, fetch, { explain: explainApt })
        return changes(fetched.includes(suite) ? others : [...others, lists], suite)
      }
      const write = writeFile(path, content, { mode: '0644', owner: 'root', group: 'root' })
      const diff = diffOf(path, now, content)
      if (now) return changes([...others, update(`source ${name}`, [write, fetch], { diff, explain: explainApt })], '')
      const undo = [sh`rm -f ${path}`]
      return changes([...others, create(`source ${name}`, [write, fetch], { diff, undo, explain: explainApt })], '')
    },
  })
}

/** A file that has nothing else is moved to the previous ones; of another one the lines are commented out, and a copy kept. */
function putAside({ path, sources }: AptSourceFile, isSame: (source: AptSource) => boolean): Change[] {
  const found = sources.filter(isSame)
  if (found.length === 0) return []
  const { path: backup, mkdir } = backupOf(path)
  if (found.length === sources.length)
    return [
      remove(
        `other source ${path} of the same archive put aside`,
        sh`${mkdir} && mv --backup=numbered ${path} ${backup}`,
      ),
    ]
  const edits = found.flatMap(({ lines }) => ['-e', `${lines.join(',')}s/^/# /`])
  return [
    remove(
      `other source ${path}:${found.map(({ lines }) => lines[0]).join(',')} of the same archive commented out`,
      sh`${mkdir} && cp -p --backup=numbered ${path} ${backup} && sed -i ${edits} ${path}`,
    ),
  ]
}
