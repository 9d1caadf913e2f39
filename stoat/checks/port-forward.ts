import { sh } from '@infra/shared/command/sh'
import { Failure } from '@infra/shared/engine/failure'
import type { Target } from '@infra/shared/engine/target'
import { namespace } from '@infra/shared/platform/names'

/** A way to a port of a Service through the API server, for as long as somebody uses it. */
export interface Forward {
  /** The port on this machine. */
  readonly port: number
  /** Whether it has ended, by itself or by `close`. */
  ended(): boolean
  close(): void
}

/** How long to wait for it, in milliseconds. */
const timeoutMs = 20_000

/**
 * Opens a way to a Service. `local` is the port on this machine, 0 for any. It ends with `close`, and with this process
 * however that ends. Throws kubectl's words where there is none.
 */
export function openForward(kube: Target, service: string, port: number, local = 0): Promise<Forward> {
  const ports = `${local === 0 ? '' : local}:${port}`
  const forward = sh`kubectl port-forward service/${service} ${ports} -n ${namespace} --address 127.0.0.1`
  // A process group of its own: it is told to end by its number, and ends by itself when we were killed. All of it: what is
  // started is a shell of its own, which would end without the kubectl that it runs.
  const tethered = sh`${forward} & pf=$!; trap 'trap - EXIT TERM; kill -TERM 0' EXIT TERM; echo "group $$"
while kill -0 "$pf" 2>/dev/null; do kill -0 "$PPID" 2>/dev/null || exit 1; sleep 1; done
wait "$pf"; code=$?; trap - EXIT; exit "$code"`
  return new Promise((resolve, reject) => {
    let group = 0
    let closed = false
    let last = 'it did not open'
    let why: string | undefined
    const close = () => {
      closed = true
      if (group > 0) endGroup(group)
      process.off('exit', close)
    }
    // Ctrl-C ends this process at once: the port shall be free when it is gone.
    process.on('exit', close)
    const timer = setTimeout(() => {
      close()
      reject(refused(service, last))
    }, timeoutMs)
    const running = kube.run([tethered], (line) => {
      if (line.startsWith('group ')) group = Number(line.slice(6))
      else last = line
      why ??= /address already in use/.test(line) ? line : undefined
      const opened = /^Forwarding from 127\.0\.0\.1:(\d+) ->/.exec(line)?.[1]
      if (opened === undefined) return
      clearTimeout(timer)
      resolve({ port: Number(opened), ended: () => closed, close })
    })
    const end = (error: unknown) => {
      closed = true
      process.off('exit', close)
      clearTimeout(timer)
      reject(error)
    }
    running.then(() => end(why === undefined ? refused(service, last) : taken(local)), end)
  })
}

const refused = (service: string, why: string): Failure =>
  new Failure('error', `no port-forward to ${service}: ${why.replace(/^(error|Error from server \(\w+\)): /, '')}`, {
    remedy: 'npm run status -w stoat shows what runs.',
  })

const taken = (port: number): Failure =>
  new Failure('error', `port ${port} of this machine is taken`, {
    remedy: 'End what listens there, or give another one: --port 18080.',
  })

function endGroup(group: number): void {
  try {
    process.kill(-group, 'SIGTERM')
  } catch {
    // It has ended.
  }
}
