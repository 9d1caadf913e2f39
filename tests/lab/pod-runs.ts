import { expect } from 'vitest'
import type { CliResult, CliRun } from '../support/cli.ts'
import { written } from './pod-probes.ts'
import type { Pod } from './pod-setup.ts'
import { until } from './run.ts'

/** An event of `--json`, with the fields that the tests look at. */
export interface JsonEvent {
  readonly type: string
  readonly step?: string
  readonly say?: string
  readonly line?: string
  readonly outcome?: string
  readonly kind?: string
  readonly holder?: string
  readonly message?: string
  readonly remedy?: string
  readonly detail?: readonly string[]
  readonly made?: number
}

/** The events of a run with `--json`; a line that was cut off by a kill is left out. */
export function eventsOf(said: string): JsonEvent[] {
  return said.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as JsonEvent]
    } catch {
      return []
    }
  })
}

/** What a run with `--json` did, one `step: change` each. */
export const madeBy = (said: string): string[] =>
  eventsOf(said)
    .filter(({ type, outcome }) => type === 'change.end' && outcome === 'done')
    .map(({ step, say }) => `${step}: ${say}`)

/** Starts `deploy --yes --json`, and waits for an event that fits; false when the run ended without one. */
export async function deployUntil(
  pod: Pod,
  fits: (event: JsonEvent) => boolean,
): Promise<{ run: CliRun; seen: boolean }> {
  const run = pod.start('deploy', '--yes', '--json')
  let over = false
  void run.ended.then(() => {
    over = true
  })
  const seen = () => (eventsOf(run.said()).some(fits) ? true : over ? false : undefined)
  return { run, seen: await until('an event or the end', 600_000, seen, 5) }
}

/** Runs `deploy --yes --json` to its end, which must be a good one. Says what it did. */
export async function deployed(pod: Pod, ...options: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await pod.cli('deploy', '--yes', '--json', ...options)
  expect(code, lastOf(stdout + stderr)).toBe(0)
  return madeBy(stdout)
}

/** Nothing is left to do, every check passes, and nobody holds the lock. */
export async function expectConverged(pod: Pod): Promise<void> {
  expect(await deployed(pod)).toEqual([])
  const { code, stdout, stderr } = await pod.cli('verify')
  expect(code, stdout + stderr).toBe(0)
  expect((await pod.host.exec('ls /run/infra/lock')).code).not.toBe(0)
}

/** The one error of a run with `--json`: told once, with what to do, and without a stack. */
export function failureOf(
  { code, stdout, stderr }: CliResult,
  exitCode: number,
): Required<Pick<JsonEvent, 'message' | 'remedy'>> {
  const failures = eventsOf(stdout).filter(({ type }) => type === 'failure')
  expect(code, lastOf(stdout + stderr)).toBe(exitCode)
  expect(failures).toHaveLength(1)
  const { message = '', remedy = '' } = failures[0] ?? {}
  expect(message).not.toMatch(/unexpected:|\n/)
  expect(remedy).toMatch(/\w/)
  expect(stdout + stderr).not.toMatch(/\bat (async )?\S+ \(\S+:\d+:\d+\)|node:internal|node_modules/)
  return { message, remedy }
}

/** The last events of a run, for the message of an assertion. */
export function lastOf(said: string): string {
  return said
    .split('\n')
    .slice(-15)
    .map((line) => line.slice(0, 600))
    .join('\n')
}

/** Runs `work`, which must write nothing on the host, and gives its result. */
export async function unwritten<T>({ host }: Pod, work: () => Promise<T>): Promise<T> {
  let result: T | undefined
  const touched = await written(host, async () => {
    result = await work()
  })
  expect(touched).toEqual([])
  return result as T
}
