import { graphOf } from '@infra/shared/cli/graph'
import { commandsOf, type Entry } from '@infra/shared/cli/help'
import { renderExample, replaceTables } from '@infra/shared/env/docs'
import { sampleEnv } from '@infra/shared/env/sample'
import { svgOf } from '@infra/shared/report/svg'
import { pages } from '../project/pages.ts'
import { entries, schemas, tables, workspaces } from './tables.ts'

/** The files that are made from schemas, command tables and scripts: what each shall be, given what it is. */
export const documents: readonly { file: string; render(now: string): string }[] = [
  { file: '.env.example', render: () => renderExample(schemas) },
  ...pages.map((file) => ({ file, render: (now: string) => replaceTables(now, tables) })),
  ...entries.map((entry) => ({
    file: `${entry.name}/package.json`,
    render: (now: string) => withScripts(entry, now),
  })),
  ...workspaces.map((workspace) => ({
    file: `docs/graph-${workspace.name}.svg`,
    render: () => `${svgOf(graphOf(workspace, sampleEnv(workspace.schema), '/nowhere'))}\n`,
  })),
]

/** A package.json with an npm script for each command of its workspace, started as `validate` is. */
function withScripts(entry: Entry, now: string): string {
  const manifest = JSON.parse(now) as { scripts: Record<string, string> }
  const start = manifest.scripts.validate?.replace(/validate$/, '') ?? ''
  for (const name of Object.keys(commandsOf(entry))) manifest.scripts[name] = start + name
  return `${JSON.stringify(manifest, null, 2)}\n`
}
