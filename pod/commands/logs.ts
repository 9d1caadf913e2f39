import { type LogRange, logRange } from '@infra/shared/cli/log-options'
import { usage } from '@infra/shared/cli/options'
import type { Session } from '@infra/shared/cli/session'
import { howTimes } from '@infra/shared/cli/since'
import { raw, type Shell, sh } from '@infra/shared/command/sh'
import { Failure } from '@infra/shared/engine/failure'
import { nearest } from '@infra/shared/env/suggest'
import { onClosedOutput } from '@infra/shared/report/outlet'
import { print } from '@infra/shared/report/print'
import { byLine } from '@infra/shared/targets/process'
import {
  errorLines,
  errorsAsTheyCome,
  everyError,
  fromSince,
  journal,
  logFiles,
  readSince,
} from '../host/log-errors.ts'
import { endedBySelf, openHost, recorder, tethered } from './host.ts'
import { logServices } from './log-services.ts'

interface Source {
  readonly units: readonly string[]
  /** Beside the journal: where Debian has a service log to a file of its own. */
  readonly files?: Shell
}

/** Where each of {@link logServices} has its log. */
const sources: Readonly<Record<string, Source>> = {
  vkb: { units: ['vkb'] },
  synapse: { units: ['matrix-synapse'] },
  'matrix-synapse': { units: ['matrix-synapse'] },
  nginx: { units: ['nginx'], files: logFiles.nginx },
  postgresql: { units: ['postgresql', 'postgresql@*'], files: logFiles.postgresql },
  fail2ban: { units: ['fail2ban'] },
  certbot: { units: ['certbot'], files: raw('/var/log/letsencrypt/*.log') },
  ssh: { units: ['ssh', 'ssh@*'] },
  backup: { units: ['valence-backup'] },
} satisfies Record<Exclude<(typeof logServices)[number], 'all'>, Source>

interface Desired extends Omit<LogRange, 'since'> {
  readonly service: string
  readonly since: string | undefined
}

/** `logs SERVICE`: what a service said, secrets taken out; with `-f` until Ctrl-C. */
export async function runLogs(session: Session): Promise<number> {
  const { since, ...range } = logRange(session.workspaceOptions)
  const [service = ''] = session.args
  const line = logLine({ service, ...range, since: since?.text })
  const { host } = openHost(session)
  const errors = recorder()
  // A line at a time, so that a secret cut in two by the stream is found.
  const show = byLine(print)
  const running = await host.attach({ line: tethered(line), as: 'root', stdout: show, stderr: errors.take })
  let stopped = false
  const stop = () => {
    stopped = true
    running.end()
  }
  onClosedOutput(stop) // the reader went away: `| head`
  const code = await endedBySelf(session, running, stop)
  if (stopped || code === 0) return 0
  if (code === 255) throw host.broken(errors.said(), 'reading the log')
  const [first = `exit code ${code}`] = errors.said().trim().split('\n')
  throw new Failure('error', `the log of ${service} cannot be read: ${first}`, {
    remedy: howTimes,
  })
}

/** The line of shell that prints a log. Throws a usage failure for a service that is not known, and for `--previous`. */
export function logLine({ service, follow, lines, since, previous }: Desired): string {
  if (previous)
    throw usage(
      'logs of the pod has no --previous: a service writes on in one log when it starts again',
      '--since 1h shows what it said before.',
    )
  const from = readSince(since ?? '24 hours ago')
  if (service === 'all') {
    if (follow) return sh`${from}; ${errorsAsTheyCome(everyError, lines)}`.line
    return sh`${from}; ${errorLines(everyError)} | tail -n ${lines}`.line
  }
  const source = Object.hasOwn(sources, service) ? sources[service] : undefined
  if (!source) {
    const near = nearest(service, logServices)
    throw usage(
      `no service is called "${service}"`,
      near ? `Did you mean ${near}?` : `There are: ${logServices.join(', ')}`,
    )
  }
  const flags = [...journal, '-n', lines, ...(follow ? ['-f'] : [])]
  const chosen = sh`journalctl ${flags} ${source.units.flatMap((unit) => ['-u', unit])}`
  const said = since === undefined ? chosen : sh`${chosen} --since "@$since"`
  const before = since === undefined ? raw('') : sh`${from}; `
  const { files } = source
  if (files === undefined) return sh`${before}exec ${said}`.line
  if (since === undefined) {
    if (follow) return sh`tail -q -n ${lines} -F ${files} 2>/dev/null & exec ${said}`.line
    return sh`${said}; tail -q -n ${lines} ${files} 2>/dev/null || true`.line
  }
  // What is said meanwhile comes once: each file is followed from where it was read to.
  if (follow)
    return sh`${before}for f in ${files}; do [ -f "$f" ] || continue; n=$(stat -c %s "$f")
head -c "$n" "$f" | ${fromSince} | tail -n ${lines}; tail -q -c "+$((n + 1))" -F "$f" 2>/dev/null & done; exec ${said}`
      .line
  return sh`${before}${said} && cat ${files} 2>/dev/null | ${fromSince} | tail -n ${lines}`.line
}
