import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { optionTable } from '@infra/shared/cli/options'
import { exitCodes } from '@infra/shared/engine/failure'
import { sampleEnv } from '@infra/shared/env/sample'
import { describe, expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { workspaces } from '../env/tables.ts'
import { type NpmCall, npmCalls, pages, parsed, root, scriptsOf, textOf } from './pages.ts'

// The changelog names commands as they were.
const current = pages.filter((page) => page !== 'CHANGELOG.md')

describe.each(current)('%s', (page) => {
  const all = npmCalls(textOf(page))

  test('names scripts that exist', () => {
    expect(all.filter(({ script, workspace }) => scriptsOf(workspace)[script] === undefined)).toEqual([])
  })

  test('gives options that the command has', () => {
    for (const call of all) expect(() => parsed(call), call.line).not.toThrow()
  })

  test('selects scripts that there are', () => {
    for (const call of all) {
      const { tags = [], 'skip-tags': skipped = [] } = parsed(call)?.options ?? {}
      for (const tag of [...tags, ...skipped]) expect(tagsOf(call), call.line).toContain(tag)
    }
  })

  test('names checks that there are', () => {
    for (const call of all)
      for (const prefix of parsed(call)?.options.only ?? [])
        expect(
          checksOf(call).filter((id) => id.startsWith(prefix)),
          call.line,
        ).not.toEqual([])
  })

  test('imports what is exported, in its examples', () => {
    const imports = textOf(page).matchAll(/^import (?:type )?\{ (.+) \} from '@infra\/shared\/(.+)'$/gm)
    const missing = [...imports].flatMap(([, names = '', path]) => {
      const source = readFileSync(join(root, `shared/src/${path}.ts`), 'utf8')
      const exported = (name: string) => new RegExp(`^export .*\\b${name.replace('type ', '')}\\b`, 'm').test(source)
      return names.split(', ').filter((name) => !exported(name))
    })
    expect(missing).toEqual([])
  })

  test('names files that exist', () => {
    const paths = [
      ...textOf(page).matchAll(
        /`((?:shared|pod|cluster|stoat|tests|docs|steps|facts|targets|engine|command)\/[\w./-]+\.(?:ts|md|json|py|sh))`/g,
      ),
    ]
    const missing = paths.map(([, path]) => path as string).filter((path) => !/NAME|NN-/.test(path))
    const inShared = (path: string) => join('shared/src', path)
    expect(missing.filter((path) => ![path, inShared(path)].some((place) => existsSync(join(root, place))))).toEqual([])
  })
})

/** The names and tags of the scripts of a call's workspace; of all for a call of the root. */
function tagsOf({ workspace }: NpmCall): string[] {
  const asked = workspaces.filter(({ name }) => workspace === '.' || name === workspace)
  return asked.flatMap(({ scripts }) => scripts.flatMap(({ tags }) => tags))
}

/** The ids of the checks of a call's workspace. */
const checksOf = ({ workspace }: NpmCall): string[] => checkIds.get(workspace) ?? []
const checkIds = new Map(
  workspaces.map((one) => {
    const { context } = one.open({ env: sampleEnv(one.schema), offline: true, folder: '/nonexistent' })
    return [one.name, one.checks(context).map(({ id }) => id)]
  }),
)

/** What GitHub makes of a heading as the target of a link. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

const withoutCode = (text: string) =>
  text.replace(/^ *```[\s\S]*?^ *```/gm, '').replace(/`[^`\n]*`/g, (code) => code.slice(1, -1))
const anchorsOf = (page: string) =>
  [...withoutCode(textOf(page)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))

/** What the links of a page lead to that is not there; those to other sites are not looked at. */
function brokenLinks(page: string): string[] {
  const links = [...withoutCode(textOf(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? page : normalize(join(dirname(page), file))
    if (!existsSync(join(root, target))) return true
    return anchor !== undefined && !anchorsOf(target).includes(anchor)
  })
}

test.each(pages)('the links of %s lead somewhere', (page) => {
  expect(brokenLinks(page)).toEqual([])
})

test.each(pages)('the YAML of %s is YAML', (page) => {
  for (const [, block = ''] of textOf(page).matchAll(/^```yaml\n([\s\S]*?)^```/gm))
    expect(parseDocument(block).errors, block).toEqual([])
})

test('every page can be reached from the README', () => {
  const reached = new Set(['README.md'])
  // A set grows while it is walked.
  for (const page of reached)
    for (const [, file = ''] of textOf(page).matchAll(/\]\(([^)\s#:]+\.md)(?:#[^)]*)?\)/g))
      reached.add(normalize(join(dirname(page), file)))
  // The decisions are a folder: architecture.md names it.
  const lost = pages.filter((page) => !reached.has(page) && !page.startsWith('docs/decisions/'))
  expect(lost).toEqual([])
})

test('the README is short, and has calls and all exit codes', () => {
  const readme = textOf('README.md')
  expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(112)
  // All but tables, lists of links and the plan's own summary fit a terminal.
  const wide = readme.split('\n').filter((line) => line.length > 80)
  expect(wide.filter((line) => !/^[|-] |^pod: /.test(line))).toEqual([])
  expect(npmCalls(readme).length).toBeGreaterThan(15)
  for (const code of Object.values(exitCodes)) expect(readme).toMatch(new RegExp(`\\b${code}\\b`))
})

test('the page of commands names every option that all workspaces share', () => {
  for (const name of Object.keys(optionTable)) expect(textOf('docs/commands.md')).toContain(`--${name}`)
})

test('nobody outside knows the words of the makers', () => {
  expect(pages.filter((page) => /\bseeds?\b/i.test(textOf(page)))).toEqual([])
})
