import { collect } from '../engine/declaration.ts'
import type { Work } from '../engine/plan.ts'
import { idOf } from '../engine/step.ts'
import { sampleEnv } from '../env/sample.ts'
import type { EnvOf, Schema } from '../env/variable.ts'
import { type Graph, mermaidOf } from '../report/mermaid.ts'
import { print, printJson } from '../report/print.ts'
import { svgOf } from '../report/svg.ts'
import { stateFolder } from './paths.ts'
import { problemFailure, readEnv, type Session } from './session.ts'
import type { Workspace } from './workspace.ts'

/** `graph`: prints the graph of the environment that is configured, else that of sample values. Asks no target. */
export function runGraph(session: Session): number {
  const { workspace, root, options, workspaceOptions } = session
  const { env, problems, unconfigured } = readEnv(session, 'plan')
  if (problems && !unconfigured) throw problemFailure(problems, session)
  const made = graphOf(workspace, env ?? sampleEnv(workspace.schema), stateFolder(root))
  if (options.json) printJson(made)
  else print(workspaceOptions.svg ? svgOf(made) : mermaidOf(made))
  return 0
}

/** The declared graph of a workspace: all scripts in order, each with its steps in order. */
export function graphOf(workspace: Workspace, env: EnvOf<Schema>, folder: string): Graph {
  const { context } = workspace.open({ env, offline: true, folder })
  return graphOfWork(workspace, collect(workspace.scripts, context), folder)
}

/** The graph of what a run collected: all scripts of the workspace, or those that were chosen. */
export function graphOfWork({ name, scripts }: Workspace, work: readonly Work[], folder: string): Graph {
  // The project's own folder is another one on each machine.
  const shown = (id: string) => id.replace(folder, '.infra')
  // A script that was not chosen is not in the picture.
  const known = new Set(work.flatMap(({ steps }) => steps.map(({ id }) => shown(id))))
  return {
    name,
    scripts: work.map(({ script, steps }) => ({
      name: script,
      about: scripts.find((one) => one.name === script)?.about ?? '',
      steps: steps.map(({ id, dependsOn }) => ({
        id: shown(id),
        dependsOn: [...new Set(dependsOn.map((one) => shown(idOf(one))))].filter((one) => known.has(one)),
      })),
    })),
  }
}
