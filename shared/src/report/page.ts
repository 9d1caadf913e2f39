import { type Cost, sayPrice } from '../engine/cost.ts'
import type { WorkspaceResult } from '../engine/events.ts'
import { clean } from './clean.ts'
import { type Graph, mermaidOf } from './mermaid.ts'
import { saveTo } from './outlet.ts'
import { pageStyle } from './page-style.ts'
import { hiddenDiff, patchLines } from './plan-text.ts'
import { type ChangeView, type PlanView, riskWords, type StepView, summarize, targetsOf } from './plan-view.ts'
import { sayWorkspace } from './style.ts'
import { summaryRows } from './summary.ts'
import { svgOf } from './svg.ts'

/** The plan of a workspace, for a page. */
export interface PlanPage {
  readonly workspace: string
  readonly view: PlanView
  readonly cost?: Cost | undefined
  readonly environment?: string | undefined
  /** What was assumed in place of what is there. */
  readonly assumed?: string | undefined
  readonly graph: Graph
}

export interface PageOptions {
  readonly plans: readonly PlanPage[]
  /** Every workspace of the run, for the table at the top. */
  readonly results: readonly WorkspaceResult[]
  readonly made: Date
}

/** Writes plans as one HTML page that needs no other file, no network and no JavaScript; readable by its owner only. */
export function savePlanPage(path: string, options: PageOptions): void {
  saveTo(path, renderPage(options))
}

function renderPage({ plans, results, made }: PageOptions): string {
  const title = `Plan of ${plans.map(nameOf).join(', ') || 'nothing'}`
  const when = made.toISOString().slice(0, 16).replace('T', ' ')
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${text(title)}</title>`,
    `<style>${pageStyle}</style>`,
    '</head>',
    '<body>',
    `<header><h1>${text(title)}</h1><p>made <time datetime="${made.toISOString()}">${when} UTC</time></p></header>`,
    '<main>',
    resultTable(results),
    ...plans.flatMap(planSection),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

const nameOf = ({ workspace, environment }: PlanPage): string => sayWorkspace(workspace, environment)

function resultTable(results: readonly WorkspaceResult[]): string {
  const [heads = [], ...rows] = summaryRows(results)
  const head = heads.map((cell) => `<th scope="col">${text(cell)}</th>`).join('')
  const body = rows.map(([first = '', ...cells]) => {
    const rest = cells.map((cell) => `<td>${text(cell || '–')}</td>`).join('')
    return `<tr><th scope="row">${text(first)}</th>${rest}</tr>`
  })
  return `<section class="wide" aria-label="Summary" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table></section>`
}

function planSection(page: PlanPage): string[] {
  const { workspace, view, cost, assumed, graph } = page
  const scripts = [...new Set(view.steps.map(({ script }) => script))]
  const stepsOf = (script: string) => view.steps.filter((step) => step.script === script)
  return [
    `<section aria-label="${text(workspace)}">`,
    `<h2>${text(nameOf(page))}</h2>`,
    `<p>on ${text(targetsOf(view))}</p>`,
    ...(assumed === undefined ? [] : [`<p>This is a plan for ${text(assumed)}: it is for reading only.</p>`]),
    `<p>${text(summarize(workspace, view))}</p>`,
    ...(cost ? [costBlock(cost)] : []),
    ...scripts.flatMap((script) => scriptLines(script, stepsOf(script))),
    unchangedBlock(view),
    graphBlock(graph),
    '</section>',
  ]
}

function scriptLines(script: string, steps: readonly StepView[]): string[] {
  const items = steps.flatMap(stepItems)
  return items.length === 0 ? [] : [`<h3>${text(script)}</h3>`, '<ul>', ...items, '</ul>']
}

function stepItems(step: StepView): string[] {
  const { state, tentative = [], because = '', refused, notes = [] } = step
  const told = notes.map((note) => item('note', 'i', text(note)))
  if (state === 'converged') return told
  if (state === 'refused') return [item('remove', '!', `${text(step.step)}: ${text(refused?.reason ?? '')}`)]
  if (state === 'unknown') {
    const why = tentative.length > 0 && !step.denied ? `asked again after ${tentative.join(', ')}` : because
    return [item('unknown', '?', `${text(step.step)} <small>${text(why)}</small>`)]
  }
  const waits =
    tentative.length > 0
      ? ` <small>asked again after ${text(tentative.join(', '))}, right before it is made</small>`
      : ''
  return [...step.changes.map((change) => changeItem(change, waits)), ...told]
}

const symbols = { create: '+', update: '~', remove: '−' } as const
const verbs = { create: 'create', update: 'change', remove: 'remove' } as const

function changeItem(change: ChangeView, waits: string): string {
  const { verb, say, risk, diff, guarded } = change
  const badge = risk === 'safe' ? '' : ` <span class="risk ${risk}">${riskWords[risk]}</span>`
  const guard = guarded ? ' <small>reverted unless a new connection succeeds</small>' : ''
  const line = `<span class="verb">${verbs[verb]}</span> ${text(say)}${badge}${guard}${waits}`
  return item(verb, symbols[verb], line + (diff ? diffBlock(diff) : ''))
}

function diffBlock(diff: NonNullable<ChangeView['diff']>): string {
  if (diff.kind === 'secret') return ` <small>${hiddenDiff}</small>`
  const lines = patchLines(diff).map((line) => {
    const kind = { '+': 'ins', '-': 'del', '@': 'small' }[line[0] ?? '']
    return kind ? `<${kind}>${text(line)}</${kind}>` : text(line)
  })
  return `<details><summary>${text(diff.path)}</summary><pre>${lines.join('\n')}</pre></details>`
}

const item = (kind: string, symbol: string, html: string) =>
  `<li class="${kind}"><span class="symbol" aria-hidden="true">${symbol}</span><div>${html}</div></li>`

function costBlock({ date, items, total }: Cost): string {
  const rows = items.map((item) => `<li>${text(item.what)}: ${sayPrice(item)}</li>`)
  return `<details><summary>costs ${text(total)} a month (estimated ${text(date)})</summary><ul class="plain">${rows.join('')}</ul></details>`
}

function unchangedBlock({ steps }: PlanView): string {
  const same = steps.filter(({ state }) => state === 'converged')
  if (same.length === 0) return ''
  const rows = same.map(({ step, because }) => `<li>${text(step)} <small>${text(because ?? '')}</small></li>`)
  return `<details><summary>${same.length} unchanged</summary><ul class="plain">${rows.join('')}</ul></details>`
}

function graphBlock(graph: Graph): string {
  const about = `which step of ${graph.name} depends on which`
  const picture = svgOf(graph).replace('<svg ', `<svg role="img" aria-label="${text(about)}" `)
  return [
    `<details><summary>Dependency graph</summary>`,
    `<div class="wide" role="region" aria-label="${text(about)}" tabindex="0">${picture}</div>`,
    `<details><summary>as Mermaid</summary><pre>${text(mermaidOf(graph))}</pre></details>`,
    '</details>',
  ].join('\n')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A text for HTML. Cleaned before it is escaped: a secret that holds `&` is none afterwards. */
const text = (raw: string): string => clean(raw).replace(/[&<>"']/g, (letter) => entities[letter] ?? letter)
