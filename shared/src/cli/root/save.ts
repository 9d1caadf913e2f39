import type { WorkspaceResult } from '../../engine/events.ts'
import { savePlanPage } from '../../report/page.ts'
import { pageOf } from '../page.ts'
import { savePlans, sayPlanSaved } from '../plan-file.ts'
import type { Planned, RootRun } from './side-by-side.ts'

/** Saves the plans that were made: `--out FILE` to deploy them, all or none; `--html FILE` to read them. */
export function saveAll(
  { call, members, reporters }: RootRun,
  planned: readonly Planned[],
  results: readonly WorkspaceResult[],
  folder: string,
): void {
  const { out, html } = call.options
  const say = (text: string, level: 'info' | 'warn' = 'info') =>
    reporters.inOrder.emit({ type: 'message', level, text })
  const inOrder = members.flatMap((member) => planned.filter((one) => one.member === member))
  if (html !== undefined) {
    const plans = inOrder.map((one) => pageOf(one.member.workspace, one, folder))
    savePlanPage(html, { plans, results, made: new Date() })
    say(`HTML plan: ${html}`)
  }
  if (out === undefined) return
  const failed = members.filter((member) => !planned.some((one) => one.member === member))
  if (failed.length > 0) {
    say(`not saved to ${out}: there is no plan of ${failed.map(({ workspace }) => workspace.name).join(', ')}`, 'warn')
    return
  }
  savePlans(out, folder, inOrder)
  const abouts = inOrder.map(({ about }) => about)
  say(sayPlanSaved(`npm run deploy -- --plan ${out}`, out, abouts))
}
