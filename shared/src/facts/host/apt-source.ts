import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/**
 * The suites of one package source whose lists are on the host, from the files apt keeps: the lists of
 * `https://apt.example.org/debian` are named `apt.example.org_debian_dists_SUITE_InRelease`.
 */
export function fetchedSuites(uri: string): Question<readonly string[]> {
  const name = archiveOf(uri).replaceAll('_', '%5f').replaceAll('/', '_')
  return {
    command: sh`cd /var/lib/apt/lists 2>/dev/null && for f in ${name}_dists_*Release; do [ ! -e "$f" ] || echo "$f"; done`,
    parse: ({ stdout }) => {
      const files = stdout.split('\n').filter(Boolean)
      return files.map((file) => file.slice(`${name}_dists_`.length).replace(/_(In)?Release$/, ''))
    },
  }
}

/** Whether the host has lists of any source at this site. */
export function hasListsOf(site: string): Question<boolean> {
  return {
    command: sh`for f in /var/lib/apt/lists/${site}_*Release; do [ ! -e "$f" ] || echo "$f"; done`,
    parse: ({ stdout }) => stdout !== '',
  }
}

/** The archive at an address, as apt tells one from another: whichever way it is fetched. */
export function archiveOf(uri: string): string {
  return uri
    .replace(/^[a-z+]+:\/\//i, '')
    .replace(/^[^/@]*@/, '')
    .replace(/\/+$/, '')
}

/** A source in use: a line of a `.list` file, or a stanza of a `.sources` file. */
export interface AptSource {
  /** Its first and last line in the file, from 1. */
  readonly lines: readonly [from: number, to: number]
  readonly archives: readonly string[]
  readonly suites: readonly string[]
}

export interface AptSourceFile {
  readonly path: string
  readonly sources: readonly AptSource[]
}

/** Of apt's files of sources those that name the host of this archive, but for our own file, with all that is in use in them. */
export function sourceFiles(uri: string, own: string): Question<readonly AptSourceFile[]> {
  const folder = '/etc/apt/sources.list'
  const [host = ''] = archiveOf(uri).split('/')
  return {
    command: sh`grep -lsiF ${host} ${folder} ${`${folder}.d`}/*.list ${`${folder}.d`}/*.sources | while read -r f; do
[ "$f" = ${own} ] || { echo "file $f"; sed 's/^/ /' "$f"; }; done`,
    parse({ stdout }) {
      const pieces = stdout.split(/^file /m).slice(1)
      return pieces.map((piece) => {
        const [path = '', ...rows] = piece.split('\n')
        const lines = rows.map((row) => row.slice(1))
        return { path, sources: path.endsWith('.sources') ? stanzas(lines) : oneLiners(lines) }
      })
    },
  }
}

// A word may be in quotes, and `%20` be a blank in it (ParseQuoteWord of apt).
const word = '((?:"[^"]*"|[^\\s"])+)'
const oneLiner = new RegExp(`^\\s*deb(?:-src)?\\s+(?:\\[[^\\]]*\\]\\s*)?${word}\\s+${word}`)

function oneLiners(lines: readonly string[]): AptSource[] {
  return lines.flatMap((line, index) => {
    const [uri, suite] = (line.match(oneLiner)?.slice(1) ?? []).map((said) => said.replaceAll('"', ''))
    return uri && suite ? [{ lines: [index + 1, index + 1], archives: [archiveOf(uri)], suites: [suite] }] : []
  })
}

function stanzas(lines: readonly string[]): AptSource[] {
  const found: AptSource[] = []
  let [from, fields]: [number, string[]] = [0, []]
  const close = (to: number) => {
    const field = (name: string) =>
      fields
        .find((text) => text.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim()
        .split(/\s+/)
    const isOff = /^(no|false|without|off|disable|0)$/i.test(field('enabled')?.[0] ?? '')
    const [archives = [], suites = []] = [field('uris')?.map(archiveOf), field('suites')]
    if (archives.length > 0 && !isOff) found.push({ lines: [from, to], archives, suites })
    fields = []
  }
  for (const [index, line] of [...lines, ''].entries()) {
    if (line.startsWith('#')) continue
    if (line.trim() === '') close(index)
    else if (/^\s/.test(line)) fields.push(`${fields.pop() ?? ''} ${line}`)
    else if (fields.push(line) === 1) from = index + 1
  }
  return found
}
