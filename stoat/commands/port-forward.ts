import { setTimeout as pause } from 'node:timers/promises'
import { usage } from '@infra/shared/cli/options'
import { open, type Session } from '@infra/shared/cli/session'
import { nearest } from '@infra/shared/env/suggest'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { openForward } from '../checks/port-forward.ts'
import type { StoatContext } from '../context.ts'
import { caddyService, stores } from '../services.ts'

/** What is reached so, and at which port on this machine. */
const places = {
  gateway: { service: caddyService.name, port: caddyService.http.service, local: 8080, what: 'the web client' },
  rabbitmq: { service: stores.rabbitmq.name, port: 15672, local: 15672, what: "RabbitMQ's management" },
  minio: { service: stores.minio.name, port: 9001, local: 9001, what: "MinIO's console" },
} as const

/** `port-forward [gateway|rabbitmq|minio]`: opens it on this machine until Ctrl-C. */
export async function runPortForward(session: Session): Promise<number> {
  const word = session.args[0] ?? 'gateway'
  const names = Object.keys(places)
  if (!Object.hasOwn(places, word)) {
    const near = nearest(word, names)
    throw usage(
      `${word} is not reached by a port-forward`,
      near ? `Did you mean ${near}?` : `There are: ${names.join(', ')}`,
    )
  }
  const { service, port, local, what } = places[word as keyof typeof places]
  const context = open(session, 'verify').context as StoatContext
  await assertInside(context)
  const forward = await openForward(context.kube, service, port, local)
  const text = `${what}: http://localhost:${forward.port} (Ctrl-C ends it)`
  session.emit({ type: 'message', level: 'info', text })
  try {
    while (!session.signals.stopping() && !forward.ended()) await pause(200)
  } finally {
    forward.close()
  }
  return 0
}
