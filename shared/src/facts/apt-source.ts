import { sh } from '../command/sh.ts'
import type { Question } from '../engine/step.ts'

/**
 * The suites of one package source whose lists are on the host, from the files apt keeps: the lists of
 * `https://apt.example.org/debian` are named `apt.example.org_debian_dists_SUITE_InRelease`.
 */
export function fetchedSuites(uri: string): Question<readonly string[]> {
  const name = uri
    .replace(/^[a-z]+:\/\//, '')
    .replace(/\/+$/, '')
    .replaceAll('_', '%5f')
    .replaceAll('/', '_')
  return {
    command: sh`cd /var/lib/apt/lists 2>/dev/null && for f in ${name}_dists_*Release; do [ ! -e "$f" ] || echo "$f"; done`,
    parse: ({ stdout }) => {
      const files = stdout.split('\n').filter(Boolean)
      return files.map((file) => file.slice(`${name}_dists_`.length).replace(/_(In)?Release$/, ''))
    },
  }
}
