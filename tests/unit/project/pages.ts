import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Call, parseCall, type WorkspaceSyntax } from '@infra/shared/cli/options'
import { rootSyntax } from '@infra/shared/cli/root/main'
import cluster from '../../../cluster/commands/index.ts'
import pod from '../../../pod/commands/index.ts'
import provision from '../../../pod/provision/commands.ts'
import stoat from '../../../stoat/commands/index.ts'

export const root = join(import.meta.dirname, '../../..')

/** The pages that people read, by their paths from the root. */
export const pages: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`)
    .sort(),
]

export const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')

/** The code spans of a page's sentences and tables, as they are shown; what stands in a block is none of them. */
export const codeSpans = (page: string): string[] =>
  [
    ...textOf(page)
      .replace(/^( *)```[\s\S]*?^\1```/gm, '')
      .matchAll(/(?<!`)`([^`\n]+)`(?!`)/g),
  ].map(([, text = '']) => text.replaceAll('\\|', '|'))

/** The npm scripts of a workspace, or of the root (`.`). */
export const scriptsOf = (folder: string): Record<string, string> =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).scripts ?? {}

const syntaxes: Readonly<Record<string, WorkspaceSyntax>> = {
  pod,
  cluster,
  stoat,
  '.': rootSyntax([pod, cluster, stoat]),
}

/** An `npm run …` of a text. */
export interface NpmCall {
  readonly line: string
  readonly script: string
  readonly workspace: string
  readonly options: readonly string[]
}

/** Every `npm run …` of a text, in code blocks and in running text. */
export function npmCalls(text: string): NpmCall[] {
  // In a shell's substitution a call ends with it.
  const apart = text.replaceAll(/\$\((npm run [^)]*)\)/g, '`$1`')
  const found = apart.matchAll(/npm (?:run )?(?:-s )?([a-z:-]+)( -w ([a-z]+))?( -- ([^`#\n]*))?(?=[`#\n ]|$)/g)
  return [...found]
    .filter(([line, script]) => line.startsWith('npm run') || script === 'test')
    .map(([line, script = '', , workspace = '.', , options = '']) => ({
      line,
      script,
      workspace,
      options: [...commandOf(options).matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? ''),
    }))
}

/** What stands before a shell's next command. */
const commandOf = (text: string) => text.split(/ (?:\||&&|;) /)[0] ?? ''

/**
 * Parses a call as the program does. Undefined for an npm script that is not a command of it, such as a test; throws
 * for an option or an argument that the command does not take.
 */
export function parsed({ script, workspace, options }: NpmCall): Call | undefined {
  if (script === 'provision') return parseCall('deploy', options, provision)
  const syntax = syntaxes[workspace] ?? {}
  const shared: readonly string[] = ['validate', 'plan', 'deploy', 'verify', 'unlock']
  return shared.includes(script) || syntax.commands?.[script] ? parseCall(script, options, syntax) : undefined
}
