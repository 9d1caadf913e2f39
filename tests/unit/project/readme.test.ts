import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { optionTable, parseCall, type WorkspaceSyntax } from '@infra/shared/cli/options'
import { rootSyntax } from '@infra/shared/cli/root/main'
import { exitCodes } from '@infra/shared/engine/failure'
import { describe, expect, test } from 'vitest'
import cluster from '../../../cluster/commands/index.ts'
import pod from '../../../pod/commands/index.ts'
import stoat from '../../../stoat/commands/index.ts'

const root = join(import.meta.dirname, '../../..')
const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.md'),
)
const documents = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...pages.map((file) => `docs/${file}`)]
const text = (document: string) => readFileSync(join(root, document), 'utf8')
const scriptsOf = (folder: string): Record<string, string> =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).scripts ?? {}

const syntaxes: Readonly<Record<string, WorkspaceSyntax>> = {
  pod,
  cluster,
  stoat,
  '.': rootSyntax([pod, cluster, stoat]),
}

interface Call {
  readonly line: string
  readonly script: string
  readonly workspace: string
  readonly options: string[]
}

/** Every `npm run …` of a document, in code blocks and in running text. */
function calls(document: string): Call[] {
  const found = text(document).matchAll(/npm (?:run )?(?:-s )?([a-z:-]+)( -w ([a-z]+))?( -- ([^`#\n]*))?(?=[`#\n ]|$)/g)
  return [...found]
    .filter(([line, script]) => line.startsWith('npm run') || script === 'test')
    .map(([line, script = '', , workspace = '.', , options = '']) => ({
      line,
      script,
      workspace,
      options: [...options.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? ''),
    }))
}

describe.each(documents)('%s', (document) => {
  const all = calls(document)

  test('names scripts that exist', () => {
    expect(all.filter(({ script, workspace }) => scriptsOf(workspace)[script] === undefined)).toEqual([])
  })

  test('gives options that the command has', () => {
    const shared: readonly string[] = ['validate', 'plan', 'deploy', 'verify', 'unlock']
    for (const { script, workspace, options } of all) {
      const syntax = syntaxes[workspace] ?? {}
      if (shared.includes(script) || syntax.commands?.[script])
        expect(() => parseCall(script, options, syntax), `${workspace} ${script}`).not.toThrow()
    }
  })

  test('imports what is exported, in its examples', () => {
    const imports = text(document).matchAll(/^import (?:type )?\{ (.+) \} from '@infra\/shared\/(.+)'$/gm)
    const missing = [...imports].flatMap(([, names = '', path]) => {
      const source = readFileSync(join(root, `shared/src/${path}.ts`), 'utf8')
      const exported = (name: string) => new RegExp(`^export .*\\b${name.replace('type ', '')}\\b`, 'm').test(source)
      return names.split(', ').filter((name) => !exported(name))
    })
    expect(missing).toEqual([])
  })

  test('names files that exist', () => {
    const paths = [
      ...text(document).matchAll(
        /`((?:shared|pod|cluster|stoat|tests|docs|steps|facts|targets|engine|command)\/[\w./-]+\.(?:ts|md|json|py|sh))`/g,
      ),
    ]
    const missing = paths.map(([, path]) => path as string).filter((path) => !/NAME|NN-/.test(path))
    const inShared = (path: string) => join('shared/src', path)
    expect(missing.filter((path) => ![path, inShared(path)].some((place) => existsSync(join(root, place))))).toEqual([])
  })
})

test('the README has calls, exit codes and options to check', () => {
  expect(calls('README.md').length).toBeGreaterThan(15)
  for (const code of Object.values(exitCodes)) expect(text('README.md')).toMatch(new RegExp(`\\b${code}\\b`))
  const told = [
    'check',
    'dry-run',
    'tags',
    'skip-tags',
    'yes',
    'diff',
    'no-diff',
    'env',
    'verbose',
    'json',
    'out',
    'plan',
  ]
  for (const name of told) {
    expect(optionTable).toHaveProperty(name)
    expect(text('README.md')).toContain(`--${name}`)
  }
})
