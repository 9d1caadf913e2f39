import { setTimeout } from 'node:timers/promises'
import { processIdentity, startedBy } from '@infra/shared/targets/run-identity'
import { expect } from 'vitest'
import type { CliRun } from '../support/cli.ts'
import { eventsOf, type JsonEvent, lastOf, madeBy } from './pod-runs.ts'
import { until } from './run.ts'

/** As when the machine loses its power: the run and all that it has started end at once. */
export async function killAll(run: CliRun): Promise<void> {
  const identity = processIdentity(run.pid) ?? ''
  run.kill('SIGKILL')
  for (let left = startedBy(identity); left.length > 0; left = startedBy(identity))
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended by itself.
      }
    }
  await run.ended
}

/** Waits until a run has said an event that fits; false when it ended without. */
export async function reaches(run: CliRun, fits: (events: readonly JsonEvent[]) => boolean): Promise<boolean> {
  let over = false
  void run.ended.then(() => {
    over = true
  })
  const seen = () => (fits(eventsOf(run.said())) ? true : over ? false : undefined)
  return until('an event or the end', 600_000, seen, 5)
}

const begins = ({ type }: JsonEvent) => type === 'change.start'

/**
 * Starts deployments with `--json`, one after the other, and kills each at its second change: the first is the one that the
 * run before was killed at. Now at its very beginning, now `lateMs` or twice that later, when it has begun to work. Ends with
 * the run that has no second change, which must end well. Gives what each of the killed ones made.
 */
export async function killEachChange(lateMs: number, start: () => CliRun): Promise<string[][]> {
  const runs: string[][] = []
  for (let late = 0; ; late = (late + lateMs) % (3 * lateMs)) {
    const run = start()
    const seen = await reaches(run, (events) => events.filter(begins).length > (runs.length === 0 ? 0 : 1))
    if (seen) await setTimeout(late)
    if (seen) await killAll(run)
    const { code, stdout, stderr } = await run.ended
    const events = eventsOf(stdout)
    expect(events.filter(({ type }) => type === 'lock.wait')).toEqual([])
    if (!seen) {
      expect(code, lastOf(stdout + stderr)).toBe(0)
      return runs
    }
    expect(events.filter(({ type }) => type === 'failure')).toEqual([])
    runs.push(madeBy(stdout))
    expect(runs.length, runs.join('\n')).toBeLessThan(100)
  }
}
