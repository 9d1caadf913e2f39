import { plainText } from '../command/command.ts'
import { sh } from '../command/sh.ts'
import { changes, converged, create, type Step, step, update } from '../engine/step.ts'
import type { Target } from '../engine/target.ts'
import { fetchedSuites } from '../facts/apt-source.ts'
import { fileContent } from '../facts/file.ts'
import { operatingSystem } from '../facts/os.ts'
import { explainApt, updateLists } from './apt.ts'
import { diffOf, writeFile } from './file.ts'

export interface SourceOptions {
  readonly uri: string
  /** The suite for a release's code name; undefined where that release needs no such source. */
  suite(release: string): string | undefined
  readonly components: readonly string[]
  /** The file of the keys that sign it: apt trusts them for this source only. */
  readonly signedBy: string
  /** Why a release needs no such source: `trixie carries PostgreSQL 17`. */
  needless(release: string): string
  readonly after?: readonly Step[]
}

/**
 * A source of packages of its own, in deb822 form, with its lists fetched: where those are missing (a run that died in
 * between) they are fetched again. A source that cannot be fetched is taken away again, so that it breaks no other apt.
 */
export function aptSource(on: Target, name: string, options: SourceOptions): Step {
  const { uri, components, signedBy, after = [] } = options
  const path = `/etc/apt/sources.list.d/${name}.sources`
  return step({
    id: `apt.source ${name}`,
    on,
    after,
    ask: { system: operatingSystem, now: fileContent(path), fetched: fetchedSuites(uri) },
    plan({ system, now, fetched }) {
      const suite = options.suite(system.codename)
      if (suite === undefined) return converged(options.needless(system.codename))
      const lines = ['Types: deb', `URIs: ${uri}`, `Suites: ${suite}`, `Components: ${components.join(' ')}`]
      const content = plainText(`${[...lines, `Signed-By: ${signedBy}`].join('\n')}\n`)
      const fetch = updateLists()
      if (now?.content === content.parts[0]) {
        return changes(
          fetched.includes(suite) ? [] : [update(`lists of source ${name}`, fetch, { explain: explainApt })],
          suite,
        )
      }
      const write = writeFile(path, content, { mode: '0644', owner: 'root', group: 'root' })
      const diff = diffOf(path, now, content)
      if (now) return changes([update(`source ${name}`, [write, fetch], { diff, explain: explainApt })], '')
      const undo = [sh`rm -f ${path}`]
      return changes([create(`source ${name}`, [write, fetch], { diff, undo, explain: explainApt })], '')
    },
  })
}
