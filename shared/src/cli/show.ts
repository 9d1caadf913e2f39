import { standard, streams } from '../report/outlet.ts'
import { planLines } from '../report/plan-text.ts'
import { summarize } from '../report/plan-view.ts'
import { print, printJson } from '../report/print.ts'
import { paintFor } from '../report/style.ts'
import type { Call } from './options.ts'
import { fromHere, projectRoot, stateFolder } from './paths.ts'
import { isSealed, readPlanFile } from './plan-file.ts'
import { diffMode } from './reporters.ts'

/** `show FILE`: prints what a saved plan would do, as it was shown when it was made. Asks no target. */
export async function showPlans({ args, options }: Call): Promise<number> {
  const [path = ''] = args
  const saved = readPlanFile(fromHere(path, process.env), '')
  if (!isSealed(saved, stateFolder(projectRoot(process.env))))
    standard.err.write(
      'warning: it was not saved by this checkout, or was changed since: this checkout cannot deploy it\n',
    )
  const { made, plans } = saved
  if (options.json) {
    printJson({ made, plans: plans.map(({ steps: _, ...plan }) => plan) }, 2)
    return 0
  }
  const paint = paintFor(streams.out, process.env)
  for (const { workspace, environment, cost, assumed, shown } of plans) {
    const name = environment === undefined ? workspace : `${workspace} (environment ${environment})`
    const text = { paint, diff: diffMode(options), verbose: options.verbose === true }
    print(['', paint('bold', `── ${name}, planned ${made}`), ...planLines(shown, text), ''].join('\n'))
    if (assumed !== undefined) print(`This is a plan for ${assumed}: it is for reading only.`)
    print(paint('bold', summarize(workspace, shown)) + (cost ? `\ncost a month: ${cost.total}` : ''))
  }
  return 0
}
