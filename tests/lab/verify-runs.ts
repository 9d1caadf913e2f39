import type { CliResult } from '../support/cli.ts'

/** What a check found, as `verify --json` tells it. */
export interface CheckEvent {
  readonly type: 'check'
  readonly id: string
  readonly outcome: 'ok' | 'warn' | 'fail' | 'skipped'
  readonly detail: string
  readonly remedy?: string
}

/** What a run of `verify --json` found, check by check. */
export function findings({ stdout }: Pick<CliResult, 'stdout'>): CheckEvent[] {
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string })
  return events.filter((event): event is CheckEvent => event.type === 'check')
}

/** What failed, by id. */
export const redOf = (run: Pick<CliResult, 'stdout'>): Readonly<Record<string, CheckEvent>> =>
  Object.fromEntries(findings(run).flatMap((event) => (event.outcome === 'fail' ? [[event.id, event]] : [])))

/** What is skipped because of another check that failed, by id. */
export const skippedOf = (run: Pick<CliResult, 'stdout'>): Readonly<Record<string, CheckEvent>> =>
  Object.fromEntries(findings(run).flatMap((event) => (event.outcome === 'skipped' ? [[event.id, event]] : [])))
