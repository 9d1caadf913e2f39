import { type LogRange, logRange } from '../../cli/log-options.ts'
import { open, type Session } from '../../cli/session.ts'
import { sh } from '../../command/sh.ts'
import { Failure } from '../../engine/failure.ts'
import { print } from '../../report/print.ts'
import { namespace } from '../names.ts'
import type { WorkloadContext } from '../workload.ts'
import { type Services, serviceOf } from './services.ts'

/** `logs SERVICE`: what its pods print; with `-f` until they end or Ctrl-C. */
export async function runLogs(session: Session, services: Services): Promise<number> {
  const { workload } = serviceOf(services, session.args[0] ?? '')
  const range = logRange(session.workspaceOptions)
  const { follow, previous } = range
  const { kube, workspace } = open(session, 'access').context as WorkloadContext
  const read = sh`kubectl logs ${workload} -n ${namespace} --all-containers ${kubectlFlags(range, Date.now())}`
  // Ends with us, however we end: it has a process group of its own.
  const tethered = sh`${read} & logs=$!; trap 'kill "$logs" 2>/dev/null' EXIT
while kill -0 "$logs" 2>/dev/null; do kill -0 "$PPID" 2>/dev/null || exit 1; sleep 1; done
wait "$logs"`
  const outputs = await kube.run([follow ? tethered : read], print)
  const failed = outputs.find(({ code }) => code !== 0)
  if (failed)
    throw new Failure('error', `no logs of ${workload}`, {
      detail: failed.stderr.trim().split('\n').slice(-3),
      remedy: previous
        ? 'Has it ever been restarted? Without --previous what runs now is shown.'
        : `npm run status -w ${workspace} shows its pods.`,
    })
  return 0
}

/** The flags of kubectl for what is wanted. Throws a usage failure for a time that cannot be read here. */
export function kubectlFlags({ follow, lines, since, previous }: LogRange, now: number): string[] {
  return [
    `--tail=${lines}`,
    ...(since ? [`--since-time=${new Date(since.at(now)).toISOString()}`] : []),
    ...(previous ? ['--previous'] : []),
    ...(follow ? ['-f'] : []),
  ]
}
