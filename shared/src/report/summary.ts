import type { WorkspaceResult } from '../engine/events.ts'
import { type PlanCounts, type RiskCounts, riskWords } from './plan-view.ts'
import { duration } from './style.ts'
import type { Rows } from './table.ts'

/** The table at the end of a run over several workspaces; a column that would be empty is left out. */
export function summaryRows(results: readonly WorkspaceResult[]): Rows {
  const columns: readonly [string, (result: WorkspaceResult) => string][] = [
    ['workspace', ({ workspace }) => workspace],
    ['result', ({ result, exitCode = 0 }) => (exitCode === 0 ? result : `${result} (exit ${exitCode})`)],
    ['changes', sayChanges],
    ['checks', ({ checks }) => (checks ? sayChecks(checks) : '')],
    ['cost a month', ({ cost }) => cost ?? ''],
    ['time', ({ ms }) => (ms === undefined ? '' : duration(ms))],
  ]
  const shown = columns.filter(([, cell]) => results.some((result) => cell(result) !== ''))
  return [shown.map(([head]) => head), ...results.map((result) => shown.map(([, cell]) => cell(result)))]
}

const symbols: readonly [keyof PlanCounts, string][] = [
  ['create', '+'],
  ['update', '~'],
  ['remove', '-'],
  ['unknown', '?'],
  ['refused', '!'],
]

/** `+71 ~4 ?1 (2 restart)`, by the symbols of a plan; `12 made`; `none`. */
function sayChanges({ changes, risks, made }: WorkspaceResult): string {
  if (made !== undefined && made > 0) return `${made} made`
  if (!changes) return ''
  const counts = symbols.flatMap(([name, symbol]) => (changes[name] ? [`${symbol}${changes[name]}`] : []))
  const risked = Object.entries((risks ?? {}) as RiskCounts).map(
    ([risk, count]) => `${count} ${riskWords[risk as keyof RiskCounts]}`,
  )
  return counts.length === 0 ? 'none' : counts.join(' ') + (risked.length > 0 ? ` (${risked.join(', ')})` : '')
}

/** `12 passed, 1 failed`. */
export function sayChecks({ ok, warn, fail, skipped }: NonNullable<WorkspaceResult['checks']>): string {
  const rest = [warn && `${warn} warned`, fail && `${fail} failed`, skipped && `${skipped} skipped`].filter(Boolean)
  return [`${ok} passed`, ...rest].join(', ')
}
