import { graphOf } from '@infra/shared/cli/graph'
import { commandsOf, type Entry } from '@infra/shared/cli/help'
import type { WorkspaceOption } from '@infra/shared/cli/options'
import { renderExample, replaceBetween, replaceTables } from '@infra/shared/env/docs'
import { sampleEnv } from '@infra/shared/env/sample'
import { svgOf } from '@infra/shared/report/svg'
import clusterWorkspace from '../../../cluster/cluster.ts'
import cluster from '../../../cluster/commands/index.ts'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { costTable } from '../../../cluster/prices/prices.ts'
import pod from '../../../pod/commands/index.ts'
import { podSchema } from '../../../pod/env/env.ts'
import podWorkspace from '../../../pod/pod.ts'
import stoat from '../../../stoat/commands/index.ts'
import { stoatSchema } from '../../../stoat/env/env.ts'
import stoatWorkspace from '../../../stoat/stoat.ts'

const entries: readonly Entry[] = [pod, cluster, stoat]
export const schemas = [podSchema, clusterSchema, stoatSchema]

/** The files that are made from schemas, command tables and scripts: what each shall be, given what it is. */
export const documents: readonly { file: string; render(now: string): string }[] = [
  { file: '.env.example', render: () => renderExample(schemas) },
  { file: 'README.md', render: (now) => withCommands(replaceTables(now, schemas)) },
  ...entries.map((entry) => ({
    file: `${entry.name}/package.json`,
    render: (now: string) => withScripts(entry, now),
  })),
  ...[podWorkspace, clusterWorkspace, stoatWorkspace].map((workspace) => ({
    file: `docs/graph-${workspace.name}.svg`,
    render: () => `${svgOf(graphOf(workspace, sampleEnv(workspace.schema), '/nowhere'))}\n`,
  })),
]

/** A README with what the cluster costs, and the table of each workspace's own commands and options. */
const withCommands = (readme: string): string =>
  entries.reduce(
    (text, entry) => replaceBetween(text, `commands:${entry.name}`, commandTable(entry)),
    replaceBetween(readme, 'costs:cluster', costTable()),
  )

/** The commands that only one workspace has, and its options of deploy and verify, as Markdown. */
function commandTable({ name: workspace, commands = {}, planOptions = {}, verifyOptions = {} }: Entry): string {
  const call = (words: readonly string[]) => `\`npm run ${words.join(' ')}\``
  const own = Object.entries(commands).map(([name, { about, args = [], options = {} }]) => {
    const given = args.length > 0 ? ['--', ...args] : []
    return [call([name, '-w', workspace, ...given]), [about, ...optionList(options)].join('; ')]
  })
  const more = (['deploy', 'verify'] as const).flatMap((command) =>
    Object.entries(command === 'deploy' ? planOptions : verifyOptions).map(([name, { help }]) => [
      call([command, '-w', workspace, '--', `--${name}`]),
      help,
    ]),
  )
  const rows = [['command', 'what it does'], ['---', '---'], ...more, ...own]
  return rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')
}

/** The options of a command in a list, by the short name where there is one; none where there is no option. */
function optionList(options: Readonly<Record<string, WorkspaceOption>>): string[] {
  const shown = Object.entries(options).map(
    ([name, { short, value }]) => `\`${short ? `-${short}` : `--${name}`}${value ? ` ${value}` : ''}\``,
  )
  return shown.length > 0 ? [shown.join(', ')] : []
}

/** A package.json with an npm script for each command of its workspace, started as `validate` is. */
function withScripts(entry: Entry, now: string): string {
  const manifest = JSON.parse(now) as { scripts: Record<string, string> }
  const start = manifest.scripts.validate?.replace(/validate$/, '') ?? ''
  for (const name of Object.keys(commandsOf(entry))) manifest.scripts[name] = start + name
  return `${JSON.stringify(manifest, null, 2)}\n`
}
