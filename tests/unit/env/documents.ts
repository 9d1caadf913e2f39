import { commandsOf, type Entry } from '@infra/shared/cli/help'
import { renderExample, replaceBetween, replaceTables } from '@infra/shared/env/docs'
import cluster from '../../../cluster/commands/index.ts'
import { clusterSchema } from '../../../cluster/env/env.ts'
import { costTable } from '../../../cluster/prices/prices.ts'
import pod from '../../../pod/commands/index.ts'
import { podSchema } from '../../../pod/env/env.ts'
import stoat from '../../../stoat/commands/index.ts'
import { stoatSchema } from '../../../stoat/env/env.ts'

export const schemas = [podSchema, clusterSchema, stoatSchema]

/** The files that are made from the schemas and the command tables: what each shall be, given what it is. */
export const documents: readonly { file: string; render(now: string): string }[] = [
  { file: '.env.example', render: () => renderExample(schemas) },
  { file: 'README.md', render: (now) => replaceBetween(replaceTables(now, schemas), 'costs:cluster', costTable()) },
  ...[pod, cluster, stoat].map((entry) => ({
    file: `${entry.name}/package.json`,
    render: (now: string) => withScripts(entry, now),
  })),
]

/** A package.json with an npm script for each command of its workspace, started as `validate` is. */
function withScripts(entry: Entry, now: string): string {
  const manifest = JSON.parse(now) as { scripts: Record<string, string> }
  const start = manifest.scripts.validate?.replace(/validate$/, '') ?? ''
  for (const name of Object.keys(commandsOf(entry))) manifest.scripts[name] = start + name
  return `${JSON.stringify(manifest, null, 2)}\n`
}
