import { totalPrice } from '../engine/cost.ts'
import type { WorkspaceResult } from '../engine/events.ts'
import type { Plan, Work } from '../engine/plan.ts'
import { type PlanPage, savePlanPage } from '../report/page.ts'
import { viewOf } from '../report/plan-view.ts'
import { graphOfWork } from './graph.ts'
import { planIn } from './in-environment.ts'
import { stateFolder } from './paths.ts'
import type { PlanToSave } from './plan-file.ts'
import type { Session } from './session.ts'
import type { Workspace } from './workspace.ts'

interface Planned {
  readonly plan: Plan
  readonly about: PlanToSave['about']
  readonly work: readonly Work[]
}

/** The plan of a workspace as a page shows it. `folder` is the project's own. */
export function pageOf(workspace: Workspace, { plan, about, work }: Planned, folder: string): PlanPage {
  return {
    workspace: workspace.name,
    view: viewOf(planIn(plan, about.environment)),
    cost: about.cost,
    environment: about.environment,
    assumed: about.assumed,
    graph: graphOfWork(workspace, work, folder),
  }
}

/** `plan --html FILE` of one workspace. */
export function saveOnePage(path: string, { workspace, root, emit }: Session, planned: Planned): void {
  const page = pageOf(workspace, planned, stateFolder(root))
  const { counts, risks } = page.view
  const result: WorkspaceResult = {
    workspace: workspace.name,
    result: 'planned',
    changes: { ...counts },
    risks: { ...risks },
    cost: page.cost?.total,
    price: page.cost && totalPrice(page.cost),
  }
  savePlanPage(path, { plans: [page], results: [result], made: new Date() })
  emit({ type: 'message', level: 'info', text: `HTML plan: ${path}` })
}
