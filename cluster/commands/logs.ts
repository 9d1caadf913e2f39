import { open, type Session } from '@infra/shared/cli/session'
import { redact } from '@infra/shared/command/secret'
import { sh } from '@infra/shared/command/sh'
import { Failure } from '@infra/shared/engine/failure'
import { print } from '@infra/shared/report/print'
import type { ClusterContext } from '../context.ts'
import { namespace } from '../manifests/pod.ts'
import { serviceOf, services } from './services.ts'

/** `logs SERVICE [-f] [--previous]`: what its pods print, until they end or Ctrl-C. */
export async function runLogs(session: Session): Promise<number> {
  const { workload } = services[serviceOf(session.words[0] ?? '')]
  const { follow, previous, tail } = session.own
  const { kube } = open(session, 'verify').context as ClusterContext
  const options = [...(previous ? ['--previous'] : []), ...(follow ? ['-f'] : [])]
  const read = sh`kubectl logs ${workload} -n ${namespace} --all-containers --tail=${String(tail ?? 200)} ${options}`
  // Ends with us, however we end: it has a process group of its own.
  const tethered = sh`${read} & logs=$!; trap 'kill "$logs" 2>/dev/null' EXIT
while kill -0 "$logs" 2>/dev/null; do kill -0 "$PPID" 2>/dev/null || exit 1; sleep 1; done
wait "$logs"`
  const outputs = await kube.run([follow ? tethered : read], (line) => print(redact(line)))
  const failed = outputs.find(({ code }) => code !== 0)
  if (failed)
    throw new Failure('error', `no logs of ${workload}`, {
      detail: failed.stderr.trim().split('\n').slice(-3).map(redact),
      remedy: previous
        ? 'Has it ever been restarted? Without --previous what runs now is shown.'
        : 'npm run status -w cluster shows its pods.',
    })
  return 0
}
