import type { WorkspaceResult } from '../engine/events.ts'
import { type RiskCounts, sayCounts, sayRisks } from './plan-view.ts'
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

function sayChanges({ changes, risks, made }: WorkspaceResult): string {
  const planned = changes ? sayCounts(changes) : ''
  if (made !== undefined) return made === 0 && planned ? planned : `${made} made`
  const risked = sayRisks((risks ?? {}) as RiskCounts)
  return risked ? `${planned}; risks: ${risked}` : planned
}

/** `12 passed, 1 failed`. */
export function sayChecks({ ok, warn, fail, skipped }: NonNullable<WorkspaceResult['checks']>): string {
  const rest = [warn && `${warn} warned`, fail && `${fail} failed`, skipped && `${skipped} skipped`].filter(Boolean)
  return [`${ok} passed`, ...rest].join(', ')
}
