import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { archiveOf, sourceFiles } from '@infra/shared/facts/host/apt-source'
import { runLocal } from '@infra/shared/targets/process'
import { describe, expect, test } from 'vitest'
import { chanceBy } from '../../../support/chance.ts'
import { damages } from '../../../support/damage.ts'
import { randomBy } from '../../../support/shuffle.ts'
import { tempFolder } from '../../../support/temp.ts'

const { below, oneOf, many } = chanceBy(20261201)
const host = 'apt.example.org'
const apt = '/usr/bin/apt-get'

/** Files of sources, made by chance, that all name the host. */
const place = (files: Readonly<Record<string, string>>): string => {
  const root = tempFolder()
  mkdirSync(join(root, 'sources.list.d'))
  mkdirSync(join(root, 'lists/partial'), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text)
  return root
}

/** `archive suite` of each source that we find in use. */
async function found(root: string): Promise<string[]> {
  const { command, parse } = sourceFiles(`https://${host}/x`, '/none')
  const files = parse(await runLocal(command.line.replaceAll('/etc/apt', root), ''))
  const all = files.flatMap(({ sources }) =>
    sources.flatMap(({ archives, suites }) =>
      archives.flatMap((archive) => suites.map((suite) => `${archive} ${suite}`)),
    ),
  )
  return [...new Set(all)].sort()
}

/** The same by apt itself. */
function byApt(root: string): string[] {
  const words = ['sourcelist=sources.list', 'sourceparts=sources.list.d'].flatMap((said) => ['-o', `Dir::Etc::${said}`])
  const where = ['-o', `Dir::Etc=${root}`, '-o', `Dir::State::Lists=${root}/lists`]
  const { status, stdout, stderr } = spawnSync(apt, ['update', '--print-uris', ...where, ...words], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  const releases = [...stdout.matchAll(/^'(.*?)\/dists\/(.*)\/InRelease' /gm)]
  return [...new Set(releases.map(([, uri = '', suite]) => `${archiveOf(uri)} ${suite}`))].sort()
}

const blank = () => oneOf([' ', '  ', '\t'])
const uri = () =>
  `${oneOf(['http', 'https'])}://${oneOf(['', 'me:secret@'])}${oneOf([host, host, 'Apt.Example.Org'])}/p${below(20)}${oneOf(['', '/', '//'])}`
const suite = () => oneOf(['trixie', 'trixie-pgdg', 'stable'])
const quoted = (word: string) => oneOf([word, word, word, `"${word}"`])
const line = () => {
  const options = oneOf(['', '', `[arch=amd64]${blank()}`, `[ arch=amd64  lang=en ]${blank()}`])
  const head = oneOf(['', '', '', '#', '# ', ' ', '\t'])
  return `${head}${oneOf(['deb', 'deb', 'deb-src'])}${blank()}${options}${quoted(uri())}${blank()}${quoted(suite())}${blank()}main${oneOf(['', ' contrib', ' # said', ' '])}`
}
const cased = (name: string) => oneOf([name, name, name.toLowerCase(), name.toUpperCase()])
const field = (name: string, words: readonly string[]) => {
  const between = () => oneOf([' ', '\n ', '\n\t', `\n# ${uri()}\n `])
  return `${cased(name)}:${oneOf(['', ' ', '  '])}${words.reduce((before, word) => `${before}${between()}${word}`)}`
}
const stanza = () => {
  const fields = [
    field('Types', oneOf([['deb'], ['deb', 'deb-src']])),
    field('URIs', many(1 + below(3), uri)),
    field('Suites', many(1 + below(2), suite)),
    field('Components', ['main']),
    ...oneOf([[], [], [field('Enabled', [oneOf(['no', 'yes', 'No', 'false'])])], ['# Enabled: no'], ['X-Own: y']]),
  ]
  return `${fields.join('\n')}\n`
}

describe('the sources of packages', () => {
  test('in use are those that apt itself finds, in whatever shape they are written', async ({ skip }) => {
    if (!existsSync(apt)) return skip('apt is not on this machine')
    let said = 0
    for (let times = 0; times < 40; times += 1) {
      const files = {
        'sources.list': `${many(below(8), line).join('\n')}\n`,
        'sources.list.d/a.list': `${many(below(6), line).join('\n')}\n`,
        'sources.list.d/b.sources': many(below(5), stanza).join(oneOf(['\n', '\n\n', '\n# said\n\n'])),
      }
      const root = place(files)
      const desired = byApt(root)
      said += desired.length
      expect([files, await found(root)]).toEqual([files, desired])
    }
    expect(said).toBeGreaterThan(300)
  })

  test('damaged, are read to the end', async () => {
    const damaged = damages(randomBy(20261202))
    const { parse } = sourceFiles(`https://${host}/x`, '/none')
    for (let times = 0; times < 2000; times += 1) {
      const text = [`file /etc/apt/sources.list`, line(), `file /etc/apt/sources.list.d/b.sources`, stanza()]
      const stdout = damaged(text.join('\n').replace(/\n(?!file )/g, '\n '), ' \n"[]:#/=\t\u0000')
      expect(() => parse({ code: 0, stdout, stderr: '' })).not.toThrow()
    }
  })
})
