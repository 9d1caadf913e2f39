import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CliResult } from '../support/cli.ts'
import { diffFingerprints } from './fingerprint.ts'
import type { LabHost } from './host.ts'
import type { Pod } from './pod-setup.ts'

/** An event of the command line, as JSON. */
export interface CliEvent {
  readonly type: string
  readonly [field: string]: unknown
}

/** Runs `work` and gives what it wrote on the host: nothing, when it wrote nothing. */
export async function written(host: LabHost, work: () => Promise<unknown>): Promise<string[]> {
  const before = await host.fingerprint()
  await work()
  return diffFingerprints(before, await host.fingerprint())
}

/** How often somebody logged in by ssh since the host has a journal. */
export async function logins(host: LabHost): Promise<number> {
  return Number((await host.exec('journalctl -q --no-pager | grep -c "sshd.*: Accepted publickey"')).stdout)
}

/** The main processes of everything that a deployment may restart. */
export async function mainPids(host: LabHost): Promise<string> {
  const units = 'ssh fail2ban nginx matrix-synapse unattended-upgrades "postgresql@*"'
  return (await host.exec(`systemctl show --property=Id,MainPID,ActiveEnterTimestamp ${units}`)).stdout
}

/** The events that a run with `--json` printed. */
export function eventsOf({ stdout }: Pick<CliResult, 'stdout'>): CliEvent[] {
  return parse(stdout)
}

/** The events of the last run, by its log. */
export async function lastLog({ root }: Pick<Pod, 'root'>): Promise<CliEvent[]> {
  const folder = join(root, '.infra/runs')
  const logs = (await readdir(folder)).sort()
  return parse(await readFile(join(folder, logs.at(-1) ?? ''), 'utf8'))
}

/** What a plan would change, in its own words. */
export function planned(events: readonly CliEvent[]): string[] {
  const plan = events.findLast(({ type }) => type === 'plan') as
    | { steps?: { changes: { say: string }[] }[] }
    | undefined
  return plan?.steps?.flatMap(({ changes }) => changes.map(({ say }) => say)) ?? []
}

/** What a run changed, in the same words. */
export function changed(events: readonly CliEvent[]): string[] {
  return events.filter(({ type, outcome }) => type === 'change.end' && outcome === 'done').map(({ say }) => String(say))
}

function parse(lines: string): CliEvent[] {
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as CliEvent)
}
